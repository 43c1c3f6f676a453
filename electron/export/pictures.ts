import sharp from 'sharp';
import { UserError } from '../contract/errors.js';
import { fileKey, safeFileName, uniqueFileName } from '../contract/file-names.js';
import { isPinhole } from '../geometry/lens.js';
import type { Camera } from '../geometry/types.js';
import { photoName, type ExportFile } from './types.js';
import { pinholeOf, undistortRows, type Crop, type Picture } from './undistort.js';

export interface PictureOptions {
  crop: Crop;
  /** `auto`: JPEG for photos that are JPEG, PNG for PNG, JPEG for all others. */
  format: 'auto' | 'png' | 'png16';
  /** Of JPEG, 1 to 100. */
  quality: number;
}
export const PICTURE_DEFAULTS: PictureOptions = { crop: 'inside', format: 'auto', quality: 95 };

/** Reads photos for exports; they are read one at a time, as their turn comes. */
export interface PhotoSource {
  /** Upright sRGB at full size, three channels of 8 or 16 bits. */
  pixels(camera: Camera, bits: 8 | 16): Promise<Picture<Uint8Array | Uint16Array>>;
  /** A whole file that shows the photo upright: JPEG, or PNG for the ending `png`. */
  upright(camera: Camera, ending: string): Promise<Uint8Array>;
  /** What of the photo counts, one channel at full size, 255 where it does; undefined for a photo without a mask. */
  mask?(camera: Camera): Promise<Picture | undefined>;
}

/** A photo without its lens: the pinhole camera that took it, and the file name of the picture. */
export interface Undistorted {
  photo: Camera;
  /** Its `name` is the file's. */
  camera: Camera;
}

export function undistortedCameras(cameras: readonly Camera[], { crop, format }: PictureOptions): Undistorted[] {
  const taken = new Set<string>();
  return cameras.map((photo) => {
    const wished = format === 'auto' ? photoName(photo) : `${photo.name.replace(/\.[^.]+$/, '')}.png`;
    // Two photos may differ in their endings only.
    const name = uniqueFileName(safeFileName(wished), taken);
    taken.add(fileKey(name));
    return { photo, camera: { ...pinholeOf(photo, crop), name } };
  });
}

/** The undistorted picture as a file in a folder; nothing is read before its bytes are asked for. */
export function pictureFile(
  { photo, camera }: Undistorted,
  folder: string,
  source: PhotoSource,
  options: PictureOptions,
): ExportFile {
  return { name: `${folder}/${camera.name}`, chunks: pictureChunks(photo, camera, source, options) };
}

async function* pictureChunks(
  photo: Camera,
  camera: Camera,
  source: PhotoSource,
  { format, quality }: PictureOptions,
): AsyncGenerator<Uint8Array> {
  const ending = /\.png$/i.test(camera.name) ? 'png' : 'jpg';
  if (format !== 'png16' && isPinhole(photo) && photo.width === camera.width && photo.height === camera.height) {
    // Coding a JPEG again would cost quality for nothing.
    yield await source.upright(photo, ending);
    return;
  }
  const pixels = await source.pixels(photo, format === 'png16' ? 16 : 8);
  const straight = await undistorted(pixels, photo, camera);
  yield await encoded(straight, ending, quality);
}

/** Rows computed before whatever else waits is let in: tens of milliseconds. */
const PIXELS_AT_ONCE = 400_000;

/**
 * A photo's whole undistorted picture, bicubic.
 *
 * @throws UserError 'bad-input' when the photo is not of the size that its camera was found for
 */
export async function undistorted<Samples extends Uint8Array | Uint16Array>(
  pixels: Picture<Samples>,
  photo: Camera,
  camera: Camera,
): Promise<Picture<Samples>> {
  if (pixels.width !== photo.width || pixels.height !== photo.height)
    throw new UserError(
      'bad-input',
      `${photo.name} has ${pixels.width} x ${pixels.height} pixels but had ${photo.width} x ${photo.height} when it was reconstructed; put the old file back or reconstruct again`,
    );
  const { width, height } = camera;
  const { channels } = pixels;
  const samples = new (pixels.samples.constructor as { new (n: number): Samples })(width * height * channels);
  const rows = Math.max(1, Math.floor(PIXELS_AT_ONCE / width));
  for (let first = 0; first < height; first += rows) {
    const some = Math.min(rows, height - first);
    samples.set(undistortRows(pixels, photo, camera, first, some), first * width * channels);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { width, height, channels, samples };
}

function encoded(
  { width, height, channels, samples }: Picture<Uint8Array | Uint16Array>,
  ending: string,
  quality: number,
): Promise<Uint8Array> {
  const image = sharp(samples, { raw: { width, height, channels: channels as 1 | 3 } });
  if (samples instanceof Uint16Array) return image.toColourspace('rgb16').png().toBuffer();
  return (ending === 'png' ? image.png() : image.jpeg({ quality, chromaSubsampling: '4:4:4' })).toBuffer();
}

/** The undistorted masks of the photos that have one, as PNG files named after the pictures. */
export async function maskFile(
  { photo, camera }: Undistorted,
  folder: string,
  source: PhotoSource,
): Promise<ExportFile | undefined> {
  const mask = await source.mask?.(photo);
  if (!mask) return undefined;
  const name = `${folder}/${camera.name}.png`;
  const chunks = (async function* () {
    const straight = await undistorted(mask, photo, camera);
    // Half-way values at an edge belong to neither side.
    const sharpEdges = straight.samples.map((value) => (value >= 128 ? 255 : 0));
    yield await sharp(sharpEdges, { raw: { width: camera.width, height: camera.height, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
  })();
  return { name, chunks };
}

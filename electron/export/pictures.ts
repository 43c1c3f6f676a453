import sharp from 'sharp';
import { UserError } from '../contract/errors.js';
import { fileKey, safeFileName, uniqueFileName } from '../contract/file-names.js';
import { isPinhole } from '../geometry/lens.js';
import type { Camera } from '../geometry/types.js';
import type { LateFile } from './ahead.js';
import { runHere, type RunTask } from './tasks.js';
import { photoName } from './types.js';
import { pinholeOf, type Crop, type Picture } from './undistort.js';

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
  upright(camera: Pick<Camera, 'photo'>, ending: string): Promise<Uint8Array>;
  /**
   * Reads what of the photo counts, one channel at full size, 255 where it does; undefined for a photo without a mask.
   */
  mask?(camera: Camera): (() => Promise<Picture>) | undefined;
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
    const wished = photoName(format === 'auto' ? photo : { name: `${photo.name.replace(/\.[^.]+$/, '')}.png` });
    // Two photos may differ in their endings only.
    const name = uniqueFileName(safeFileName(wished), taken);
    taken.add(fileKey(name));
    return { photo, camera: { ...pinholeOf(photo, crop), name } };
  });
}

/** Where pictures come from, and where they are computed. */
export interface PictureInput {
  photos: PhotoSource;
  work: { run: RunTask };
}

/** The undistorted picture as a file in a folder; nothing is read before its bytes are asked for. */
export function pictureFile(
  { photo, camera }: Undistorted,
  folder: string,
  input: PictureInput,
  options: PictureOptions,
): LateFile {
  return { name: `${folder}/${camera.name}`, make: () => pictureBytes(photo, camera, input, options) };
}

async function pictureBytes(
  photo: Camera,
  camera: Camera,
  { photos, work }: PictureInput,
  { format, quality }: PictureOptions,
): Promise<Uint8Array> {
  const ending = /\.png$/i.test(camera.name) ? 'png' : 'jpg';
  // Coding a JPEG again would cost quality for nothing.
  if (format !== 'png16' && isPinhole(photo) && photo.width === camera.width && photo.height === camera.height)
    return photos.upright(photo, ending);
  const pixels = await photos.pixels(photo, format === 'png16' ? 16 : 8);
  return encoded(await undistorted(pixels, photo, camera, work), ending, quality);
}

/**
 * A photo's whole undistorted picture, bicubic.
 *
 * @throws UserError 'bad-input' when the photo is not of the size that its camera was found for
 */
export async function undistorted<Samples extends Uint8Array | Uint16Array>(
  pixels: Picture<Samples>,
  photo: Camera,
  camera: Camera,
  { run }: PictureInput['work'] = { run: runHere },
): Promise<Picture<Samples>> {
  if (pixels.width !== photo.width || pixels.height !== photo.height)
    throw new UserError(
      'bad-input',
      `${photo.name} has ${pixels.width} x ${pixels.height} pixels but had ${photo.width} x ${photo.height} when it was reconstructed; put the old file back or reconstruct again`,
    );
  return (await run('undistort', { pixels, photo, camera })) as Picture<Samples>;
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
export function maskFile(
  { photo, camera }: Undistorted,
  folder: string,
  { mask: read }: PhotoSource,
  work: PictureInput['work'],
): LateFile | undefined {
  const mask = read?.(photo);
  if (!mask) return undefined;
  const make = async (): Promise<Uint8Array> => {
    const straight = await undistorted(await mask(), photo, camera, work);
    // Half-way values at an edge belong to neither side.
    const sharpEdges = straight.samples.map((value) => (value >= 128 ? 255 : 0));
    return sharp(sharpEdges, { raw: { width: camera.width, height: camera.height, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
  };
  return { name: `${folder}/${camera.name}.png`, make };
}

import sharp from 'sharp';
import { UserError } from '../contract/errors.js';
import type { Photo } from '../geometry/types.js';
import { openImage, type OpenImage } from './decode.js';
import { KEPT_SIDE, reducedRaw, type Reduced } from './developed.js';
import { reasonOf } from './discover.js';
import { readMask } from './masks.js';
import { isRaw } from './raw.js';
import { readPhotoFile } from './read-file.js';

export interface PhotoSize {
  longSide?: number;
  width?: number;
  height?: number;
  enlarge?: boolean;
}

/** The sides that a picture of `image` gets: each at least 1. */
function sizeFor(image: { width: number; height: number }, size: PhotoSize): { width: number; height: number } {
  if (size.width !== undefined && size.height !== undefined) return { width: size.width, height: size.height };
  const ratio = (size.longSide ?? Infinity) / Math.max(image.width, image.height);
  if (ratio >= 1 && !(size.enlarge && Number.isFinite(ratio))) return { width: image.width, height: image.height };
  return {
    width: Math.max(1, Math.round(image.width * ratio)),
    height: Math.max(1, Math.round(image.height * ratio)),
  };
}

/**
 * Reads the pixels of a photo, upright, reduced to a size: with `longSide` the ratio is kept but for rounding to whole
 * pixels, with `width` and `height` the image is stretched to exactly that. Either way a pixel's centre (x, y) of the
 * photo lies at ((x + 0.5) w / width - 0.5, (y + 0.5) h / height - 0.5): each axis has its own scale.
 *
 * @returns sRGB [height, width, 3], and the photo's mask at the same size, [height, width], 1 where it may be used
 * @throws UserError 'not-found' when the file is gone or can no longer be decoded
 */
export async function readPixels(
  photo: Photo,
  size: PhotoSize,
): Promise<{ width: number; height: number; pixels: Uint8Array; keep?: Uint8Array | undefined }> {
  try {
    const image = await openAt(photo, await readPhotoFile(photo), size);
    const pipeline = image.wholePixels();
    const wanted = sizeFor(image, size);
    if (wanted.width !== image.width || wanted.height !== image.height) pipeline.resize({ ...wanted, fit: 'fill' });
    const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
    const mask = await readMask(photo, info.width, info.height);
    return {
      width: info.width,
      height: info.height,
      pixels: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      ...(mask ? { keep: mask.keep } : {}),
    };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw unreadable(photo, error);
  }
}

/** A RAW photo that is wanted small is developed once (developed.ts). */
function openAt(photo: Photo, bytes: Buffer, size: PhotoSize): Promise<OpenImage | Reduced> {
  const side = size.longSide ?? Math.max(size.width ?? Infinity, size.height ?? Infinity);
  const open = () => openImage(bytes);
  return side <= KEPT_SIDE && isRaw(bytes) ? reducedRaw(photo.id, open) : open();
}

function unreadable(photo: Photo, error: unknown): UserError {
  if (error instanceof UserError && error.code === 'not-found') return error;
  return new UserError(
    'not-found',
    `can't read the photo ${photo.name}: ${reasonOf(error)}; relocate it or take it out of the project: ${photo.path}`,
    { cause: error },
  );
}

/**
 * A photo for programs that know neither EXIF's orientation nor every format: its own bytes where they show it upright,
 * coded anew otherwise.
 *
 * @param ending of the file that they are for: 'png' gives PNG, any other JPEG
 * @throws UserError 'not-found' as `readPixels`
 */
export async function readUpright(photo: Photo, ending: string): Promise<Uint8Array> {
  const format = ending.toLowerCase() === 'png' ? 'png' : 'jpeg';
  try {
    const bytes = await readPhotoFile(photo);
    const image = await openImage(bytes);
    if (image.plain === format) return bytes;
    return await (
      format === 'png' ? image.pixels().png() : image.pixels().jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
    ).toBuffer();
  } catch (error) {
    throw unreadable(photo, error);
  }
}

/**
 * All pixels of a photo, upright, with 16 bits a channel where they are wanted (8-bit photos then fill the range).
 *
 * @returns sRGB [height, width, 3]
 * @throws UserError 'not-found' as `readPixels`
 */
export async function readWhole(
  photo: Photo,
  bits: 8 | 16,
): Promise<{ width: number; height: number; pixels: Uint8Array | Uint16Array }> {
  try {
    const image = await openImage(await readPhotoFile(photo));
    const pipeline =
      bits === 16
        ? (image.deepPixels ?? image.pixels)().toColourspace('rgb16').raw({ depth: 'ushort' })
        : image.pixels().raw();
    const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const bytes = bits === 16 ? Uint8Array.from(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { width, height, pixels: bits === 16 ? new Uint16Array(bytes.buffer) : bytes };
  } catch (error) {
    throw unreadable(photo, error);
  }
}

/** JPEG of a photo, upright, long side at most `longSide`: what a viewer shows. */
export async function readPreview(photo: Photo, longSide: number): Promise<Uint8Array> {
  const { width, height, pixels } = await readPixels(photo, { longSide });
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

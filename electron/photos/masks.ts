import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import sharp from 'sharp';
import { readImageFile } from './read-file.js';
import { UserError } from '../contract/errors.js';
import type { MaskReference, Photo } from '../geometry/types.js';
import { openImage, type OpenImage } from './decode.js';
import { reasonOf } from './discover.js';
import { maskNames } from './mask-names.js';

/** Which pixels may be used. */
export interface Mask {
  width: number;
  height: number;
  /** [height, width], 1 where the photo may be used. */
  keep: Uint8Array;
}

export interface FindMasksOptions {
  /** True where white marks what is to be left out. COLMAP, Metashape and most others: white is kept. */
  inverted: boolean;
}

export const FIND_MASKS_DEFAULTS: FindMasksOptions = { inverted: false };

/** Ratios of sides of a photo and its mask may differ by this share: both were rounded. */
const SAME_SHAPE = 0.02;

/**
 * The masks of photos in a folder, by name: `photo.jpg.png` (COLMAP), `photo_mask.png` (Metashape), `photo.png`, ...
 *
 * @returns masks by photo id, and the names of the photos that have none
 * @throws UserError 'not-found' when the folder can't be read, 'bad-input' when a mask does not fit its photo
 */
export async function findMasks(
  photos: readonly Photo[],
  folder: string,
  options: FindMasksOptions = FIND_MASKS_DEFAULTS,
): Promise<{ masks: Map<string, MaskReference>; without: string[] }> {
  const path = resolve(folder);
  const names = await readdir(path).catch((error: unknown) => {
    throw new UserError('not-found', `the folder of masks can't be read: ${reasonOf(error)}; choose another: ${path}`);
  });
  const byLower = new Map(names.map((name) => [name.toLowerCase(), name]));
  const masks = new Map<string, MaskReference>();
  const without: string[] = [];
  for (const photo of photos) {
    const original = basename(photo.path);
    const wanted = [...maskNames(original), ...(photo.name === original ? [] : maskNames(photo.name))];
    const found = wanted
      .map((name) => byLower.get(name.toLowerCase()))
      .find((name) => name !== undefined && resolve(path, name) !== resolve(photo.path));
    if (found) masks.set(photo.id, await reference(photo, join(path, found), options));
    else without.push(photo.name);
  }
  return { masks, without };
}

/** Below this share of hidden pixels an alpha channel is a rounded corner or an accident of the program that wrote it. */
const LEAST_HIDDEN = 0.01;

/** The mask that a photo's own alpha channel is, where enough of it is transparent. */
export async function alphaMask(image: OpenImage, path: string, photoId: string): Promise<MaskReference | undefined> {
  if (!image.alpha) return undefined;
  const { data } = await image
    .alpha()
    .resize({ width: 256, height: 256, fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const hidden = data.reduce((count, value) => count + (value < 128 ? 1 : 0), 0) / data.length;
  if (hidden < LEAST_HIDDEN || hidden === 1) return undefined;
  return { path, channel: 'alpha', id: `${photoId}/alpha`, inverted: false };
}

/** The mask that lies beside a photo in its own folder (COLMAP's or Metashape's name), if any. */
export async function maskBeside(photo: Photo): Promise<MaskReference | undefined> {
  const stem = basename(photo.path, extname(photo.path));
  for (const name of [`${basename(photo.path)}.png`, `${stem}_mask.png`]) {
    const path = join(dirname(photo.path), name);
    if (path !== photo.path && existsSync(path)) return reference(photo, path, FIND_MASKS_DEFAULTS);
  }
  return undefined;
}

async function reference(photo: Photo, path: string, { inverted }: FindMasksOptions): Promise<MaskReference> {
  const bytes = await readImageFile(path);
  const image = await openImage(bytes).catch((error: unknown) => {
    throw new UserError('bad-input', `this mask is not an image that can be read; replace or remove it: ${path}`, {
      cause: error,
    });
  });
  if (!fits(image, photo) && !fits({ width: image.height, height: image.width }, photo)) {
    const sizes = `${image.width}x${image.height} where the photo is ${photo.width}x${photo.height}`;
    throw new UserError('bad-input', `this mask has another shape than its photo (${sizes}); make it anew: ${path}`);
  }
  const id = createHash('sha256')
    .update(bytes)
    .update(inverted ? '-' : '+')
    .digest('hex');
  return { path, channel: 'brightness', id, inverted };
}

function fits(mask: { width: number; height: number }, photo: { width: number; height: number }): boolean {
  return Math.abs((mask.width * photo.height) / (mask.height * photo.width) - 1) < SAME_SHAPE;
}

/**
 * A photo's mask at a size of the upright photo. A mask drawn on the stored picture of a photo that EXIF turns is
 * turned with it.
 *
 * @returns undefined for a photo without a mask
 * @throws UserError 'not-found' when the file is gone or can no longer be read
 */
export async function readMask(photo: Photo, width: number, height: number): Promise<Mask | undefined> {
  const { mask } = photo;
  if (!mask) return undefined;
  try {
    const image = await openImage(await readImageFile(mask.path));
    let pipeline = mask.channel === 'alpha' && image.alpha ? image.alpha() : image.pixels();
    if (!fits(image, photo)) {
      const turn = (await storedOrientation(photo)) === 8 ? 270 : 90;
      pipeline = sharp(await pipeline.png().toBuffer()).rotate(turn);
    }
    const { data, info } = await pipeline
      .resize({ width, height, fit: 'fill', kernel: 'nearest' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const keep = new Uint8Array(width * height);
    for (let k = 0; k < keep.length; k++) keep[k] = data[k * info.channels]! >= 128 !== mask.inverted ? 1 : 0;
    return { width, height, keep };
  } catch (error) {
    const what = `can't read the mask of ${photo.name}: ${reasonOf(error)}`;
    throw new UserError('not-found', `${what}; put it back or take the masks off: ${mask.path}`, { cause: error });
  }
}

async function storedOrientation(photo: Photo): Promise<number> {
  const meta = await sharp(await readImageFile(photo.path))
    .metadata()
    .catch(() => undefined);
  return meta?.orientation ?? 1;
}

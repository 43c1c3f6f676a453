import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { UserError } from '../contract/errors.js';
import { findMasks, readMask, type FindMasksOptions, type Mask } from '../photos/masks.js';
import type { MaskReader } from '../pointmaps/masking.js';
import type { MaskReference, Photo, PhotoId } from '../geometry/types.js';
import { cutMask, findPictureMasks, isFace, ownMask, type FacePhoto } from './face-masks.js';
import type { Project, ProjectPhoto } from '../project/project.js';

/** Masks are looked up at this size: finer than any view that depth is computed on. */
const MASK_SIDE = 1600;

/** Masks of a run's photos, each read once, a byte a pixel. */
export function maskReader(photos: readonly ProjectPhoto[]): MaskReader {
  const masks = new Map<number, Promise<Mask | undefined>>();
  return (index) => {
    let mask = masks.get(index);
    if (!mask) {
      const photo = photos[index]!;
      const ratio = Math.min(1, MASK_SIDE / Math.max(photo.width, photo.height));
      mask = readMask(photo, Math.round(photo.width * ratio), Math.round(photo.height * ratio));
      masks.set(index, mask);
    }
    return mask;
  };
}

/** The mask that tells which part of a view its wide picture shows: another one does not take its place. */
export const isOwnMask = ({ face, mask, path }: Photo): boolean => face !== undefined && mask?.path === `${path}.png`;

/** What became of a folder of masks. */
export interface TakenMasks {
  found: number;
  /** Names of photos without a mask there. */
  without: string[];
  /** For the log, one line each. */
  notes: string[];
}

export interface PaintedMask {
  photos: readonly string[];
  width: number;
  height: number;
  /** Lengths of runs of hidden and used pixels by turns, row by row. */
  runs: readonly number[];
}

/**
 * Gives photos a mask that was painted; it is written into `folder`. A mask that uses all of the photo takes theirs off.
 *
 * @throws UserError 'usage' when the runs do not fill the picture, or a photo has another shape
 */
export async function paintMask(project: Project, { photos, width, height, runs }: PaintedMask, folder: string) {
  const wanted = project.photos().filter(({ id }) => photos.includes(id));
  const total = runs.reduce((sum, run) => sum + run, 0);
  const isOther = (photo: Photo): boolean => Math.abs((width * photo.height) / (height * photo.width) - 1) > 0.02;
  if (total !== width * height || wanted.some(isOther))
    throw new UserError('usage', 'the painted mask has another shape than its photo; paint it anew');
  const keep = new Uint8Array(total);
  let at = 0;
  runs.forEach((run, k) => keep.fill(k % 2, at, (at += run)));
  await mkdir(folder, { recursive: true });
  for (const { id } of wanted) {
    const mask = keep.includes(0) ? await writeMask(folder, id, { width, height }, keep) : undefined;
    project.setFacts(id, { mask });
  }
}

/** As a picture, white where the photo is used. */
export async function writeMask(
  folder: string,
  photo: PhotoId,
  { width, height }: { width: number; height: number },
  keep: Uint8Array,
): Promise<MaskReference> {
  const white = keep.map((flag) => 255 * flag);
  const bytes = await sharp(white, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  const hash = createHash('sha256').update(bytes).update('+').digest('hex');
  const path = join(folder, `${photo.slice(0, 16)}-${hash.slice(0, 8)}.png`);
  await writeFile(path, bytes);
  return { path, channel: 'brightness', id: hash, inverted: false };
}

/** Share of the picture's border that a mask must keep to look as if black marked the object in the middle. */
const INVERTED_BORDER = 0.9;

/**
 * Gives the project's enabled photos the masks of a folder; photos that have none there keep none. The masks of wide
 * pictures are cut as their pictures were, and written into `cache`.
 *
 * @throws UserError as findMasks; nothing is changed then
 */
export async function takeMasks(
  project: Project,
  folder: string,
  options: FindMasksOptions,
  cache: string,
): Promise<TakenMasks> {
  const photos = project.photos().filter((photo) => photo.enabled);
  const { masks, without } = await findMasks(
    photos.filter((photo) => !isFace(photo)),
    folder,
    options,
  );
  const faces = photos.filter(isFace);
  const wide = await findPictureMasks(faces, folder, options);
  without.push(...wide.without);
  await mkdir(cache, { recursive: true });
  for (const photo of faces) {
    const picture = wide.pictures.get(photo.face.pictureId);
    const mask = picture ? await viewMask(cache, photo, picture) : await ownMask(photo);
    if (mask) masks.set(photo.id, mask);
  }
  for (const { id } of photos) project.setFacts(id, { mask: masks.get(id) });
  const masked = photos.flatMap((photo) => (masks.has(photo.id) ? [{ ...photo, mask: masks.get(photo.id)! }] : []));
  const notes = await maskNotes('masks', masked, photos.length);
  if (without.length > 0)
    notes.push(`no mask for ${without.length} photos, all of them is used: ${without.join(', ')}`);
  return { found: masks.size, without, notes };
}

/**
 * What masks keep, and whether they look as if the other colour was meant.
 *
 * @param masked photos with the masks that are told of, all of one convention
 */
export async function maskNotes(source: string, masked: readonly Photo[], total: number): Promise<string[]> {
  if (masked.length === 0) return [];
  const shares = [];
  for (const photo of masked) shares.push(keptShares((await readMask(photo, 64, 64))!));
  const kept = shares.reduce((sum, each) => sum + each.kept, 0) / shares.length;
  const { channel, inverted } = masked[0]!.mask!;
  const colour = channel === 'alpha' ? 'what is opaque' : inverted ? 'black' : 'white';
  const notes = [`${source}: ${masked.length} of ${total} photos, ${colour} is kept, ${percent(kept)} of the pixels`];
  const odd = shares.filter(({ border, middle }) => border > INVERTED_BORDER && middle < 0.5).length;
  if (odd * 2 > shares.length && channel !== 'alpha')
    notes.push(
      `the masks keep the border of the pictures and hide their middle: if ${colour} marks what is to be left out, ` +
        'give their folder with --masks and --invert-masks',
    );
  return notes;
}

/** The mask of a wide picture as a view of it has it, written into `cache`, which is there. */
export async function viewMask(cache: string, photo: FacePhoto, picture: Photo): Promise<MaskReference> {
  const mask = await cutMask(photo, picture);
  return writeMask(cache, photo.id, mask, mask.keep);
}

/** Takes masks off: a view of a wide picture keeps the one that tells what its picture shows of it. */
export async function dropMasks(project: Project): Promise<void> {
  for (const photo of project.photos())
    project.setFacts(photo.id, { mask: isFace(photo) ? await ownMask(photo) : undefined });
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

function keptShares({ width, height, keep }: Mask): { kept: number; border: number; middle: number } {
  const sums = { kept: 0, border: 0, middle: 0 };
  const counts = { kept: 0, border: 0, middle: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = Math.min(x, y, width - 1 - x, height - 1 - y);
      const value = keep[y * width + x]!;
      for (const part of [
        'kept',
        edge === 0 ? 'border' : undefined,
        edge > width / 4 ? 'middle' : undefined,
      ] as const) {
        if (!part) continue;
        sums[part] += value;
        counts[part]++;
      }
    }
  }
  return {
    kept: sums.kept / counts.kept,
    border: sums.border / counts.border,
    middle: sums.middle / Math.max(1, counts.middle),
  };
}

import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { basename } from 'node:path';
import { UserError } from '../contract/errors.js';
import type { Projection } from '../geometry/projection.js';
import type { Photo, PhotoId } from '../geometry/types.js';
import { luma } from '../numerics/luma.js';
import { openImage, type OpenImage } from './decode.js';
import { discover, reasonOf, type Refusal } from './discover.js';
import { reducedRaw } from './developed.js';
import { lookOf } from './duplicates.js';
import { readFacts } from './exif.js';
import { alphaMask, maskBeside } from './masks.js';
import { isRaw } from './raw.js';
import { readImageFile } from './read-file.js';
import { sharpness } from './sharpness.js';
import { detectWide } from './wide/detect.js';

export interface ImportedPhoto {
  photo: Photo;
  /** JPEG, long side at most 320 px. */
  thumbnail: Uint8Array;
  /** Remarks for the user, without the path. */
  notes: string[];
  /** Set where the picture shows that no pinhole camera took it: it is split into views before it is used. */
  wide?: Projection | undefined;
}

export const THUMBNAIL_SIZE = 320;
/** Below this on the short side nothing can be matched. */
const SMALLEST_SIDE = 64;
/** Beyond this ratio of sides an image is stitched or scanned, and no pinhole camera took it. */
const WIDEST_RATIO = 4;
const SHARPNESS_SIZE = 1024;

/**
 * Reads one photo file: checks that all of it decodes, and finds its size, focal, sharpness and thumbnail.
 *
 * @throws UserError 'bad-input' (message without the path) when the file can't be used
 */
export async function importPhoto(path: string): Promise<ImportedPhoto> {
  const bytes = await readImageFile(path).catch((error: unknown) => {
    throw error instanceof UserError ? error : new UserError('bad-input', reasonOf(error), { cause: error });
  });
  if (bytes.length === 0)
    throw new UserError('bad-input', 'the file is empty (0 bytes); copy it again from the camera');
  const image = await openImage(bytes).catch((error: unknown) => {
    if (error instanceof UserError) throw error;
    if (error instanceof Error && error.message.includes('pixel limit'))
      throw new UserError('bad-input', 'too large: more than a thousand megapixels; make it smaller', { cause: error });
    throw new UserError(
      'bad-input',
      'this is not an image in a format that can be read; use JPEG, PNG, WebP, TIFF, AVIF, HEIC, GIF or BMP',
      { cause: error },
    );
  });
  checkSize(image);
  const { thumbnail, score, look, wide } = await reduce(image);
  const id = createHash('sha256').update(bytes).digest('hex');
  // It is in memory now: the run that follows need not develop it again.
  if (isRaw(bytes)) await reducedRaw(id, () => Promise.resolve(image));
  const transparent = await alphaMask(image, path, id);
  const { facts, notes } = readFacts({ exif: image.exif ?? bytes, xmp: image.xmp }, image.width, image.height);
  const photo: Photo = {
    id,
    path,
    name: basename(path),
    width: image.width,
    height: image.height,
    size: bytes.length,
    sharpness: score,
    look,
    ...facts,
  };
  const mask = transparent ?? (await maskBeside(photo));
  return {
    photo: mask ? { ...photo, mask } : photo,
    thumbnail,
    notes: [...image.notes, ...notes],
    ...(wide ? { wide } : {}),
  };
}

function checkSize({ width, height }: OpenImage): void {
  const size = `${width} x ${height} px`;
  if (Math.min(width, height) < SMALLEST_SIDE) {
    throw new UserError('bad-input', `too small (${size}); at least ${SMALLEST_SIDE} px on the short side are needed`);
  }
  if (Math.max(width, height) > WIDEST_RATIO * Math.min(width, height)) {
    throw new UserError(
      'bad-input',
      `a panorama or strip (${size}), which no single lens sees; use the photos it was made from`,
    );
  }
}

async function reduce(
  image: OpenImage,
): Promise<{ thumbnail: Uint8Array; score: number; look: string; wide: Projection | undefined }> {
  try {
    const inside = (side: number) => ({ width: side, height: side, fit: 'inside', withoutEnlargement: true }) as const;
    const { data, info } = await image
      .pixels()
      .resize(inside(SHARPNESS_SIZE))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const thumbnail = await sharp(data, { raw: info }).resize(inside(THUMBNAIL_SIZE)).jpeg({ quality: 82 }).toBuffer();
    const { width, height, xmp } = image;
    // sharp's own greyscale() goes through linear light: 9 ms for such a picture instead of 2, for the same score.
    const grey = luma(data, info.channels);
    return {
      thumbnail,
      score: sharpness(grey, info.width, info.height),
      look: lookOf(grey, info.width, info.height),
      wide: detectWide({ width, height, xmp, reduced: { pixels: data, ...info } }),
    };
  } catch (error) {
    throw new UserError('bad-input', 'the image data is damaged or cut off; copy it again from the camera', {
      cause: error,
    });
  }
}

export interface ImportResult {
  imported: ImportedPhoto[];
  refused: Refusal[];
  /** Photos met that were known before. */
  known: PhotoId[];
}

/**
 * Imports files and folders, a few at a time. One bad photo never stops the others: it comes back in `refused`.
 *
 * @param known photos already in the project, by id: importing them again is refused as a duplicate
 * @param onImported called with photos as soon as they, and all before them, are read: each once, in the order of the
 * result.
 *   When it throws, no further file is read
 */
export async function importPhotos(
  paths: readonly string[],
  known: ReadonlyMap<string, { name: string }> = new Map(),
  onImported: (photos: readonly ImportedPhoto[]) => void = () => undefined,
): Promise<ImportResult> {
  const { files, refused } = await discover(paths);
  const results = new Array<ImportedPhoto | Refusal | undefined>(files.length);
  const collection = new Collection(known, refused);
  let next = 0;
  let settled = 0;
  const read = async (): Promise<void> => {
    for (let k = next++; k < files.length; k = next++) {
      const path = files[k]!;
      results[k] = await importPhoto(path).catch((error: unknown) => {
        if (error instanceof UserError) return { path, reason: error.message };
        throw error;
      });
      const before = collection.imported.length;
      // In order, whichever was read first: names and duplicates must not depend on chance.
      for (; settled < files.length && results[settled] !== undefined; settled++) collection.add(results[settled]!);
      if (collection.imported.length > before) onImported(collection.imported.slice(before));
    }
  };
  const readAll = (): Promise<void> =>
    read().catch((error: unknown) => {
      next = files.length;
      throw error;
    });
  // sharp decodes on its own threads; two files in flight keep them busy without holding many large photos at once.
  await Promise.all([readAll(), readAll()]);
  return { imported: collection.imported, refused: collection.refused, known: collection.met };
}

/** What has been read so far, without duplicates and with names of their own. */
class Collection {
  readonly imported: ImportedPhoto[] = [];
  readonly met: PhotoId[] = [];
  private readonly names: Map<PhotoId, string>;
  private readonly taken: Set<string>;

  constructor(
    private readonly known: ReadonlyMap<string, { name: string }>,
    readonly refused: Refusal[],
  ) {
    this.names = new Map([...known].map(([id, { name }]) => [id, name]));
    this.taken = new Set(this.names.values());
  }

  add(result: ImportedPhoto | Refusal): void {
    if ('reason' in result) {
      this.refused.push(result);
      return;
    }
    const { photo } = result;
    if (this.known.has(photo.id)) this.met.push(photo.id);
    const twin = this.names.get(photo.id);
    if (twin !== undefined) {
      this.refused.push({ path: photo.path, reason: `the same photo as ${twin}; it is used once` });
      return;
    }
    photo.name = uniqueName(photo.name, this.taken);
    this.taken.add(photo.name);
    this.names.set(photo.id, photo.name);
    this.imported.push(result);
  }
}

/** Photos of different folders may share a file name; cameras in exports may not. */
function uniqueName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const dot = name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length;
  for (let k = 2; ; k++) {
    const candidate = `${name.slice(0, dot)}-${k}${name.slice(dot)}`;
    if (!taken.has(candidate)) return candidate;
  }
}

import sharp, { type Sharp } from 'sharp';
import type { PhotoId } from '../geometry/types.js';
import type { OpenImage } from './decode.js';

/*
 * RAW photos that were developed, reduced, in memory: a photo of 24 megapixels takes seconds to develop, and import,
 * features, depth, colours and previews all look at it smaller than this. What is wanted larger is developed again.
 */

/** Long side of what is kept, pixels. */
export const KEPT_SIDE = 2048;
/** Bytes of all that is kept: 30 photos of 3:2. */
const LIMIT = 256 * 2 ** 20;

interface Kept {
  /** Upright size of the whole photo. */
  width: number;
  height: number;
  reduced: { width: number; height: number; pixels: Uint8Array };
}

/** The photo used last comes last. */
const kept = new Map<PhotoId, Kept>();
let bytes = 0;

export interface Reduced {
  width: number;
  height: number;
  /** As OpenImage has it, of the reduced picture. */
  wholePixels(): Sharp;
}

/**
 * A developed photo, reduced to KEPT_SIDE: as it is kept, or developed now. Both are the same to the last bit.
 *
 * @param develop opens the photo
 */
export async function reducedRaw(id: PhotoId, develop: () => Promise<OpenImage>): Promise<Reduced> {
  const found = kept.get(id) ?? (await reduce(await develop()));
  keep(id, found);
  const { width, height, pixels } = found.reduced;
  return {
    width: found.width,
    height: found.height,
    wholePixels: () => sharp(pixels, { raw: { width, height, channels: 3 } }),
  };
}

async function reduce(image: OpenImage): Promise<Kept> {
  const { data, info } = await image
    .wholePixels()
    .resize({ width: KEPT_SIDE, height: KEPT_SIDE, fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { width: image.width, height: image.height, reduced: { width: info.width, height: info.height, pixels } };
}

function keep(id: PhotoId, photo: Kept): void {
  if (kept.delete(id)) bytes -= photo.reduced.pixels.length;
  kept.set(id, photo);
  bytes += photo.reduced.pixels.length;
  for (const [oldest, { reduced }] of kept) {
    if (bytes <= LIMIT || oldest === id) break;
    kept.delete(oldest);
    bytes -= reduced.pixels.length;
  }
}

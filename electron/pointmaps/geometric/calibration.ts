import type { Photo } from '../../geometry/types.js';

/** Candidate focals over the long side: fields of view from 28 to 80 degrees along it, about 8 % apart. */
export const FOCAL_GRID = Array.from({ length: 17 }, (_, k) => 0.6 * (2.0 / 0.6) ** (k / 16));

/** A typical camera, when neither the photos nor the pairs tell. */
export const DEFAULT_FOCAL = 1.0;

/** Photos that share a lens: one camera (or none named) and one size, portrait or landscape. */
export function groupLenses(photos: readonly Photo[]): { lensOf: number[]; known: (number | undefined)[]; sources: (string | undefined)[] } {
  const keys = new Map<string, number>();
  const known: (number | undefined)[] = [];
  const sources: (string | undefined)[] = [];
  const lensOf = photos.map((photo) => {
    const long = Math.max(photo.width, photo.height);
    const short = Math.min(photo.width, photo.height);
    // Zoom lenses: photos of one camera with focals apart are different lenses.
    const focal = photo.focal && photo.focal.source !== 'default' ? photo.focal.pixels / long : undefined;
    const key = `${photo.camera ?? ''}|${long}x${short}|${focal?.toFixed(2) ?? ''}|${photo.focal?.source === 'user'}`;
    let lens = keys.get(key);
    if (lens === undefined) {
      lens = keys.size;
      keys.set(key, lens);
      known.push(focal);
      sources.push(photo.focal?.source);
    }
    return lens;
  });
  return { lensOf, known, sources };
}

/**
 * The focal that lets most correspondences of the set agree with an essential matrix. The peak is only a tenth above its
 * plateau and single pairs mislead, so scores are summed over pairs, each normalised by its own best, and the
 * peak is located by a parabola.
 *
 * @param scores [pair][candidate]
 * @returns focal over the long side, and how far the peak stands out of the mean (0: not at all)
 */
export function peakFocal(scores: readonly (readonly number[])[]): { focal: number; prominence: number } {
  const total = FOCAL_GRID.map((focal, k) => {
    // A weak prior where the pairs say little: 24 to 35 mm equivalents are what people hold in their hands.
    const prior = -0.02 * Math.log(focal / 0.85) ** 2 * scores.length;
    return prior + scores.reduce((sum, row) => sum + row[k]! / Math.max(1e-9, ...row), 0);
  });
  let best = 0;
  total.forEach((value, k) => {
    if (value > total[best]!) best = k;
  });
  const mean = total.reduce((sum, value) => sum + value, 0) / total.length;
  const prominence = scores.length ? (total[best]! - mean) / scores.length : 0;
  const left = total[best - 1];
  const right = total[best + 1];
  let offset = 0;
  if (left !== undefined && right !== undefined) {
    const bend = left - 2 * total[best]! + right;
    if (bend < 0) offset = Math.max(-0.5, Math.min(0.5, (0.5 * (left - right)) / bend));
  }
  return { focal: FOCAL_GRID[best]! * (2.0 / 0.6) ** (offset / 16), prominence };
}

import type { Photo } from '../geometry/types.js';

/** Candidate focals over the long side: fields of view from 28 to 96 degrees along it, about 9 % apart. */
const WIDEST = 0.45;
const NARROWEST = 2;
const STEPS = 17;
export const FOCAL_GRID = Array.from({ length: STEPS + 1 }, (_, k) => WIDEST * (NARROWEST / WIDEST) ** (k / STEPS));

/** A typical camera, when neither the photos nor the pairs tell. */
export const DEFAULT_FOCAL = 1.0;

/** What an estimator may take for granted of a photo's focal, over the long side. */
export function knownFocal(photo: Photo): number | undefined {
  return photo.focal && photo.focal.source !== 'default'
    ? photo.focal.pixels / Math.max(photo.width, photo.height)
    : undefined;
}

/**
 * Photos with the same key share a lens: one camera (or none named) and one size, portrait or landscape. Photos of a
 * zoom with focals apart are different lenses, and so is one whose focal the user typed in.
 */
export function lensKey(photo: Photo): string {
  const sides = [photo.width, photo.height].sort((a, b) => b - a).join('x');
  return `${photo.camera ?? ''}|${sides}|${knownFocal(photo)?.toFixed(2) ?? ''}|${photo.focal?.source === 'user' ? photo.focal.pixels : ''}${photo.known?.lens ? `|${photo.known.lens.k1}|${photo.known.lens.k2}` : ''}`;
}

export interface LensGroup {
  key: string;
  /** Indices of its photos. */
  photos: number[];
  known: number | undefined;
  fromUser: boolean;
}

export function groupLenses(photos: readonly Photo[]): { lensOf: number[]; groups: LensGroup[] } {
  const groups = new Map<string, LensGroup>();
  photos.forEach((photo, index) => {
    const key = lensKey(photo);
    const group = groups.get(key);
    if (group) group.photos.push(index);
    else groups.set(key, { key, photos: [index], known: knownFocal(photo), fromUser: photo.focal?.source === 'user' });
  });
  const all = [...groups.values()];
  return { lensOf: photos.map((photo) => all.findIndex(({ key }) => key === lensKey(photo))), groups: all };
}

/**
 * The focal that lets most correspondences of the set agree with an essential matrix. The peak is only a tenth above
 * its plateau and single pairs mislead, so scores are summed over pairs, each normalised by its own best, and the peak
 * is located by a parabola.
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
  return { focal: FOCAL_GRID[best]! * (NARROWEST / WIDEST) ** (offset / STEPS), prominence };
}

import type { Photo } from '../geometry/types.js';

/**
 * Candidate focals over the long side, from a wide angle of 110 degrees to a long lens of 7, 14 % apart. A structure
 * corrects a focal that is 20 % off by itself.
 */
const WIDEST = 0.35;
const NARROWEST = 8;
const STEPS = 24;
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

/**
 * True where nothing but the size of its picture tells whose lens a photo was taken with: no camera's name, no focal, no
 * video that it is a frame of.
 */
const isNameless = (photo: Photo): boolean =>
  !photo.camera && !photo.frame && !photo.face && !photo.known?.lens && knownFocal(photo) === undefined;

/** Keys that several photos have by nothing but their size: photos of the web were taken by many cameras. */
export function namelessKeys(photos: readonly Photo[]): Set<string> {
  const [once, several] = [new Set<string>(), new Set<string>()];
  for (const key of photos.filter(isNameless).map(lensKey)) (once.has(key) ? several : once).add(key);
  return several;
}

/** @param apart keys of which every photo has a lens of its own */
export function groupLenses(
  photos: readonly Photo[],
  apart: ReadonlySet<string> = new Set(),
): { lensOf: number[]; groups: LensGroup[] } {
  const groups: LensGroup[] = [];
  const numbers = new Map<string, number>();
  const lensOf = photos.map((photo, index) => {
    const shared = lensKey(photo);
    const key = apart.has(shared) ? `${shared}|${photo.id}` : shared;
    const number = numbers.get(key) ?? groups.length;
    if (number === groups.length) {
      numbers.set(key, number);
      groups.push({ key, photos: [], known: knownFocal(photo), fromUser: photo.focal?.source === 'user' });
    }
    groups[number]!.photos.push(index);
    return number;
  });
  return { lensOf, groups };
}

/**
 * Focals that let most correspondences of the set agree with essential matrices: the peaks over the grid, best first.
 * A peak is only a tenth above its plateau and single pairs mislead, so scores are summed over pairs, each normalised by
 * its own best, and each peak is located by a parabola.
 *
 * @param scores [pair][candidate]
 * @returns focals over the long side; none for no pairs
 */
export function peakFocals(scores: readonly (readonly number[])[]): number[] {
  if (scores.length === 0) return [];
  const total = FOCAL_GRID.map((focal, k) => {
    // A weak prior where the pairs say little: 24 to 50 mm equivalents are what people hold in their hands.
    const prior = -0.01 * Math.log(focal / DEFAULT_FOCAL) ** 2 * scores.length;
    return prior + scores.reduce((sum, row) => sum + row[k]! / Math.max(1e-9, ...row), 0);
  });
  const peaks: { focal: number; value: number }[] = [];
  total.forEach((value, k) => {
    const left = total[k - 1] ?? -Infinity;
    const right = total[k + 1] ?? -Infinity;
    if (value < left || value <= right) return;
    const bend = left - 2 * value + right;
    const offset = Number.isFinite(bend) && bend < 0 ? Math.max(-0.5, Math.min(0.5, (0.5 * (left - right)) / bend)) : 0;
    peaks.push({ focal: FOCAL_GRID[k]! * (NARROWEST / WIDEST) ** (offset / STEPS), value });
  });
  return peaks.sort((p, q) => q.value - p.value).map(({ focal }) => focal);
}

import type { Photo } from '../geometry/types.js';
import type { Lens } from './bundle.js';

/** What is known of the pictures of a lens before they are looked at. */
export interface LensPicture {
  /** Name from EXIF, where there is one. */
  camera: string | undefined;
  /** Pixels. */
  long: number;
  short: number;
}

/** How uncertain the turns of cameras to each other are where photos were cut. */
export interface CutSigma {
  /** Those that were cut. */
  photos: number[];
  /** Of the middle pair of cameras, degrees. */
  sigma: number;
}

/** Focals in pixels that differ by no more than this share are one. */
const ONE_FOCAL = 0.03;
/** Nor by more than this share of what a reduced picture's would. */
const SURELY = 0.25;

export function lensPictures(photos: readonly Photo[], lensOf: readonly number[], count: number): LensPicture[] {
  return Array.from({ length: count }, (_, lens) => {
    const photo = photos[lensOf.indexOf(lens)];
    const [short, long] = [photo?.width ?? 0, photo?.height ?? 0].sort((a, b) => a - b) as [number, number];
    return { camera: photo?.camera, long, short };
  });
}

/**
 * Lenses whose photos were cut out of photos of another lens of the set: smaller on both sides, but with the same focal in
 * pixels, which a reduced picture has not. What was cut away at one side alone (16:9 of 4:3) is so by the camera as a rule,
 * round the middle, and is not meant.
 *
 * @returns per lens that was cut, the lens that it was cut from
 */
export function cutLenses(lenses: readonly Lens[], pictures: readonly LensPicture[]): Map<number, number> {
  const cut = new Map<number, number>();
  pictures.forEach((own, k) => {
    const [lens, prior] = [lenses[k]!, lenses[k]!.prior];
    if (prior && prior.sigma < 1e-3) return;
    const whole = pictures.findIndex((other, j) => {
      if (j === k || own.camera !== other.camera || !(own.long < other.long && own.short < other.short)) return false;
      const most = Math.min(ONE_FOCAL, SURELY * Math.log(other.long / own.long));
      const isOne = (p: number, q: number) => Math.abs(Math.log((p * own.long) / (q * other.long))) < most;
      // As they came out, or as they were beforehand: the focal of few photos takes what their middle is off.
      const before = lenses[j]!.prior;
      return isOne(lens.focal, lenses[j]!.focal) || (prior && before && isOne(prior.focal, before.focal));
    });
    if (whole >= 0) cut.set(k, whole);
  });
  return cut;
}

import { solveCholesky } from '../numerics/linear.js';
import { median } from '../numerics/median.js';
import type { FisheyeTerms } from '../geometry/sparse-model.js';
import type { Lens, PlacedCamera } from './bundle.js';
import { fitLens, inCamera, offsets, type LensModel, type LensProblem } from './lens-fit.js';
import type { Piece, StructurePoint } from './structure.js';

export interface FisheyeOptions {
  /** Least photos of the lens in one piece, and least points that they see. */
  leastPhotos: number;
  leastPoints: number;
  /** Photos and points that are asked; more tell no more. */
  mostPhotos: number;
  mostPoints: number;
  /** Degrees off the axis at which a twentieth of what is seen must lie: nearer to it the models differ by nothing. */
  leastAngle: number;
  /** By so much, at least, a fisheye's model must lower the error of the usual one. */
  gain: number;
}

export const FISHEYE_DEFAULTS: FisheyeOptions = {
  leastPhotos: 4,
  leastPoints: 100,
  mostPhotos: 16,
  mostPoints: 1000,
  leastAngle: 32,
  gain: 0.1,
};

/** Standard deviations of a lens' terms round its simplest form, and of its principal point round the middle. */
const TERM_SIGMA = 0.1;
const CENTRE_SIGMAS = [0.02, 0.02];

/** Focal, k1, k2, principal point: SIMPLE as the structure has it. */
const usualModel: LensModel = (x, y, z, terms, at) => {
  if (!(z > 1e-6)) return false;
  const [u, v] = [x / z, y / z];
  const square = u * u + v * v;
  const factor = terms[0]! * (1 + square * (terms[1]! + square * terms[2]!));
  at[0] = factor * u + terms[3]!;
  at[1] = factor * v + terms[4]!;
  return true;
};

/** Focal, k1, k2, principal point: Kannala and Brandt, "A generic camera model and calibration method", PAMI 2006. */
const fisheyeModel: LensModel = (x, y, z, terms, at) => {
  const across = Math.hypot(x, y);
  const angle = Math.atan2(across, z);
  const square = angle * angle;
  const radius = terms[0]! * angle * (1 + square * (terms[1]! + square * terms[2]!));
  const factor = across > 1e-12 ? radius / across : 0;
  at[0] = factor * x + terms[3]!;
  at[1] = factor * y + terms[4]!;
  return angle < 2;
};

/**
 * Whether the photos of a lens are a fisheye's: what its photos see of a finished structure is explained better by rays
 * whose angle grows with the radius than by a flat picture that two radial terms bend. Such a picture can't be told by
 * those terms: at 120 degrees across, cameras were 0.7 degrees off and a third of the depths wrong.
 *
 * @param position of a feature, long sides relative to the photo's centre
 * @returns undefined where the usual model does as well, or the photos say too little
 */
export function fisheyeOf(
  { cameras, points }: Pick<Piece, 'cameras' | 'points'>,
  lens: number,
  { focal, k1, k2 = 0, cx = 0, cy = 0 }: Lens,
  position: (photo: number, feature: number) => readonly [number, number],
  options: FisheyeOptions = FISHEYE_DEFAULTS,
): FisheyeTerms | undefined {
  const problem = problemOf(cameras, points, lens, position, options);
  if (!problem) return undefined;
  const seen = sightsOf(problem);
  const aside = seen.map(({ angle }) => angle).sort((p, q) => p - q)[Math.floor(0.95 * seen.length)]!;
  if (aside < (options.leastAngle * Math.PI) / 180) return undefined;
  const start = startOf(seen);
  if (!start) return undefined;
  const fisheye = fitLens(problem, fisheyeModel, start, [Infinity, TERM_SIGMA, TERM_SIGMA, ...CENTRE_SIGMAS]);
  const isBetterThan = (off: readonly number[]): boolean => spread(fisheye.off) < (1 - options.gain) * spread(off);
  // As the structure left it, and at its best: the second takes as long as all the rest.
  const terms = [focal, k1, k2, cx, cy];
  if (!isBetterThan(offsets(problem, usualModel, terms))) return undefined;
  const sigmas = [Infinity, Infinity, Infinity, ...CENTRE_SIGMAS];
  if (!isBetterThan(fitLens(problem, usualModel, terms, sigmas).off)) return undefined;
  const [f, t1, t2, x, y] = fisheye.terms as unknown as [number, number, number, number, number];
  return f > 0.1 && Math.max(Math.abs(t1), Math.abs(t2)) < 3 * TERM_SIGMA
    ? { focal: f, k1: t1, k2: t2, cx: x, cy: y }
    : undefined;
}

/** Root of the mean square of all but the worst tenth. @param off sorted */
function spread(off: readonly number[]): number {
  const kept = off.slice(0, Math.ceil(0.9 * off.length));
  return Math.sqrt(kept.reduce((sum, value) => sum + value * value, 0) / Math.max(1, kept.length));
}

/** The photos that see most, and the points that most of them see. */
function problemOf(
  cameras: ReadonlyMap<number, PlacedCamera>,
  points: readonly StructurePoint[],
  lens: number,
  position: (photo: number, feature: number) => readonly [number, number],
  { leastPhotos, leastPoints, mostPhotos, mostPoints }: FisheyeOptions,
): LensProblem | undefined {
  const sights = new Map<number, number>();
  for (const { photos } of points)
    for (const photo of photos) if (cameras.get(photo)!.lens === lens) sights.set(photo, (sights.get(photo) ?? 0) + 1);
  if (sights.size < leastPhotos) return undefined;
  const chosen = [...sights].sort((p, q) => q[1] - p[1]).slice(0, mostPhotos);
  const index = new Map(chosen.map(([photo], k) => [photo, k]));
  const seenBy = (point: StructurePoint): number => point.photos.filter((photo) => index.has(photo)).length;
  const told = points
    .map((each) => ({ each, count: seenBy(each) }))
    .filter(({ count }) => count >= 2)
    .sort((p, q) => q.count - p.count)
    .slice(0, mostPoints);
  if (told.length < leastPoints) return undefined;
  const problem: LensProblem = {
    cameras: chosen.map(([photo]) => cameras.get(photo)!),
    points: told.map(({ each }) => each.position),
    ...{ camera: [], point: [], seen: [] },
  };
  told.forEach(({ each: { photos, features } }, at) => {
    photos.forEach((photo, s) => {
      const camera = index.get(photo);
      if (camera === undefined) return;
      problem.camera.push(camera);
      problem.point.push(at);
      problem.seen.push(...position(photo, features[s]!));
    });
  });
  return problem;
}

/** Of each sighting, the angle of the point to the axis, and how far from the middle it is seen. */
function sightsOf({ cameras, points, camera, point, seen }: LensProblem): { angle: number; radius: number }[] {
  return camera.map((index, s) => {
    const [x, y, z] = inCamera(cameras[index]!, points[point[s]!]!);
    return { angle: Math.atan2(Math.hypot(x, y), z), radius: Math.hypot(seen[2 * s]!, seen[2 * s + 1]!) };
  });
}

/** Focal and two terms that explain the radii by the angles, least squares; what is far off is left out the second time. */
function startOf(seen: readonly { angle: number; radius: number }[]): number[] | undefined {
  let used = seen;
  let terms: Float64Array | undefined;
  for (let round = 0; round < 2; round++) {
    const matrix = new Float64Array(9);
    const right = new Float64Array(3);
    for (const { angle, radius } of used) {
      const row = [angle, angle ** 3, angle ** 5];
      for (let k = 0; k < 3; k++) {
        right[k]! += row[k]! * radius;
        for (let l = 0; l < 3; l++) matrix[3 * k + l]! += row[k]! * row[l]!;
      }
    }
    if (!solveCholesky(matrix, right, 3)) return undefined;
    terms = right;
    const off = ({ angle, radius }: { angle: number; radius: number }): number =>
      Math.abs(radius - angle * (right[0]! + right[1]! * angle ** 2 + right[2]! * angle ** 4));
    const usual = median(seen.map(off))!;
    used = seen.filter((each) => off(each) <= 5 * usual);
  }
  const [focal, k1, k2] = terms! as unknown as [number, number, number];
  return [focal, k1 / focal, k2 / focal, 0, 0];
}

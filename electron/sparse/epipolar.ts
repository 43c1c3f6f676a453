import { randomNumbers } from '../numerics/linear.js';
import { chanceOfLine, evidence } from './evidence.js';
import { columnsOf, scorer } from './scores.js';
import { eightPoint, fourPoint, planeAndTwo, sevenPoint } from './solvers/fundamental.js';

/** What two photos have in common before anything is known of their lenses. */
export interface EpipolarFit {
  /** One flag per correspondence. */
  inliers: Uint8Array;
  inlierCount: number;
  /** How little chance explains it (evidence.ts). */
  evidence: number;
  /** Share of the inliers that one plane, or a rotation, explains. */
  planarShare: number;
}

export interface FitOptions {
  /** Largest distance of an inlier, in the unit of the positions. */
  limit: number;
  /** At most this many random samples of each kind. */
  hypotheses: number;
  seed: number;
}

/** Squared Sampson distance of correspondence k to x2' F x1 = 0 (Hartley and Zisserman, eq. 11.9). */
export function sampson(e: ArrayLike<number>, x1: Float64Array, x2: Float64Array, k: number): number {
  const a = x1[2 * k]!;
  const b = x1[2 * k + 1]!;
  const c = x2[2 * k]!;
  const d = x2[2 * k + 1]!;
  const l0 = e[0]! * a + e[1]! * b + e[2]!;
  const l1 = e[3]! * a + e[4]! * b + e[5]!;
  const l2 = e[6]! * a + e[7]! * b + e[8]!;
  const m0 = e[0]! * c + e[3]! * d + e[6]!;
  const m1 = e[1]! * c + e[4]! * d + e[7]!;
  const r = c * l0 + d * l1 + l2;
  return (r * r) / (l0 * l0 + l1 * l1 + m0 * m0 + m1 * m1 + 1e-30);
}

/**
 * Draws samples of a size; the first half of them from a prefix that grows, because correspondences come with the most
 * distinctive first (Chum and Matas, "PROSAC", CVPR 2005).
 */
export function sampler(n: number, size: number, hypotheses: number, seed: number) {
  const random = randomNumbers(seed);
  const sample = new Uint32Array(size);
  return (attempt: number): Uint32Array => {
    const grown = Math.ceil(n * Math.min(1, 0.1 + (2 * attempt) / hypotheses));
    const pool = attempt % 2 ? n : Math.max(Math.min(n, 3 * size), grown);
    for (let i = 0; i < size; i++) {
      let index: number;
      do index = Math.floor(random() * pool);
      while (sample.subarray(0, i).includes(index));
      sample[i] = index;
    }
    return sample;
  };
}

/** Samples after which a better model would have been met with a probability of 99.9 %. */
export function enough(share: number, size: number): number {
  const hit = share ** size;
  return hit > 0.999 ? 1 : Math.log(0.001) / Math.log(1 - hit);
}

/** The plane that most correspondences agree with. */
function fitPlane(x1: Float64Array, x2: Float64Array, columns: Float64Array[], options: FitOptions) {
  const n = x1.length / 2;
  const score = scorer('homography', columns, options.limit);
  const draw = sampler(n, 4, options.hypotheses, options.seed);
  let best: { H: Float64Array; score: number } | undefined;
  let needed = options.hypotheses;
  for (let attempt = 0; attempt < needed; attempt++) {
    const H = fourPoint(x1, x2, draw(attempt));
    const value = H ? score(H) : 0;
    if (!H || value <= (best?.score ?? 0)) continue;
    best = { H, score: value };
    needed = Math.min(options.hypotheses, Math.max(30, 2 * enough(value / n, 4)));
  }
  return best;
}

function planeErrors(H: Float64Array, x1: Float64Array, x2: Float64Array): Float64Array {
  return Float64Array.from({ length: x1.length / 2 }, (_, k) => {
    const [a, b] = [x1[2 * k]!, x1[2 * k + 1]!];
    const w = H[6]! * a + H[7]! * b + H[8]!;
    const dx = (H[0]! * a + H[1]! * b + H[2]!) / w - x2[2 * k]!;
    const dy = (H[3]! * a + H[4]! * b + H[5]!) / w - x2[2 * k + 1]!;
    return Math.sqrt(dx * dx + dy * dy);
  });
}

/** Re-weighted eight-point solutions from a start, as long as they are better. */
function polish(
  start: Float64Array,
  x1: Float64Array,
  x2: Float64Array,
  limit: number,
  score: (F: Float64Array) => number,
) {
  let best = { F: start, score: score(start) };
  const weights = new Float64Array(x1.length / 2);
  for (const scale of [1.5, 1, 1]) {
    const { F } = best;
    const inverse = 1 / (limit * scale) ** 2;
    for (let k = 0; k < weights.length; k++) {
      const left = 1 - sampson(F, x1, x2, k) * inverse;
      weights[k] = left > 0 ? left * left : 0;
    }
    const next = eightPoint(x1, x2, weights);
    const value = next ? score(next) : 0;
    if (!next || value <= best.score) break;
    best = { F: next, score: value };
  }
  return best;
}

/**
 * Which correspondences of two photos agree with one epipolar geometry, whatever the lenses: samples of seven, and, as
 * planes are frequent and leave those undetermined, a plane with two points off it. Locally optimised (Lebeda, Matas and
 * Chum, BMVC 2012).
 *
 * @param x1, x2 [n, 2], the most distinctive first
 * @returns undefined with fewer than 8 correspondences
 */
export function fitEpipolar(x1: Float64Array, x2: Float64Array, options: FitOptions): EpipolarFit | undefined {
  const n = x1.length / 2;
  if (n < 8) return undefined;
  const columns = columnsOf(x1, x2);
  const plane = fitPlane(x1, x2, columns, options);
  const off = plane ? planeErrors(plane.H, x1, x2) : new Float64Array(n);
  const score = scorer('epipolar', columns, options.limit);
  let best: { F: Float64Array; score: number } | undefined;
  const consider = (F: Float64Array): boolean => {
    const value = score(F);
    if (value <= (best?.score ?? 0)) return false;
    best = polish(F, x1, x2, options.limit, score);
    return true;
  };
  if (plane) {
    const away = Array.from({ length: n }, (_, k) => k).filter((k) => off[k]! > 1.5 * options.limit);
    const attempts = away.length < 2 ? 0 : Math.min(options.hypotheses / 4, (away.length * (away.length - 1)) / 2);
    const draw = sampler(away.length, 2, attempts, options.seed + 1);
    for (let attempt = 0; attempt < attempts; attempt++) {
      const [i, j] = draw(attempt) as unknown as [number, number];
      const F = planeAndTwo(plane.H, x1, x2, away[i]!, away[j]!);
      if (F) consider(F);
    }
  }
  const draw = sampler(n, 7, options.hypotheses, options.seed + 2);
  let needed = Math.min(options.hypotheses, best ? Math.max(20, 2 * enough(best.score / n, 7)) : Infinity);
  for (let attempt = 0; attempt < needed; attempt++) {
    for (const F of sevenPoint(x1, x2, draw(attempt)))
      if (consider(F)) needed = Math.min(options.hypotheses, Math.max(20, 2 * enough(best!.score / n, 7)));
  }
  return best && describe(best.F, x1, x2, off, options.limit);
}

function describe(F: Float64Array, x1: Float64Array, x2: Float64Array, off: Float64Array, limit: number): EpipolarFit {
  const n = x1.length / 2;
  const inliers = new Uint8Array(n);
  const errors = new Float64Array(n);
  let [count, planar] = [0, 0];
  for (let k = 0; k < n; k++) {
    errors[k] = Math.sqrt(sampson(F, x1, x2, k));
    if (errors[k]! >= limit) continue;
    inliers[k] = 1;
    count++;
    if (off[k]! < limit) planar++;
  }
  return {
    inliers,
    inlierCount: count,
    evidence: evidence(errors, limit, chanceOfLine, 7),
    planarShare: count ? planar / count : 1,
  };
}

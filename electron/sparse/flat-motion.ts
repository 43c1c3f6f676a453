import { randomNumbers } from '../numerics/linear.js';

/** A turn, scale and shift of the picture: (x, y) -> (a x - b y + u, b x + a y + v), in long sides. */
export interface FlatMotion {
  a: number;
  b: number;
  u: number;
  v: number;
  /** Indices of the matches that move so. */
  inliers: number[];
}

export interface FlatMotionOptions {
  /** Largest distance from the motion, long sides. */
  limit: number;
  /** Largest turn, radians, and change of scale: a camera that stands still, or nearly so, hardly turns. */
  mostTurn: number;
  mostScale: number;
  leastInliers: number;
  hypotheses: number;
}

export const FLAT_MOTION_DEFAULTS: FlatMotionOptions = {
  limit: 6 / 1600,
  mostTurn: 0.12,
  mostScale: 1.15,
  leastInliers: 12,
  hypotheses: 500,
};

/**
 * How most of what two photos have in common moves as one flat picture: samples of two matches, the best of them fitted
 * again to all that agree.
 *
 * @param from, to positions [n, 2] of matched features, long sides relative to the centres
 * @returns undefined where too few move as one
 */
export function flatMotion(
  from: Float64Array,
  to: Float64Array,
  options: FlatMotionOptions = FLAT_MOTION_DEFAULTS,
): FlatMotion | undefined {
  const n = from.length / 2;
  if (n < options.leastInliers) return undefined;
  const all = Array.from({ length: n }, (_, k) => k);
  const agreeing = (motion: Omit<FlatMotion, 'inliers'>, limit: number): number[] =>
    all.filter((k) => distance(motion, from, to, k) < limit);
  const random = randomNumbers(n);
  let best: FlatMotion | undefined;
  for (let attempt = 0; attempt < options.hypotheses; attempt++) {
    const sample = [Math.floor(random() * n), Math.floor(random() * n)];
    const motion = fit(from, to, sample);
    if (!motion || !isSmall(motion, options)) continue;
    const inliers = agreeing(motion, options.limit);
    if (inliers.length > (best?.inliers.length ?? 0)) best = { ...motion, inliers };
  }
  for (let pass = 0; pass < 3 && best; pass++) {
    const motion = fit(from, to, best.inliers);
    if (!motion) break;
    best = { ...motion, inliers: agreeing(motion, options.limit) };
  }
  return best && best.inliers.length >= options.leastInliers ? best : undefined;
}

function isSmall({ a, b }: Pick<FlatMotion, 'a' | 'b'>, { mostTurn, mostScale }: FlatMotionOptions): boolean {
  const scale = Math.hypot(a, b);
  return Math.abs(Math.atan2(b, a)) < mostTurn && scale < mostScale && scale > 1 / mostScale;
}

function distance(
  { a, b, u, v }: Omit<FlatMotion, 'inliers'>,
  from: Float64Array,
  to: Float64Array,
  k: number,
): number {
  const [x, y] = [from[2 * k]!, from[2 * k + 1]!];
  return Math.hypot(a * x - b * y + u - to[2 * k]!, b * x + a * y + v - to[2 * k + 1]!);
}

/** Least squares over some matches; undefined when they lie in one place. */
function fit(from: Float64Array, to: Float64Array, which: readonly number[]): Omit<FlatMotion, 'inliers'> | undefined {
  const mean = (of: Float64Array, axis: number): number =>
    which.reduce((sum, k) => sum + of[2 * k + axis]!, 0) / which.length;
  const [mx, my, nx, ny] = [mean(from, 0), mean(from, 1), mean(to, 0), mean(to, 1)];
  let [square, along, across] = [0, 0, 0];
  for (const k of which) {
    const [x, y, p, q] = [from[2 * k]! - mx, from[2 * k + 1]! - my, to[2 * k]! - nx, to[2 * k + 1]! - ny];
    square += x * x + y * y;
    along += x * p + y * q;
    across += x * q - y * p;
  }
  if (!(square > 1e-4)) return undefined;
  const [a, b] = [along / square, across / square];
  return { a, b, u: nx - a * mx + b * my, v: ny - b * mx - a * my };
}

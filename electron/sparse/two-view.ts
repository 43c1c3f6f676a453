import { multiply3, rotationAngle, rotationFromVector, solveCholesky } from '../numerics/linear.js';
import { enough, sampler, sampson } from './epipolar.js';
import { chanceOfLine, evidence } from './evidence.js';
import { columnsOf, scorer } from './scores.js';
import { fivePoint } from './solvers/five-point.js';

/** How one camera sees the other: x2 ~ R x1 + t, |t| = 1. */
export interface RelativePose {
  rotation: Float64Array;
  translation: Float64Array;
}

export interface TwoViewResult extends RelativePose {
  /** One flag per correspondence. */
  inliers: Uint8Array;
  inlierCount: number;
  /** Soft number of agreeing correspondences (scores.ts). */
  score: number;
  /** How little chance explains it (evidence.ts). */
  evidence: number;
  /** Share of the inliers that a rotation alone explains. */
  rotationShare: number;
  /** Median angle between the two rays of an inlier, degrees. */
  parallax: number;
}

/** [t]x R. */
export function essential(rotation: Float64Array, t: ArrayLike<number>): Float64Array {
  return multiply3([0, -t[2]!, t[1]!, t[2]!, 0, -t[0]!, -t[1]!, t[0]!, 0], rotation);
}

/** Two unit vectors orthogonal to t and to each other. */
function tangents(t: ArrayLike<number>): [number[], number[]] {
  const axis = Math.abs(t[0]!) < 0.6 ? [1, 0, 0] : [0, 1, 0];
  const u = [
    t[1]! * axis[2]! - t[2]! * axis[1]!,
    t[2]! * axis[0]! - t[0]! * axis[2]!,
    t[0]! * axis[1]! - t[1]! * axis[0]!,
  ];
  const length = Math.hypot(...u);
  const b = u.map((value) => value / length);
  return [b, [t[1]! * b[2]! - t[2]! * b[1]!, t[2]! * b[0]! - t[0]! * b[2]!, t[0]! * b[1]! - t[1]! * b[0]!]];
}

/**
 * One Gauss-Newton step on the five degrees of freedom of an essential matrix (rotation, direction of translation),
 * over the Sampson residuals of the chosen correspondences, Cauchy-weighted with `scale` (0: unweighted algebraic, for
 * minimal sets).
 *
 * @returns the squared length of the step, or Infinity when the system is singular
 */
function gaussNewtonStep(
  pose: RelativePose,
  x1: Float64Array,
  x2: Float64Array,
  chosen: ArrayLike<number>,
  scale: number,
): number {
  const { rotation: R, translation: t } = pose;
  const [b1, b2] = tangents(t);
  const E = essential(R, t);
  const H = new Float64Array(25);
  const g = new Float64Array(5);
  const J = new Float64Array(5);
  const s2 = scale * scale;
  for (let n = 0; n < chosen.length; n++) {
    const k = chosen[n]!;
    const a = x1[2 * k]!;
    const b = x1[2 * k + 1]!;
    const p0 = x2[2 * k]!;
    const p1 = x2[2 * k + 1]!;
    // y = R x1; residual r = p . (t x y)
    const y0 = R[0]! * a + R[1]! * b + R[2]!;
    const y1 = R[3]! * a + R[4]! * b + R[5]!;
    const y2 = R[6]! * a + R[7]! * b + R[8]!;
    // y x p: r = t . (y x p)
    const c0 = y1 - y2 * p1;
    const c1 = y2 * p0 - y0;
    const c2 = y0 * p1 - y1 * p0;
    const r = t[0]! * c0 + t[1]! * c1 + t[2]! * c2;
    const m0 = E[0]! * p0 + E[3]! * p1 + E[6]!;
    const m1 = E[1]! * p0 + E[4]! * p1 + E[7]!;
    const l0 = E[0]! * a + E[1]! * b + E[2]!;
    const l1 = E[3]! * a + E[4]! * b + E[5]!;
    const norm = l0 * l0 + l1 * l1 + m0 * m0 + m1 * m1 + 1e-18;
    const weight = scale > 0 ? 1 / (norm * (1 + (r * r) / (norm * s2))) : 1 / norm;
    // d r / d w for R <- exp(w) R: p . (t x (w x y)) = w . (y x (p x t))
    const q0 = p1 * t[2]! - t[1]!;
    const q1 = t[0]! - p0 * t[2]!;
    const q2 = p0 * t[1]! - p1 * t[0]!;
    J[0] = y1 * q2 - y2 * q1;
    J[1] = y2 * q0 - y0 * q2;
    J[2] = y0 * q1 - y1 * q0;
    J[3] = b1[0]! * c0 + b1[1]! * c1 + b1[2]! * c2;
    J[4] = b2[0]! * c0 + b2[1]! * c1 + b2[2]! * c2;
    for (let i = 0; i < 5; i++) {
      const wi = weight * J[i]!;
      g[i] = g[i]! - wi * r;
      for (let j = 0; j <= i; j++) H[5 * i + j] = H[5 * i + j]! + wi * J[j]!;
    }
  }
  for (let i = 0; i < 5; i++) H[6 * i] = H[6 * i]! * (1 + 1e-9) + 1e-12;
  if (!solveCholesky(H, g, 5)) return Infinity;
  const size = g[0]! ** 2 + g[1]! ** 2 + g[2]! ** 2 + g[3]! ** 2 + g[4]! ** 2;
  // Far from the solution the linearisation is good for about a radian.
  const shrink = size > 0.5 ? Math.sqrt(0.5 / size) : 1;
  pose.rotation = multiply3(rotationFromVector(g[0]! * shrink, g[1]! * shrink, g[2]! * shrink), R);
  const moved = [0, 1, 2].map((i) => t[i]! + shrink * (g[3]! * b1[i]! + g[4]! * b2[i]!));
  const length = Math.hypot(...moved);
  pose.translation = Float64Array.from(moved, (value) => value / length);
  return size;
}

/** Share of correspondences in front of both cameras, for the sign of t; x2 ~ R x1 + t. */
function inFront(pose: RelativePose, x1: Float64Array, x2: Float64Array, chosen: ArrayLike<number>): number {
  const { rotation: R, translation: t } = pose;
  let front = 0;
  for (let n = 0; n < chosen.length; n++) {
    const k = chosen[n]!;
    const [z1, z2] = depths(R, t, x1[2 * k]!, x1[2 * k + 1]!, x2[2 * k]!, x2[2 * k + 1]!);
    if (z1 > 0 && z2 > 0) front++;
  }
  return chosen.length ? front / chosen.length : 0;
}

/** Depths along z in both cameras, least squares of z2 p = z1 R x + t. */
export function depths(
  R: ArrayLike<number>,
  t: ArrayLike<number>,
  a: number,
  b: number,
  c: number,
  d: number,
): [number, number] {
  const y0 = R[0]! * a + R[1]! * b + R[2]!;
  const y1 = R[3]! * a + R[4]! * b + R[5]!;
  const y2 = R[6]! * a + R[7]! * b + R[8]!;
  const yy = y0 * y0 + y1 * y1 + y2 * y2;
  const pp = c * c + d * d + 1;
  const yp = y0 * c + y1 * d + y2;
  const yt = y0 * t[0]! + y1 * t[1]! + y2 * t[2]!;
  const pt = c * t[0]! + d * t[1]! + t[2]!;
  const determinant = yy * pp - yp * yp + 1e-18;
  return [(yp * pt - pp * yt) / determinant, (yy * pt - yp * yt) / determinant];
}

export interface TwoViewOptions {
  /** Largest distance of an inlier, normalised coordinates (pixels over focal). */
  threshold: number;
  /** At most this many samples. */
  hypotheses: number;
  seed: number;
  /**
   * Side of a square as large as the picture, normalised coordinates: what `evidence` measures distances with. 1 when
   * not given.
   */
  extent?: number | undefined;
  /** So many of the first correspondences hold more probably: samples of those come first. */
  likely?: number | undefined;
  /** A pose to begin with. */
  start?: RelativePose | undefined;
}

/** Rotation and direction of translation of an essential matrix; one of the four poses that share it. */
function decompose(E: Float64Array): RelativePose {
  // The left null vector is the translation: the largest cross product of two columns.
  let t = [0, 0, 0];
  for (const [p, q] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const c = [
      E[3 + p]! * E[6 + q]! - E[6 + p]! * E[3 + q]!,
      E[6 + p]! * E[q]! - E[p]! * E[6 + q]!,
      E[p]! * E[3 + q]! - E[3 + p]! * E[q]!,
    ];
    if (c[0]! ** 2 + c[1]! ** 2 + c[2]! ** 2 > t[0]! ** 2 + t[1]! ** 2 + t[2]! ** 2) t = c;
  }
  const length = Math.hypot(t[0]!, t[1]!, t[2]!) || 1;
  t = t.map((value) => value / length);
  // R = cofactors(E) - [t]x E, for |t| = 1 and E = [t]x R up to scale (Horn, "Recovering baseline and orientation", 1990).
  let scale = 0;
  for (const value of E) scale += value * value;
  scale = Math.sqrt(2 / scale);
  const e = E.map((value) => value * scale);
  const cofactors = Float64Array.of(
    e[4]! * e[8]! - e[5]! * e[7]!,
    e[5]! * e[6]! - e[3]! * e[8]!,
    e[3]! * e[7]! - e[4]! * e[6]!,
    e[2]! * e[7]! - e[1]! * e[8]!,
    e[0]! * e[8]! - e[2]! * e[6]!,
    e[1]! * e[6]! - e[0]! * e[7]!,
    e[1]! * e[5]! - e[2]! * e[4]!,
    e[2]! * e[3]! - e[0]! * e[5]!,
    e[0]! * e[4]! - e[1]! * e[3]!,
  );
  const crossed = multiply3([0, -t[2]!, t[1]!, t[2]!, 0, -t[0]!, -t[1]!, t[0]!, 0], e);
  return { rotation: cofactors.map((value, k) => value - crossed[k]!), translation: Float64Array.from(t) };
}

/**
 * Relative pose of two calibrated views from correspondences in normalised coordinates [n, 2], the most distinctive
 * first: five-point samples, locally optimised by a few robust Gauss-Newton steps on all correspondences (Lebeda, Matas
 * and Chum, "Fixing the locally optimized RANSAC", BMVC 2012), under a score whose threshold need not be exact.
 *
 * @returns undefined with fewer than 8 correspondences or when no sample could be solved
 */
export function relativePose(x1: Float64Array, x2: Float64Array, options: TwoViewOptions): TwoViewResult | undefined {
  const n = x1.length / 2;
  if (n < 8) return undefined;
  const everything = Uint32Array.from({ length: n }, (_, k) => k);
  const score = scorer('epipolar', columnsOf(x1, x2), options.threshold);
  const scoreOf = (pose: RelativePose) => score(essential(pose.rotation, pose.translation));
  let best: { pose: RelativePose; score: number } | undefined;
  const refine = (pose: RelativePose, scales: readonly number[]): void => {
    const moved = { ...pose };
    for (const scale of scales) gaussNewtonStep(moved, x1, x2, everything, scale * options.threshold);
    const value = scoreOf(moved);
    if (!best || value > best.score) best = { pose: moved, score: value };
  };
  const sampleFrom = (count: number, seed: number): void => {
    const draw = sampler(count, 5, options.hypotheses, seed);
    const enoughOf = (score: number) => Math.max(15, 2 * enough(Math.min(1, score / count), 5));
    let needed = Math.min(options.hypotheses, best ? enoughOf(best.score) : Infinity);
    for (let attempt = 0; attempt < needed; attempt++) {
      for (const E of fivePoint(x1, x2, draw(attempt))) {
        const value = score(E);
        // A sample a little worse than the best may lead further once refined.
        if (value <= 0.9 * (best?.score ?? 0)) continue;
        const pose = decompose(E);
        if (!best || value > best.score) best = { pose, score: value };
        refine(pose, [1, 0.7, 0.5]);
        needed = Math.min(options.hypotheses, enoughOf(best!.score));
      }
    }
  };
  if (options.start) refine(options.start, [1, 0.7, 0.5, 0.5]);
  const likely = options.likely ?? n;
  if (likely >= 8 && likely < n) sampleFrom(likely, options.seed + 1);
  sampleFrom(n, options.seed);
  if (!best) return undefined;
  refine(best.pose, [0.5, 0.4, 0.3, 0.3]);
  return finish(best.pose, best.score, x1, x2, options);
}

/** Sign of the translation, inliers in front of both cameras, and how much a rotation alone would explain. */
function finish(
  pose: RelativePose,
  score: number,
  x1: Float64Array,
  x2: Float64Array,
  { threshold, extent = 1 }: TwoViewOptions,
): TwoViewResult {
  const n = x1.length / 2;
  const E = essential(pose.rotation, pose.translation);
  const errors = Float64Array.from({ length: n }, (_, k) => Math.sqrt(sampson(E, x1, x2, k)));
  const near: number[] = [];
  for (let k = 0; k < n; k++) if (errors[k]! < threshold) near.push(k);
  // Four poses share one essential matrix: t and -t, and R turned by half a turn about t.
  const t = pose.translation;
  const halfTurn = Float64Array.from(
    { length: 9 },
    (_, i) => 2 * t[Math.floor(i / 3)]! * t[i % 3]! - (i % 4 === 0 ? 1 : 0),
  );
  const turned = multiply3(halfTurn, pose.rotation);
  const minus = t.map((value) => -value);
  const candidates = [pose.rotation, turned].flatMap((rotation) =>
    [t, minus].map((translation) => ({ rotation, translation })),
  );
  const chosen = candidates.reduce((a, b) => (inFront(b, x1, x2, near) > inFront(a, x1, x2, near) ? b : a));
  const inliers = new Uint8Array(n);
  const angles: number[] = [];
  let rotationOnly = 0;
  const R = chosen.rotation;
  for (const k of near) {
    const [a, b, c, d] = [x1[2 * k]!, x1[2 * k + 1]!, x2[2 * k]!, x2[2 * k + 1]!];
    const [z1, z2] = depths(R, chosen.translation, a, b, c, d);
    const y = [0, 1, 2].map((i) => R[3 * i]! * a + R[3 * i + 1]! * b + R[3 * i + 2]!);
    const still = y[2]! > 0 && Math.hypot(y[0]! / y[2]! - c, y[1]! / y[2]! - d) < 1.5 * threshold;
    if (still) rotationOnly++;
    if (!(z1 > 0 && z2 > 0) && !still) {
      errors[k] = Infinity;
      continue;
    }
    inliers[k] = 1;
    const cosine = (y[0]! * c + y[1]! * d + y[2]!) / (Math.hypot(...y) * Math.hypot(c, d, 1));
    angles.push((Math.acos(Math.min(1, cosine)) * 180) / Math.PI);
  }
  angles.sort((p, q) => p - q);
  const count = angles.length;
  return {
    ...chosen,
    inliers,
    inlierCount: count,
    score,
    evidence: evidence(errors, threshold, (error) => chanceOfLine(error / extent), 5),
    rotationShare: count ? rotationOnly / count : 1,
    parallax: angles[count >> 1] ?? 0,
  };
}

/** Angle between two rotations, degrees. */
export function rotationDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const transposed = [a[0]!, a[3]!, a[6]!, a[1]!, a[4]!, a[7]!, a[2]!, a[5]!, a[8]!];
  return (rotationAngle(multiply3(transposed, b)) * 180) / Math.PI;
}

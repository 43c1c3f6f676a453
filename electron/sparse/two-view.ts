import { multiply3, randomNumbers, rotationAngle, rotationFromVector, solveCholesky } from '../numerics/linear.js';

/** How one camera sees the other: x2 ~ R x1 + t, |t| = 1. */
export interface RelativePose {
  rotation: Float64Array;
  translation: Float64Array;
}

export interface TwoViewResult extends RelativePose {
  /** One flag per correspondence. */
  inliers: Uint8Array;
  inlierCount: number;
  /** Truncated squared errors left, relative to none: higher is better. */
  score: number;
  /** Share of the inliers that a rotation alone explains. */
  rotationShare: number;
  /** Median angle between the two rays of an inlier, degrees. */
  parallax: number;
}

const MINIMAL = 5;

/** [t]x R. */
function essential(rotation: Float64Array, t: ArrayLike<number>): Float64Array {
  return multiply3([0, -t[2]!, t[1]!, t[2]!, 0, -t[0]!, -t[1]!, t[0]!, 0], rotation);
}

/** Squared Sampson distance of correspondence k (Hartley and Zisserman, eq. 11.9). */
function sampson(e: Float64Array, x1: Float64Array, x2: Float64Array, k: number): number {
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
  return (r * r) / (l0 * l0 + l1 * l1 + m0 * m0 + m1 * m1 + 1e-18);
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
  /** Inlier distance in normalised coordinates (pixels over focal). */
  threshold: number;
  hypotheses: number;
  seed: number;
}

/**
 * Relative pose of two calibrated views from correspondences in normalised coordinates [n, 2].
 *
 * Random five-point samples are solved by Gauss-Newton from random starts (after Botterill, Mills and Green, "Fast
 * RANSAC hypothesis generation for essential matrix estimation", 2011), scored by truncated Sampson distance; the best
 * few are refined robustly on all correspondences and the best of these is kept.
 *
 * @returns undefined with fewer than 8 correspondences or when no sample could be solved
 */
export function relativePose(x1: Float64Array, x2: Float64Array, options: TwoViewOptions): TwoViewResult | undefined {
  const n = x1.length / 2;
  if (n < 8) return undefined;
  const random = randomNumbers(options.seed);
  const limit = options.threshold ** 2;
  const everything = Uint32Array.from({ length: n }, (_, k) => k);
  const score = (pose: RelativePose): number => {
    const E = essential(pose.rotation, pose.translation);
    let sum = 0;
    for (let k = 0; k < n; k++) {
      const error = sampson(E, x1, x2, k);
      if (error < limit) sum += 1 - error / limit;
    }
    return sum;
  };
  const best: { pose: RelativePose; score: number }[] = [];
  const sample = new Uint32Array(MINIMAL);
  for (let hypothesis = 0; hypothesis < options.hypotheses; hypothesis++) {
    for (let i = 0; i < MINIMAL; i++) sample[i] = Math.floor(random() * n);
    // Starts: from the present best now and then (local optimisation), else from a random direction and a modest random
    // rotation.
    const warm = best.length > 0 && random() < 0.3 ? best[Math.floor(random() * best.length)]!.pose : undefined;
    const spread = random() < 0.7 ? 0.5 : 2;
    // A photo that lies on its side or its head, with nothing in its EXIF to tell.
    const roll = random() < 0.25 ? (Math.floor(random() * 3 + 1) * Math.PI) / 2 : 0;
    const direction = [random() - 0.5, random() - 0.5, random() - 0.5];
    const length = Math.hypot(...direction) + 1e-9;
    const pose: RelativePose = warm
      ? { rotation: warm.rotation, translation: warm.translation }
      : {
          rotation: multiply3(
            rotationFromVector(0, 0, roll),
            rotationFromVector((random() - 0.5) * spread, (random() - 0.5) * spread, (random() - 0.5) * spread),
          ),
          translation: Float64Array.from(direction, (value) => value / length),
        };
    let step = Infinity;
    for (let k = 0; k < 10; k++) {
      step = gaussNewtonStep(pose, x1, x2, sample, 0);
      if (!(step > 1e-10) || step === Infinity) break;
    }
    if (!(step < 1e-4)) continue;
    const value = score(pose);
    if (best.length < 5 || value > best[best.length - 1]!.score) {
      best.push({ pose, score: value });
      best.sort((a, b) => b.score - a.score);
      if (best.length > 5) best.pop();
    }
  }
  let winner: { pose: RelativePose; score: number } | undefined;
  for (const candidate of best) {
    const pose = { ...candidate.pose };
    for (const scale of [3, 2, 1, 1, 0.5, 0.5, 0.5])
      gaussNewtonStep(pose, x1, x2, everything, scale * options.threshold);
    const refined = { pose, score: score(pose) };
    const better = refined.score > candidate.score ? refined : candidate;
    if (!winner || better.score > winner.score) winner = better;
  }
  return winner ? finish(winner.pose, winner.score, x1, x2, options.threshold) : undefined;
}

/** Sign of the translation, inliers in front of both cameras, and how much a rotation alone would explain. */
function finish(
  pose: RelativePose,
  score: number,
  x1: Float64Array,
  x2: Float64Array,
  threshold: number,
): TwoViewResult {
  const n = x1.length / 2;
  const E = essential(pose.rotation, pose.translation);
  const near: number[] = [];
  for (let k = 0; k < n; k++) if (sampson(E, x1, x2, k) < threshold * threshold) near.push(k);
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
    if (!(z1 > 0 && z2 > 0) && !still) continue;
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
    rotationShare: count ? rotationOnly / count : 1,
    parallax: angles[count >> 1] ?? 0,
  };
}

/** Angle between two rotations, degrees. */
export function rotationDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const transposed = [a[0]!, a[3]!, a[6]!, a[1]!, a[4]!, a[7]!, a[2]!, a[5]!, a[8]!];
  return (rotationAngle(multiply3(transposed, b)) * 180) / Math.PI;
}

import { multiply3, rotationFromVector, solveCholesky } from '../numerics/linear.js';
import type { Lens } from './bundle.js';
import { enough, sampler } from './epipolar.js';
import { chanceOfPlace, evidence } from './evidence.js';
import { scorer } from './scores.js';
import { threePoint, type CameraPose } from './solvers/p3p.js';
import { undistort } from './triangulate.js';

/** Known points and where a photo sees them. */
export interface Seen {
  /** [n, 3] in the world, the surest first. */
  points: Float64Array;
  /** [n, 2] long sides relative to the photo's centre. */
  at: Float64Array;
}

export interface Resection extends CameraPose {
  focal: number;
  inlierCount: number;
  /** How little chance explains it (evidence.ts). */
  evidence: number;
}

export interface ResectionOptions {
  /** Largest error of an inlier, long sides. */
  limit: number;
  /** At most this many samples for each focal. */
  hypotheses: number;
  seed: number;
}

interface Calibrated {
  u: Float64Array;
  v: Float64Array;
}

function calibrated(seen: Seen, lens: Lens): Calibrated {
  const n = seen.at.length / 2;
  const [u, v] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) [u[k], v[k]] = undistort(lens, seen.at[2 * k]!, seen.at[2 * k + 1]!) as [number, number];
  return { u, v };
}

/**
 * Where a photo was taken, from known points: three-point samples, locally optimised.
 *
 * @param lenses what its lens may be; a photo of its own camera has several focals to choose from
 * @returns the best of all lenses; undefined when no sample has a solution
 */
export function resect(seen: Seen, lenses: readonly Lens[], options: ResectionOptions): Resection | undefined {
  const n = seen.at.length / 2;
  if (n < 4) return undefined;
  const [X, Y, Z] = [0, 1, 2].map((axis) => Float64Array.from({ length: n }, (_, k) => seen.points[3 * k + axis]!));
  let best: { pose: CameraPose; score: number; lens: Lens; rays: Calibrated } | undefined;
  for (const lens of lenses) {
    const rays = calibrated(seen, lens);
    const limit = options.limit / lens.focal;
    const score = scorer('resection', [X!, Y!, Z!, rays.u, rays.v], limit);
    const scoreOf = ({ rotation: R, translation: t }: CameraPose) =>
      score([R[0]!, R[1]!, R[2]!, t[0]!, R[3]!, R[4]!, R[5]!, t[1]!, R[6]!, R[7]!, R[8]!, t[2]!]);
    let own = 0;
    const draw = sampler(n, 3, options.hypotheses, options.seed);
    let needed = options.hypotheses;
    for (let attempt = 0; attempt < needed; attempt++) {
      const sample = draw(attempt);
      for (const pose of threePoint(
        Array.from(sample, (k) => seen.points.subarray(3 * k, 3 * k + 3)),
        Array.from(sample, (k) => direction(rays.u[k]!, rays.v[k]!)),
      )) {
        if (scoreOf(pose) <= 0.9 * own) continue;
        const moved = { ...pose };
        for (const scale of [1, 0.5]) refinePose(moved, seen.points, rays, scale * limit);
        for (const candidate of [pose, moved]) {
          const value = scoreOf(candidate);
          own = Math.max(own, value);
          if (!best || value > best.score) best = { pose: { ...candidate }, score: value, lens, rays };
        }
        needed = Math.min(options.hypotheses, Math.max(15, 2 * enough(own / n, 3)));
      }
    }
  }
  if (!best) return undefined;
  const { pose, lens, rays } = best;
  for (const scale of [0.5, 0.3, 0.3, 0.3]) refinePose(pose, seen.points, rays, (scale * options.limit) / lens.focal);
  const errors = Float64Array.from({ length: n }, (_, k) => lens.focal * distance(pose, seen.points, rays, k));
  return {
    ...pose,
    focal: lens.focal,
    inlierCount: errors.filter((error) => error < options.limit).length,
    evidence: evidence(errors, options.limit, chanceOfPlace, 3),
  };
}

function direction(u: number, v: number): [number, number, number] {
  const length = Math.sqrt(u * u + v * v + 1);
  return [u / length, v / length, 1 / length];
}

function distance(
  { rotation: R, translation: t }: CameraPose,
  points: Float64Array,
  rays: Calibrated,
  k: number,
): number {
  const [X, Y, Z] = [points[3 * k]!, points[3 * k + 1]!, points[3 * k + 2]!];
  const z = R[6]! * X + R[7]! * Y + R[8]! * Z + t[2]!;
  if (!(z > 1e-9)) return Infinity;
  const du = (R[0]! * X + R[1]! * Y + R[2]! * Z + t[0]!) / z - rays.u[k]!;
  const dv = (R[3]! * X + R[4]! * Y + R[5]! * Z + t[1]!) / z - rays.v[k]!;
  return Math.sqrt(du * du + dv * dv);
}

/** One Cauchy-weighted Gauss-Newton step of a pose on fixed points; what is beyond thrice `scale` does not count. */
function refinePose(pose: CameraPose, points: Float64Array, rays: Calibrated, scale: number): void {
  const H = new Float64Array(36);
  const g = new Float64Array(6);
  const J = new Float64Array(6);
  const R = pose.rotation;
  const [t0, t1, t2] = pose.translation as unknown as [number, number, number];
  for (let k = 0; k < rays.u.length; k++) {
    const [X, Y, Z] = [points[3 * k]!, points[3 * k + 1]!, points[3 * k + 2]!];
    const r0 = R[0]! * X + R[1]! * Y + R[2]! * Z;
    const r1 = R[3]! * X + R[4]! * Y + R[5]! * Z;
    const r2 = R[6]! * X + R[7]! * Y + R[8]! * Z;
    const z = r2 + t2;
    if (!(z > 1e-9)) continue;
    const p = (r0 + t0) / z;
    const q = (r1 + t1) / z;
    const e0 = rays.u[k]! - p;
    const e1 = rays.v[k]! - q;
    const ratio = (e0 * e0 + e1 * e1) / (scale * scale);
    if (ratio > 9) continue;
    const weight = 1 / (1 + ratio);
    for (let i = 0; i < 2; i++) {
      const a = i === 0 ? 1 / z : 0;
      const b = i === 0 ? 0 : 1 / z;
      const d = -(i === 0 ? p : q) / z;
      const e = i === 0 ? e0 : e1;
      J[0] = -b * r2 + d * r1;
      J[1] = a * r2 - d * r0;
      J[2] = -a * r1 + b * r0;
      J[3] = a;
      J[4] = b;
      J[5] = d;
      for (let j = 0; j < 6; j++) {
        g[j] = g[j]! + weight * J[j]! * e;
        for (let l = 0; l <= j; l++) H[6 * j + l] = H[6 * j + l]! + weight * J[j]! * J[l]!;
      }
    }
  }
  for (let j = 0; j < 6; j++) H[7 * j] = H[7 * j]! * (1 + 1e-6) + 1e-12;
  if (!solveCholesky(H, g, 6)) return;
  pose.rotation = multiply3(rotationFromVector(g[0]!, g[1]!, g[2]!), R);
  pose.translation = Float64Array.of(t0 + g[3]!, t1 + g[4]!, t2 + g[5]!);
}

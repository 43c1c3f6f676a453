import { solveCholesky } from '../numerics/linear.js';
import { project, type Lens, type PlacedCamera } from './bundle.js';
import { centreOf, type Posed } from './pose.js';

/** Inverts `project`'s lens: from (x, y) in long sides relative to the photo's centre to normalised coordinates. */
export function undistort({ focal, k1, k2 = 0, cx = 0, cy = 0 }: Lens, x: number, y: number): [number, number] {
  const u = (x - cx) / focal;
  const v = (y - cy) / focal;
  const distorted = Math.hypot(u, v);
  if (distorted === 0 || (k1 === 0 && k2 === 0)) return [u, v];
  let r = distorted;
  for (let k = 0; k < 8; k++) {
    const r2 = r * r;
    const slope = 1 + r2 * (3 * k1 + 5 * k2 * r2);
    // Beyond the fold of a strong barrel there is no inverse: stay at the edge of what is known.
    if (slope < 0.2) break;
    r -= (r * (1 + r2 * (k1 + k2 * r2)) - distorted) / slope;
  }
  return [(u * r) / distorted, (v * r) / distorted];
}

export interface Ray {
  camera: PlacedCamera;
  lens: Lens;
  /** Measured, long sides relative to the centre. */
  x: number;
  y: number;
}

/** Least-squares point nearest to all rays [3]; undefined when they are parallel. */
export function nearestPoint(rays: readonly Ray[]): Float64Array | undefined {
  const A = new Float64Array(9);
  const b = new Float64Array(3);
  for (const { camera, lens, x, y } of rays) {
    const [u, v] = undistort(lens, x, y);
    const R = camera.rotation;
    const length = Math.hypot(u, v, 1);
    const d = [0, 1, 2].map((k) => (R[k]! * u + R[3 + k]! * v + R[6 + k]!) / length);
    const c = centreOf(camera);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const m = (i === j ? 1 : 0) - d[i]! * d[j]!;
        A[3 * i + j] = A[3 * i + j]! + m;
        b[i] = b[i]! + m * c[j]!;
      }
    }
  }
  for (let i = 0; i < 3; i++) A[4 * i] = A[4 * i]! + 1e-12;
  return solveCholesky(A, b, 3) ? b : undefined;
}

const predicted = new Float64Array(2);

/** Reprojection error in long sides; Infinity behind the camera. */
export function reprojectionError(ray: Ray, point: ArrayLike<number>): number {
  if (!project(ray.camera, ray.lens, point[0]!, point[1]!, point[2]!, predicted)) return Infinity;
  return Math.hypot(predicted[0]! - ray.x, predicted[1]! - ray.y);
}

/** Angle under which two cameras see a point, radians. */
export function viewingAngle(a: Posed, b: Posed, point: ArrayLike<number>): number {
  const direction = ({ rotation: R, translation: t }: Posed) => {
    const d = [0, 1, 2].map((k) => point[k]! + R[k]! * t[0]! + R[3 + k]! * t[1]! + R[6 + k]! * t[2]!);
    const length = Math.hypot(...d);
    return d.map((value) => value / length);
  };
  const [p, q] = [direction(a), direction(b)];
  return Math.acos(Math.max(-1, Math.min(1, p[0]! * q[0]! + p[1]! * q[1]! + p[2]! * q[2]!)));
}

/**
 * Robust point of a track: from its widest pairs of rays, the one that most rays agree with. Undefined when fewer than
 * two do.
 */
export function triangulateTrack(
  rays: readonly Ray[],
  limit: number,
  leastAngle: number,
): { point: Float64Array; inliers: boolean[] } | undefined {
  let best: { point: Float64Array; inliers: boolean[]; count: number } | undefined;
  const consider = (subset: readonly Ray[]) => {
    const point = nearestPoint(subset);
    if (!point) return;
    const inliers = rays.map((ray) => reprojectionError(ray, point) < limit);
    const count = inliers.filter(Boolean).length;
    if (!best || count > best.count) best = { point, inliers, count };
  };
  consider(rays);
  if (best && best.count < rays.length) {
    for (let i = 0; i < rays.length && i < 8; i++)
      for (let j = i + 1; j < rays.length && j < 8; j++) consider([rays[i]!, rays[j]!]);
  }
  if (!best || best.count < 2) return undefined;
  const agreeing = rays.filter((_, k) => best!.inliers[k]);
  for (let i = 0; i < agreeing.length; i++) {
    for (let j = i + 1; j < agreeing.length; j++) {
      if (viewingAngle(agreeing[i]!.camera, agreeing[j]!.camera, best.point) > leastAngle) return best;
    }
  }
  return undefined;
}

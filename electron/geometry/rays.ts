import { invertRigid } from '../numerics/linear.js';
import { distort, undistort } from './lens.js';
import type { Camera } from './types.js';

/** Where a photo shows a point. */
export interface Sighting {
  /** Index into the cameras. */
  camera: number;
  /** Pixel of the original photo, centres at integers. */
  x: number;
  y: number;
}

/** Of each camera: camera from world. */
export const posesOf = (cameras: readonly Camera[]): Float64Array[] =>
  cameras.map(({ worldFromCamera }) => invertRigid(worldFromCamera));

/** Pixel of the original photo that shows a point; undefined behind the camera. */
export function projected(
  camera: Camera,
  T: Float64Array,
  [x, y, z]: readonly [number, number, number],
): [number, number] | undefined {
  const depth = T[8]! * x + T[9]! * y + T[10]! * z + T[11]!;
  if (depth <= 0) return undefined;
  const [u, v] = distort(
    camera,
    (T[0]! * x + T[1]! * y + T[2]! * z + T[3]!) / depth,
    (T[4]! * x + T[5]! * y + T[6]! * z + T[7]!) / depth,
  );
  return [camera.fx * u + camera.cx, camera.fy * v + camera.cy];
}

/** Steps of Gauss-Newton from the point nearest to all rays; the distances are then those of the undistorted pixels. */
const STEPS = 6;

/**
 * The point whose projections are nearest to its sightings (least squares in undistorted pixels); undefined where the
 * rays are parallel or meet behind a camera.
 */
export function triangulated(
  cameras: readonly Camera[],
  poses: readonly Float64Array[],
  sightings: readonly Sighting[],
): [number, number, number] | undefined {
  const rays = sightings.map(({ camera, x, y }) => {
    const { fx, fy, cx, cy } = cameras[camera]!;
    const [u, v] = undistort(cameras[camera]!, (x - cx) / fx, (y - cy) / fy);
    return { u, v, focal: fx, T: poses[camera]!, M: cameras[camera]!.worldFromCamera };
  });
  // Nearest to all rays: sum of (I - d d^T) (p - c) = 0.
  const nearest = new Normal();
  for (const { u, v, M } of rays) {
    const length = Math.hypot(u, v, 1);
    const d = [0, 1, 2].map((i) => (M[4 * i]! * u + M[4 * i + 1]! * v + M[4 * i + 2]!) / length);
    const c = [M[3]!, M[7]!, M[11]!];
    for (let i = 0; i < 3; i++) {
      const row = [0, 1, 2].map((j) => (i === j ? 1 : 0) - d[i]! * d[j]!);
      nearest.add(row, row[0]! * c[0]! + row[1]! * c[1]! + row[2]! * c[2]!);
    }
  }
  let p = nearest.solve();
  for (let step = 0; p && step < STEPS; step++) {
    const normal = new Normal();
    for (const { u, v, focal, T } of rays) {
      const at = [0, 1, 2].map(
        (i) => T[4 * i]! * p![0] + T[4 * i + 1]! * p![1] + T[4 * i + 2]! * p![2] + T[4 * i + 3]!,
      );
      const z = at[2]!;
      if (z <= 0) return undefined;
      const [pu, pv] = [at[0]! / z, at[1]! / z];
      const row = (axis: number, value: number): number[] =>
        [0, 1, 2].map((j) => (focal * (T[4 * axis + j]! - value * T[8 + j]!)) / z);
      normal.add(row(0, pu), focal * (u - pu));
      normal.add(row(1, pv), focal * (v - pv));
    }
    const move = normal.solve();
    if (!move) return undefined;
    p = [p[0] + move[0], p[1] + move[1], p[2] + move[2]];
  }
  return p && p.every(Number.isFinite) ? p : undefined;
}

/** Normal equations of three unknowns. */
class Normal {
  private readonly A = new Float64Array(9);
  private readonly b = new Float64Array(3);

  add(row: readonly number[], value: number): void {
    for (let i = 0; i < 3; i++) {
      this.b[i] = this.b[i]! + row[i]! * value;
      for (let j = 0; j < 3; j++) this.A[3 * i + j] = this.A[3 * i + j]! + row[i]! * row[j]!;
    }
  }

  /** Cramer's rule; undefined where the rays are parallel. */
  solve(): [number, number, number] | undefined {
    const [a, b, c, d, e, f, g, h, i] = this.A as unknown as number[];
    const determinant = a! * (e! * i! - f! * h!) - b! * (d! * i! - f! * g!) + c! * (d! * h! - e! * g!);
    const trace = a! + e! + i!;
    if (!(Math.abs(determinant) > 1e-14 * trace ** 3)) return undefined;
    const [x, y, z] = this.b as unknown as number[];
    return [
      (x! * (e! * i! - f! * h!) - b! * (y! * i! - f! * z!) + c! * (y! * h! - e! * z!)) / determinant,
      (a! * (y! * i! - f! * z!) - x! * (d! * i! - f! * g!) + c! * (d! * z! - y! * g!)) / determinant,
      (a! * (e! * z! - y! * h!) - b! * (d! * z! - y! * g!) + x! * (d! * h! - e! * g!)) / determinant,
    ];
  }
}

/** Largest angle between two rays that meet in a point, degrees. */
export function widestAngle(
  cameras: readonly Camera[],
  sightings: readonly Sighting[],
  position: readonly [number, number, number],
): number {
  const rays = sightings.map(({ camera }) => {
    const M = cameras[camera]!.worldFromCamera;
    const ray = [0, 1, 2].map((i) => position[i]! - M[4 * i + 3]!);
    const length = Math.hypot(...ray);
    return ray.map((value) => value / length);
  });
  let least = 1;
  for (let a = 0; a < rays.length; a++)
    for (let b = a + 1; b < rays.length; b++)
      least = Math.min(
        least,
        rays[a]!.reduce((sum, value, i) => sum + value * rays[b]![i]!, 0),
      );
  return (Math.acos(Math.max(-1, Math.min(1, least))) * 180) / Math.PI;
}

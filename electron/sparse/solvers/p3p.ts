import { cross3, dot3, minus3 } from '../../numerics/vector.js';
import { realRoots } from './polynomial.js';

export interface CameraPose {
  /** Row-major 3x3 and [3]: x_camera = rotation x_world + translation. */
  rotation: Float64Array;
  translation: Float64Array;
}

const unit = (u: number[]) => {
  const length = Math.sqrt(dot3(u, u));
  return [u[0]! / length, u[1]! / length, u[2]! / length];
};

/** Orthonormal axes of a triangle, as rows. */
function axes(p: ArrayLike<number>, q: ArrayLike<number>, r: ArrayLike<number>): number[][] {
  const x = unit(minus3(q, p));
  const z = unit(cross3(x, minus3(r, p)));
  return [x, cross3(z, x), z];
}

/**
 * Poses of a calibrated camera from three points (Grunert's quartic, as in Haralick, Lee, Ottenberg and Noelle, "Review
 * and analysis of solutions of the three point perspective pose problem", IJCV 1994).
 *
 * @param points three world points [3]
 * @param rays their unit directions in the camera's frame [3]
 * @returns up to four
 */
export function threePoint(points: readonly ArrayLike<number>[], rays: readonly (readonly number[])[]): CameraPose[] {
  const [P, Q, R] = points as [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];
  const squared = (u: ArrayLike<number>, v: ArrayLike<number>) =>
    (u[0]! - v[0]!) ** 2 + (u[1]! - v[1]!) ** 2 + (u[2]! - v[2]!) ** 2;
  const [a2, b2, c2] = [squared(Q, R), squared(P, R), squared(P, Q)];
  if (!(Math.min(a2, b2, c2) > 1e-12 * Math.max(a2, b2, c2))) return [];
  const [cosA, cosB, cosC] = [dot3(rays[1]!, rays[2]!), dot3(rays[0]!, rays[2]!), dot3(rays[0]!, rays[1]!)];
  const m = (a2 - c2) / b2;
  const p = (a2 + c2) / b2;
  const c = c2 / b2;
  const a = a2 / b2;
  const quartic = [
    (1 + m) ** 2 - 4 * a * cosC ** 2,
    4 * (-m * (1 + m) * cosB + 2 * a * cosC ** 2 * cosB - (1 - p) * cosA * cosC),
    2 *
      (m * m -
        1 +
        2 * m * m * cosB ** 2 +
        2 * (1 - c) * cosA ** 2 -
        4 * p * cosA * cosB * cosC +
        2 * (1 - a) * cosC ** 2),
    4 * (m * (1 - m) * cosB - (1 - p) * cosA * cosC + 2 * c * cosA ** 2 * cosB),
    (m - 1) ** 2 - 4 * c * cosA ** 2,
  ];
  const world = axes(P, Q, R);
  const poses: CameraPose[] = [];
  for (const v of realRoots(quartic)) {
    const below = 2 * (cosC - v * cosA);
    if (!(v > 0) || Math.abs(below) < 1e-12) continue;
    const u = ((m - 1) * v * v - 2 * m * cosB * v + 1 + m) / below;
    const d = 1 + v * v - 2 * v * cosB;
    if (!(u > 0 && d > 0)) continue;
    const s = Math.sqrt(b2 / d);
    const [p1, p2, p3] = [s, u * s, v * s].map((length, k) => rays[k]!.map((x) => x * length)) as [
      number[],
      number[],
      number[],
    ];
    const camera = axes(p1, p2, p3);
    const rotation = new Float64Array(9);
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++)
        rotation[3 * i + j] =
          camera[0]![i]! * world[0]![j]! + camera[1]![i]! * world[1]![j]! + camera[2]![i]! * world[2]![j]!;
    const translation = Float64Array.from([0, 1, 2], (i) => p1[i]! - dot3(rotation.subarray(3 * i, 3 * i + 3), P));
    if (rotation.every(Number.isFinite) && translation.every(Number.isFinite)) poses.push({ rotation, translation });
  }
  return poses;
}

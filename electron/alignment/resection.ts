import { rotationFromVector, multiply3, solveCholesky } from '../numerics/linear.js';
import type { Similarity } from '../geometry/similarity.js';
import { cloudPixels, type ViewDigest } from '../geometry/digest.js';
import type { Cloud } from './clouds.js';

/**
 * Focal of a first view from its own pointmap: pixel offset = focal * (x, y) / z, minimised in the L1 norm (Weiszfeld's
 * iteration).
 *
 * @returns pixels of the view; undefined when no pixel tells
 */
export function focalFromPointmap(
  { width, height, cloud: { points, weights } }: Pick<ViewDigest, 'width' | 'height' | 'cloud'>,
  [cx, cy]: readonly [number, number],
): number | undefined {
  const pixels = cloudPixels(width, height);
  // Per usable pixel: u, v, x / z, y / z, weight.
  const rows = new Float64Array((pixels.length / 2) * 5);
  let count = 0;
  for (let p = 0; p < pixels.length; p += 2) {
    const k = p / 2;
    const z = points[3 * k + 2]!;
    const weight = weights[k]!;
    const x = points[3 * k]! / z;
    const y = points[3 * k + 1]! / z;
    if (weight > 0 && z > 0 && Number.isFinite(x + y + weight))
      rows.set([pixels[p]! - cx, pixels[p + 1]! - cy, x, y, weight], 5 * count++);
  }
  if (count < 8) return undefined;
  let focal = 0;
  for (let round = 0; round < 12; round++) {
    let top = 0;
    let bottom = 0;
    for (let r = 0; r < 5 * count; r += 5) {
      const u = rows[r]!;
      const v = rows[r + 1]!;
      const x = rows[r + 2]!;
      const y = rows[r + 3]!;
      const distance = Math.sqrt((u - focal * x) ** 2 + (v - focal * y) ** 2);
      const w = round === 0 ? rows[r + 4]! : rows[r + 4]! / Math.max(0.05, distance);
      top += w * (u * x + v * y);
      bottom += w * (x * x + y * y);
    }
    if (!(bottom > 0)) return undefined;
    focal = top / bottom;
  }
  const long = Math.max(width, height);
  return focal > 0.2 * long && focal < 20 * long ? focal : undefined;
}

/**
 * Pose of a camera from a pointmap in another camera's frame (frameFromCamera), by robust Gauss-Newton on the pixels'
 * rays from the given pose, or from the frame's own (a network's partner looks the same way, roughly).
 *
 * @param pixels [n, 2] of the cloud's points
 * @param hint frameFromCamera [16], taken as it is
 */
export function placeCamera(
  cloud: Cloud,
  pixels: Int32Array,
  [cx, cy]: readonly [number, number],
  focal: number,
  hint?: Float64Array,
): Similarity | undefined {
  if (hint) {
    const rotation = Float64Array.of(
      hint[0]!,
      hint[1]!,
      hint[2]!,
      hint[4]!,
      hint[5]!,
      hint[6]!,
      hint[8]!,
      hint[9]!,
      hint[10]!,
    );
    return { scale: 1, rotation, translation: Float64Array.of(hint[3]!, hint[7]!, hint[11]!) };
  }
  const rays = Array.from({ length: pixels.length / 2 }, (_, k): [number, number] => [
    (pixels[2 * k]! - cx) / focal,
    (pixels[2 * k + 1]! - cy) / focal,
  ]);
  let R: Float64Array = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  let t: Float64Array = new Float64Array(3);
  const J = new Float64Array(12);
  for (let round = 0; round < 60; round++) {
    const H = new Float64Array(36);
    const g = new Float64Array(6);
    const scale = round < 20 ? 0.2 : 0.02;
    rays.forEach(([u, v], k) => {
      const weight = cloud.weights[k]!;
      if (!(weight > 0)) return;
      const p = cloud.points.subarray(3 * k, 3 * k + 3);
      const r = [0, 1, 2].map((i) => R[3 * i]! * p[0]! + R[3 * i + 1]! * p[1]! + R[3 * i + 2]! * p[2]!) as [
        number,
        number,
        number,
      ];
      const z = r[2] + t[2]!;
      if (!(z > 1e-6)) return;
      const a = (r[0] + t[0]!) / z;
      const b = (r[1] + t[1]!) / z;
      const e = [u - a, v - b];
      const w = weight / (1 + (e[0]! ** 2 + e[1]! ** 2) / scale ** 2);
      J.set(
        [-a * r[1] - 0, r[2] + a * r[0], -r[1], 1, 0, -a, -r[2] - b * r[1], b * r[0], r[0], 0, 1, -b].map(
          (value) => value / z,
        ),
      );
      for (let i = 0; i < 6; i++) {
        g[i] = g[i]! + w * (J[i]! * e[0]! + J[6 + i]! * e[1]!);
        for (let j = 0; j <= i; j++) H[6 * i + j] = H[6 * i + j]! + w * (J[i]! * J[j]! + J[6 + i]! * J[6 + j]!);
      }
    });
    for (let i = 0; i < 6; i++) H[7 * i] = H[7 * i]! * 1.001 + 1e-12;
    if (!solveCholesky(H, g, 6)) return undefined;
    const turn = Math.hypot(g[0]!, g[1]!, g[2]!);
    const shrink = turn > 0.3 ? 0.3 / turn : 1;
    R = multiply3(rotationFromVector(g[0]! * shrink, g[1]! * shrink, g[2]! * shrink), R);
    t = t.map((value, i) => value + shrink * g[3 + i]!);
    if (turn < 1e-9 && round > 25) break;
  }
  // Camera from frame is (R, t): turn it round.
  const inverse = Float64Array.of(R[0]!, R[3]!, R[6]!, R[1]!, R[4]!, R[7]!, R[2]!, R[5]!, R[8]!);
  const translation = Float64Array.from(
    { length: 3 },
    (_, i) => -(inverse[3 * i]! * t[0]! + inverse[3 * i + 1]! * t[1]! + inverse[3 * i + 2]! * t[2]!),
  );
  return { scale: 1, rotation: inverse, translation };
}

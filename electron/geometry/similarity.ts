import { multiply3, rotationFromVector } from '../numerics/linear.js';

/** x' = scale R x + t. */
export interface Similarity {
  scale: number;
  /** Row-major 3x3. */
  rotation: Float64Array;
  translation: Float64Array;
}

export const identitySimilarity = (): Similarity => ({
  scale: 1,
  rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
  translation: new Float64Array(3),
});

/** a after b. */
export function compose(a: Similarity, b: Similarity): Similarity {
  return {
    scale: a.scale * b.scale,
    rotation: multiply3(a.rotation, b.rotation),
    translation: transform(a, b.translation),
  };
}

export function transform({ scale, rotation: R, translation: t }: Similarity, p: ArrayLike<number>): Float64Array {
  return Float64Array.from(
    { length: 3 },
    (_, i) => scale * (R[3 * i]! * p[0]! + R[3 * i + 1]! * p[1]! + R[3 * i + 2]! * p[2]!) + t[i]!,
  );
}

export function invert({ scale, rotation: R, translation: t }: Similarity): Similarity {
  const rotation = Float64Array.of(R[0]!, R[3]!, R[6]!, R[1]!, R[4]!, R[7]!, R[2]!, R[5]!, R[8]!);
  const s = 1 / scale;
  const translation = Float64Array.from(
    { length: 3 },
    (_, i) => -s * (rotation[3 * i]! * t[0]! + rotation[3 * i + 1]! * t[1]! + rotation[3 * i + 2]! * t[2]!),
  );
  return { scale: s, rotation, translation };
}

/** Moves a similarity by a small step in the frame it maps to: rotation vector (3), translation (3), log scale. */
export function moved({ scale, rotation, translation: t }: Similarity, step: ArrayLike<number>): Similarity {
  const R = rotationFromVector(step[0]!, step[1]!, step[2]!);
  const s = Math.exp(step[6] ?? 0);
  return {
    scale: scale * s,
    rotation: multiply3(R, rotation),
    translation: Float64Array.from(
      { length: 3 },
      (_, i) => s * (R[3 * i]! * t[0]! + R[3 * i + 1]! * t[1]! + R[3 * i + 2]! * t[2]!) + step[3 + i]!,
    ),
  };
}

/** Re-weighting ends when the sum of the weighted distances falls by less than this share. */
const SETTLED = 1e-4;

/**
 * The similarity that takes points a to points b (both [n, 3]) with least weighted squared error, then re-weighted for
 * the L1 norm (Umeyama, PAMI 1991; the rotation by Horn's quaternion).
 *
 * @param rounds of re-weighting at most; 1 is plain least squares
 * @returns undefined when fewer than three points carry weight, or all of them are one point
 */
export function registerPoints(
  a: Float64Array,
  b: Float64Array,
  weights: Float64Array,
  rounds = 12,
): { similarity: Similarity; residuals: Float64Array } | undefined {
  const n = weights.length;
  const w = weights.slice();
  const residuals = new Float64Array(n);
  const sorted = new Float64Array(n);
  let weighted = 0;
  for (let k = 0; k < n; k++) if (weights[k]! > 0) weighted++;
  if (weighted < 3) return undefined;
  let similarity: Similarity | undefined;
  let floor = 0;
  let last = Infinity;
  for (let round = 0; round < rounds; round++) {
    similarity = fit(a, b, w);
    if (!similarity) return undefined;
    const sum = distances(similarity, a, b, weights, residuals);
    if (sum > (1 - SETTLED) * last) break;
    last = sum;
    // The floor keeps points that lie exactly on their partners from taking all the weight; it settles sooner than the
    // fit.
    if (round < 3) {
      let count = 0;
      for (let k = 0; k < n; k++) if (weights[k]! > 0) sorted[count++] = residuals[k]!;
      floor = 0.1 * sorted.subarray(0, count).sort()[count >> 1]! + 1e-12;
    }
    for (let k = 0; k < n; k++) w[k] = weights[k]! / Math.max(floor, residuals[k]!);
  }
  return similarity && { similarity, residuals };
}

/** Fills `residuals` with |similarity(a) - b|; returns their weighted sum. */
function distances(
  { scale, rotation: R, translation: t }: Similarity,
  a: Float64Array,
  b: Float64Array,
  weights: Float64Array,
  residuals: Float64Array,
): number {
  const [s0, s1, s2, s3, s4, s5, s6, s7, s8] = R.map((value) => value * scale) as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [t0, t1, t2] = t as unknown as [number, number, number];
  let sum = 0;
  for (let k = 0; k < residuals.length; k++) {
    const x = a[3 * k]!;
    const y = a[3 * k + 1]!;
    const z = a[3 * k + 2]!;
    const e0 = s0 * x + s1 * y + s2 * z + t0 - b[3 * k]!;
    const e1 = s3 * x + s4 * y + s5 * z + t1 - b[3 * k + 1]!;
    const e2 = s6 * x + s7 * y + s8 * z + t2 - b[3 * k + 2]!;
    const distance = Math.sqrt(e0 * e0 + e1 * e1 + e2 * e2);
    residuals[k] = distance;
    if (weights[k]! > 0) sum += weights[k]! * distance;
  }
  return sum;
}

function fit(a: Float64Array, b: Float64Array, w: Float64Array): Similarity | undefined {
  const n = w.length;
  let [total, a0, a1, a2, b0, b1, b2] = [0, 0, 0, 0, 0, 0, 0];
  for (let k = 0; k < n; k++) {
    const weight = w[k]!;
    if (!(weight > 0)) continue;
    total += weight;
    a0 += weight * a[3 * k]!;
    a1 += weight * a[3 * k + 1]!;
    a2 += weight * a[3 * k + 2]!;
    b0 += weight * b[3 * k]!;
    b1 += weight * b[3 * k + 1]!;
    b2 += weight * b[3 * k + 2]!;
  }
  if (!(total > 0)) return undefined;
  a0 /= total;
  a1 /= total;
  a2 /= total;
  b0 /= total;
  b1 /= total;
  b2 /= total;
  let [xx, xy, xz, yx, yy, yz, zx, zy, zz, spread] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = 0; k < n; k++) {
    const weight = w[k]!;
    if (!(weight > 0)) continue;
    const x = a[3 * k]! - a0;
    const y = a[3 * k + 1]! - a1;
    const z = a[3 * k + 2]! - a2;
    const u = weight * (b[3 * k]! - b0);
    const v = weight * (b[3 * k + 1]! - b1);
    const s = weight * (b[3 * k + 2]! - b2);
    spread += weight * (x * x + y * y + z * z);
    xx += x * u;
    xy += x * v;
    xz += x * s;
    yx += y * u;
    yy += y * v;
    yz += y * s;
    zx += z * u;
    zy += z * v;
    zz += z * s;
  }
  if (!(spread > 0)) return undefined;
  const M = Float64Array.of(xx, xy, xz, yx, yy, yz, zx, zy, zz);
  const R = rotationFromCovariance(M);
  // scale = trace(R M) / spread
  let trace = 0;
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) trace += R[3 * i + j]! * M[3 * j + i]!;
  const scale = Math.max(1e-9, trace / spread);
  const translation = Float64Array.from(
    [b0, b1, b2],
    (value, i) => value - scale * (R[3 * i]! * a0 + R[3 * i + 1]! * a1 + R[3 * i + 2]! * a2),
  );
  return { scale, rotation: R, translation };
}

/** Horn, JOSA 1987: the largest eigenvector of a 4x4 matrix, by Jacobi sweeps. M = sum of a b^T. */
function rotationFromCovariance(M: Float64Array): Float64Array {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = M as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const A = Float64Array.of(
    xx + yy + zz,
    yz - zy,
    zx - xz,
    xy - yx,
    yz - zy,
    xx - yy - zz,
    xy + yx,
    zx + xz,
    zx - xz,
    xy + yx,
    -xx + yy - zz,
    yz + zy,
    xy - yx,
    zx + xz,
    yz + zy,
    -xx - yy + zz,
  );
  const V = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
  const size = A.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < 3; p++) for (let q = p + 1; q < 4; q++) off += A[4 * p + q]! ** 2;
    if (!(off > 1e-30 * size)) break;
    for (let p = 0; p < 3; p++) {
      for (let q = p + 1; q < 4; q++) {
        const apq = A[4 * p + q]!;
        if (apq * apq < 1e-32 * size) continue;
        const theta = (A[5 * q]! - A[5 * p]!) / (2 * apq);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < 4; k++) {
          const kp = A[4 * k + p]!;
          const kq = A[4 * k + q]!;
          A[4 * k + p] = c * kp - s * kq;
          A[4 * k + q] = s * kp + c * kq;
        }
        for (let k = 0; k < 4; k++) {
          const pk = A[4 * p + k]!;
          const qk = A[4 * q + k]!;
          A[4 * p + k] = c * pk - s * qk;
          A[4 * q + k] = s * pk + c * qk;
          const vp = V[4 * k + p]!;
          const vq = V[4 * k + q]!;
          V[4 * k + p] = c * vp - s * vq;
          V[4 * k + q] = s * vp + c * vq;
        }
      }
    }
  }
  let best = 0;
  for (let k = 1; k < 4; k++) if (A[5 * k]! > A[5 * best]!) best = k;
  const norm = Math.hypot(V[best]!, V[4 + best]!, V[8 + best]!, V[12 + best]!);
  const [w, x, y, z] = [V[best]! / norm, V[4 + best]! / norm, V[8 + best]! / norm, V[12 + best]! / norm] as const;
  return Float64Array.of(
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    1 - 2 * (x * x + y * y),
  );
}

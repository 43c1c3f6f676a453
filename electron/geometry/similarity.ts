import { multiply3, orthonormalise, rotationFromVector } from './linear.js';

/** x' = scale R x + t. */
export interface Similarity {
  scale: number;
  /** Row-major 3x3. */
  rotation: Float64Array;
  translation: Float64Array;
}

export const identitySimilarity = (): Similarity => ({ scale: 1, rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), translation: new Float64Array(3) });

/** a after b. */
export function compose(a: Similarity, b: Similarity): Similarity {
  return { scale: a.scale * b.scale, rotation: multiply3(a.rotation, b.rotation), translation: transform(a, b.translation) };
}

export function transform({ scale, rotation: R, translation: t }: Similarity, p: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: 3 }, (_, i) => scale * (R[3 * i]! * p[0]! + R[3 * i + 1]! * p[1]! + R[3 * i + 2]! * p[2]!) + t[i]!);
}

export function invert({ scale, rotation: R, translation: t }: Similarity): Similarity {
  const rotation = Float64Array.of(R[0]!, R[3]!, R[6]!, R[1]!, R[4]!, R[7]!, R[2]!, R[5]!, R[8]!);
  const s = 1 / scale;
  const translation = Float64Array.from({ length: 3 }, (_, i) => -s * (rotation[3 * i]! * t[0]! + rotation[3 * i + 1]! * t[1]! + rotation[3 * i + 2]! * t[2]!));
  return { scale: s, rotation, translation };
}

/** Moves a similarity by a small step in the frame it maps to: rotation vector (3), translation (3), log scale. */
export function moved({ scale, rotation, translation: t }: Similarity, step: ArrayLike<number>): Similarity {
  const R = rotationFromVector(step[0]!, step[1]!, step[2]!);
  const s = Math.exp(step[6] ?? 0);
  return {
    scale: scale * s,
    rotation: multiply3(R, rotation),
    translation: Float64Array.from({ length: 3 }, (_, i) => s * (R[3 * i]! * t[0]! + R[3 * i + 1]! * t[1]! + R[3 * i + 2]! * t[2]!) + step[3 + i]!),
  };
}

/**
 * The similarity that takes points a to points b (both [n, 3]) with least weighted squared error, then re-weighted for the L1 norm
 * (Umeyama, PAMI 1991; the rotation by Horn's quaternion).
 *
 * @param rounds of re-weighting; 1 is plain least squares
 * @returns undefined when fewer than three points carry weight
 */
export function registerPoints(a: Float64Array, b: Float64Array, weights: Float64Array, rounds = 12): { similarity: Similarity; residuals: Float64Array } | undefined {
  const n = weights.length;
  const w = weights.slice();
  let similarity = identitySimilarity();
  const residuals = new Float64Array(n);
  if (weights.filter((value) => value > 0).length < 3) return undefined;
  for (let round = 0; round < rounds; round++) {
    const fitted = fit(a, b, w);
    if (!fitted) return undefined;
    similarity = fitted;
    const { scale, rotation: R, translation: t } = similarity;
    const sorted: number[] = [];
    for (let k = 0; k < n; k++) {
      let sum = 0;
      for (let i = 0; i < 3; i++) sum += (scale * (R[3 * i]! * a[3 * k]! + R[3 * i + 1]! * a[3 * k + 1]! + R[3 * i + 2]! * a[3 * k + 2]!) + t[i]! - b[3 * k + i]!) ** 2;
      residuals[k] = Math.sqrt(sum);
      if (weights[k]! > 0) sorted.push(residuals[k]!);
    }
    sorted.sort((p, q) => p - q);
    const floor = 0.1 * sorted[sorted.length >> 1]! + 1e-12;
    for (let k = 0; k < n; k++) w[k] = weights[k]! / Math.max(floor, residuals[k]!);
  }
  return { similarity, residuals };
}

function fit(a: Float64Array, b: Float64Array, w: Float64Array): Similarity | undefined {
  const ca = [0, 0, 0];
  const cb = [0, 0, 0];
  let total = 0;
  for (let k = 0; k < w.length; k++) {
    total += w[k]!;
    for (let i = 0; i < 3; i++) {
      ca[i] = ca[i]! + w[k]! * a[3 * k + i]!;
      cb[i] = cb[i]! + w[k]! * b[3 * k + i]!;
    }
  }
  if (!(total > 0)) return undefined;
  for (let i = 0; i < 3; i++) {
    ca[i] = ca[i]! / total;
    cb[i] = cb[i]! / total;
  }
  const M = new Float64Array(9);
  let spread = 0;
  for (let k = 0; k < w.length; k++) {
    for (let i = 0; i < 3; i++) {
      const p = a[3 * k + i]! - ca[i]!;
      spread += w[k]! * p * p;
      for (let j = 0; j < 3; j++) M[3 * i + j] = M[3 * i + j]! + w[k]! * p * (b[3 * k + j]! - cb[j]!);
    }
  }
  if (!(spread > 0)) return undefined;
  const rotation = orthonormalise(rotationFromCovariance(M));
  // scale = trace(R M) / spread
  let trace = 0;
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) trace += rotation[3 * i + j]! * M[3 * j + i]!;
  const scale = Math.max(1e-9, trace / spread);
  const translation = Float64Array.from({ length: 3 }, (_, i) => cb[i]! - scale * (rotation[3 * i]! * ca[0]! + rotation[3 * i + 1]! * ca[1]! + rotation[3 * i + 2]! * ca[2]!));
  return { scale, rotation, translation };
}

/** Horn, JOSA 1987: the largest eigenvector of a 4x4 matrix, by Jacobi sweeps. M = sum of a b^T. */
function rotationFromCovariance(M: Float64Array): Float64Array {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = M as unknown as [number, number, number, number, number, number, number, number, number];
  const A = [
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, -xx + yy - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, -xx - yy + zz],
  ];
  const V: number[][] = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < 3; p++) {
      for (let q = p + 1; q < 4; q++) {
        const apq = A[p]![q]!;
        if (Math.abs(apq) < 1e-300) continue;
        const theta = (A[q]![q]! - A[p]![p]!) / (2 * apq);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < 4; k++) {
          const [akp, akq] = [A[k]![p]!, A[k]![q]!];
          A[k]![p] = c * akp - s * akq;
          A[k]![q] = s * akp + c * akq;
        }
        for (let k = 0; k < 4; k++) {
          const [apk, aqk] = [A[p]![k]!, A[q]![k]!];
          A[p]![k] = c * apk - s * aqk;
          A[q]![k] = s * apk + c * aqk;
          const [vkp, vkq] = [V[k]![p]!, V[k]![q]!];
          V[k]![p] = c * vkp - s * vkq;
          V[k]![q] = s * vkp + c * vkq;
        }
      }
    }
  }
  let best = 0;
  for (let k = 1; k < 4; k++) if (A[k]![k]! > A[best]![best]!) best = k;
  const [w, x, y, z] = [0, 1, 2, 3].map((k) => V[k]![best]!) as [number, number, number, number];
  return Float64Array.of(
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  );
}

import { solveCholesky } from '../../numerics/linear.js';
import { nullSpace } from './null-space.js';
import { realRoots } from './polynomial.js';

/** Correspondences as [n, 2] each. */
type Points = Float64Array;

/** Homography of four correspondences, x2 ~ H x1; undefined where three lie on a line. */
export function fourPoint(x1: Points, x2: Points, sample: ArrayLike<number>): Float64Array | undefined {
  const A = new Float64Array(72);
  for (let n = 0; n < 4; n++) {
    const k = 2 * sample[n]!;
    const [a, b, c, d] = [x1[k]!, x1[k + 1]!, x2[k]!, x2[k + 1]!];
    A.set([a, b, 1, 0, 0, 0, -c * a, -c * b, -c], 18 * n);
    A.set([0, 0, 0, a, b, 1, -d * a, -d * b, -d], 18 * n + 9);
  }
  const H = nullSpace(A, 8, 9);
  return Math.abs(determinant(H)) > 1e-9 ? H : undefined;
}

const determinant = (m: Float64Array) =>
  m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) -
  m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) +
  m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!);

/** Fundamental matrices of seven correspondences (Hartley and Zisserman, section 11.1.2): up to three. */
export function sevenPoint(x1: Points, x2: Points, sample: ArrayLike<number>): Float64Array[] {
  const A = new Float64Array(63);
  for (let n = 0; n < 7; n++) {
    const k = 2 * sample[n]!;
    const [a, b, c, d] = [x1[k]!, x1[k + 1]!, x2[k]!, x2[k + 1]!];
    A.set([c * a, c * b, c, d * a, d * b, d, a, b, 1], 9 * n);
  }
  const basis = nullSpace(A, 7, 9);
  const [F, G] = [basis.subarray(0, 9), basis.subarray(9, 18)];
  // det(F + z G) from its values at four places.
  const value = (z: number) => determinant(F.map((f, k) => f + z * G[k]!));
  const [d0, d1, dm, top] = [value(0), value(1), value(-1), determinant(G)];
  const square = (d1 + dm) / 2 - d0;
  return realRoots([d0, (d1 - dm) / 2 - top, square, top]).map((z) => F.map((f, k) => f + z * G[k]!));
}

/**
 * Fundamental matrix of a plane's homography and two correspondences off it: the lines from where the plane would have
 * each to where it is meet in the epipole (Chum, Werner and Matas, CVPR 2005).
 */
export function planeAndTwo(H: Float64Array, x1: Points, x2: Points, i: number, j: number): Float64Array | undefined {
  const line = (k: number) => {
    const [a, b, c, d] = [x1[2 * k]!, x1[2 * k + 1]!, x2[2 * k]!, x2[2 * k + 1]!];
    const u = H[0]! * a + H[1]! * b + H[2]!;
    const v = H[3]! * a + H[4]! * b + H[5]!;
    const w = H[6]! * a + H[7]! * b + H[8]!;
    return [d * w - v, u - c * w, c * v - d * u];
  };
  const [l, m] = [line(i), line(j)];
  const e = [l[1]! * m[2]! - l[2]! * m[1]!, l[2]! * m[0]! - l[0]! * m[2]!, l[0]! * m[1]! - l[1]! * m[0]!];
  const length = Math.hypot(e[0]!, e[1]!, e[2]!);
  if (!(length > 1e-12)) return undefined;
  const [x, y, z] = e.map((value) => value / length) as [number, number, number];
  const F = new Float64Array(9);
  for (let k = 0; k < 3; k++) {
    F[k] = -z * H[3 + k]! + y * H[6 + k]!;
    F[3 + k] = z * H[k]! - x * H[6 + k]!;
    F[6 + k] = -y * H[k]! + x * H[3 + k]!;
  }
  return F;
}

/** The unit vector that a symmetric positive semidefinite matrix [n, n] shrinks most: inverse iteration. */
function smallestDirection(A: Float64Array, n: number): Float64Array | undefined {
  let trace = 0;
  for (let k = 0; k < n; k++) trace += A[k * n + k]!;
  for (let k = 0; k < n; k++) A[k * n + k] = A[k * n + k]! + 1e-13 * trace + 1e-300;
  let v = Float64Array.from({ length: n }, (_, k) => 1 + 0.37 * Math.sin(7 * k));
  for (let iteration = 0; iteration < 5; iteration++) {
    const next = v.slice();
    if (!solveCholesky(A.slice(), next, n)) return undefined;
    const length = Math.hypot(...next);
    v = next.map((value) => value / length);
  }
  return v;
}

/** Weighted eight-point algorithm with Hartley's normalisation, made rank 2. Points with weight 0 don't count. */
export function eightPoint(x1: Points, x2: Points, weights: Float64Array): Float64Array | undefined {
  const [p, q] = [normaliser(x1, weights), normaliser(x2, weights)];
  const A = new Float64Array(81);
  const row = new Float64Array(9);
  for (let k = 0; k < weights.length; k++) {
    const w = weights[k]!;
    if (w === 0) continue;
    const [a, b] = [(x1[2 * k]! - p.x) * p.scale, (x1[2 * k + 1]! - p.y) * p.scale];
    const [c, d] = [(x2[2 * k]! - q.x) * q.scale, (x2[2 * k + 1]! - q.y) * q.scale];
    row.set([c * a, c * b, c, d * a, d * b, d, a, b, 1]);
    for (let i = 0; i < 9; i++) for (let j = 0; j <= i; j++) A[9 * i + j] = A[9 * i + j]! + w * row[i]! * row[j]!;
  }
  const N = smallestDirection(A, 9);
  if (!N) return undefined;
  const gram = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) gram[3 * i + j] = N[i]! * N[j]! + N[3 + i]! * N[3 + j]! + N[6 + i]! * N[6 + j]!;
  const v = smallestDirection(gram, 3);
  if (!v) return undefined;
  for (let i = 0; i < 3; i++) {
    const along = N[3 * i]! * v[0]! + N[3 * i + 1]! * v[1]! + N[3 * i + 2]! * v[2]!;
    for (let j = 0; j < 3; j++) N[3 * i + j] = N[3 * i + j]! - along * v[j]!;
  }
  // T2' N T1
  const T = (n: typeof p) => [n.scale, 0, -n.scale * n.x, 0, n.scale, -n.scale * n.y, 0, 0, 1];
  const [T1, T2] = [T(p), T(q)];
  const F = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      for (let k = 0; k < 3; k++)
        for (let l = 0; l < 3; l++) F[3 * i + j] = F[3 * i + j]! + T2[3 * k + i]! * N[3 * k + l]! * T1[3 * l + j]!;
  return F;
}

function normaliser(x: Points, weights: Float64Array): { x: number; y: number; scale: number } {
  let [sx, sy, sum] = [0, 0, 1e-300];
  for (let k = 0; k < weights.length; k++) {
    sx += weights[k]! * x[2 * k]!;
    sy += weights[k]! * x[2 * k + 1]!;
    sum += weights[k]!;
  }
  [sx, sy] = [sx / sum, sy / sum];
  let spread = 0;
  for (let k = 0; k < weights.length; k++) spread += weights[k]! * Math.hypot(x[2 * k]! - sx, x[2 * k + 1]! - sy);
  return { x: sx, y: sy, scale: spread > 0 ? (Math.SQRT2 * sum) / spread : 1 };
}

import { nullSpace } from './null-space.js';
import { realRoots } from './polynomial.js';

/** Exponents of x, y, z of the monomials of degree up to 3, in the order of Nister's table. */
const CUBIC = [
  ...[
    [3, 0, 0],
    [0, 3, 0],
    [2, 1, 0],
    [1, 2, 0],
    [2, 0, 1],
    [2, 0, 0],
    [0, 2, 1],
    [0, 2, 0],
    [1, 1, 1],
    [1, 1, 0],
  ],
  ...[
    [1, 0, 2],
    [1, 0, 1],
    [1, 0, 0],
    [0, 1, 2],
    [0, 1, 1],
    [0, 1, 0],
    [0, 0, 3],
    [0, 0, 2],
    [0, 0, 1],
    [0, 0, 0],
  ],
] as [number, number, number][];
const QUADRATIC = CUBIC.filter(([x, y, z]) => x + y + z <= 2);
const LINEAR: [number, number, number][] = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [0, 0, 0],
];
const find = (list: [number, number, number][], p: number[], q: number[]) =>
  list.findIndex((m) => m.every((e, k) => e === p[k]! + q[k]!));
/** Where the product of two monomials belongs. */
const LINEAR_LINEAR = Uint8Array.from(LINEAR.flatMap((p) => LINEAR.map((q) => find(QUADRATIC, p, q))));
const QUADRATIC_LINEAR = Uint8Array.from(QUADRATIC.flatMap((p) => LINEAR.map((q) => find(CUBIC, p, q))));

/** out += sign * p q, of degree 1 each. */
function addProduct11(out: Float64Array, p: Float64Array, at: number, q: Float64Array, bt: number, sign: number): void {
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 4; j++) {
      const k = LINEAR_LINEAR[4 * i + j]!;
      out[k] = out[k]! + sign * p[at + i]! * q[bt + j]!;
    }
}

/** out[offset...] += factor * p q, of degree 2 and 1. */
function addProduct21(out: Float64Array, offset: number, p: Float64Array, q: Float64Array, bt: number, factor: number) {
  for (let i = 0; i < 10; i++) {
    const pi = factor * p[i]!;
    if (pi === 0) continue;
    for (let j = 0; j < 4; j++) {
      const k = offset + QUADRATIC_LINEAR[4 * i + j]!;
      out[k] = out[k]! + pi * q[bt + j]!;
    }
  }
}

/** The ten cubic constraints on E = x X + y Y + z Z + W: det E = 0 and 2 E E' E = trace(E E') E. [10, 20] */
function constraints(E: Float64Array): Float64Array {
  const M = new Float64Array(200);
  // E E', symmetric, of degree 2.
  const EEt: Float64Array[] = [];
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) {
      if (j < i) {
        EEt.push(EEt[3 * j + i]!);
        continue;
      }
      const sum = new Float64Array(10);
      for (let k = 0; k < 3; k++) addProduct11(sum, E, 4 * (3 * i + k), E, 4 * (3 * j + k), 1);
      EEt.push(sum);
    }
  const half = new Float64Array(10);
  for (let k = 0; k < 10; k++) half[k] = 0.5 * (EEt[0]![k]! + EEt[4]![k]! + EEt[8]![k]!);
  // (E E' - trace / 2) E = 0
  for (let i = 0; i < 3; i++) EEt[4 * i] = EEt[4 * i]!.map((value, k) => value - half[k]!);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      for (let k = 0; k < 3; k++) addProduct21(M, 20 * (3 * i + j), EEt[3 * i + k]!, E, 4 * (3 * k + j), 1);
  for (let k = 0; k < 3; k++) {
    const minor = new Float64Array(10);
    const [p, q] = [(k + 1) % 3, (k + 2) % 3];
    addProduct11(minor, E, 4 * (3 + p), E, 4 * (6 + q), 1);
    addProduct11(minor, E, 4 * (3 + q), E, 4 * (6 + p), -1);
    addProduct21(M, 180, minor, E, 4 * k, 1);
  }
  return M;
}

/** Gauss-Jordan on the first ten columns. False when singular. */
function eliminate(M: Float64Array): boolean {
  for (let c = 0; c < 10; c++) {
    let pivot = c;
    for (let r = c + 1; r < 10; r++) if (Math.abs(M[20 * r + c]!) > Math.abs(M[20 * pivot + c]!)) pivot = r;
    const value = M[20 * pivot + c]!;
    if (Math.abs(value) < 1e-14) return false;
    for (let k = c; k < 20; k++) {
      const swapped = M[20 * pivot + k]! / value;
      M[20 * pivot + k] = M[20 * c + k]!;
      M[20 * c + k] = swapped;
    }
    for (let r = 0; r < 10; r++) {
      const factor = M[20 * r + c]!;
      if (r === c || factor === 0) continue;
      for (let k = c; k < 20; k++) M[20 * r + k] = M[20 * r + k]! - factor * M[20 * c + k]!;
    }
  }
  return true;
}

function multiply(p: number[], q: number[]): number[] {
  const out: number[] = new Array(p.length + q.length - 1).fill(0);
  for (let i = 0; i < p.length; i++) for (let j = 0; j < q.length; j++) out[i + j] = out[i + j]! + p[i]! * q[j]!;
  return out;
}

const at = (p: number[], z: number) => p.reduceRight((sum, value) => sum * z + value, 0);

/**
 * Essential matrices of five correspondences (D. Nister, "An efficient solution to the five-point relative pose
 * problem", PAMI 2004): x2' E x1 = 0, normalised coordinates [n, 2], at the indices in `sample`.
 *
 * @returns up to ten, row-major [9]
 */
export function fivePoint(x1: Float64Array, x2: Float64Array, sample: ArrayLike<number>): Float64Array[] {
  const A = new Float64Array(45);
  for (let n = 0; n < 5; n++) {
    const k = 2 * sample[n]!;
    const [a, b, c, d] = [x1[k]!, x1[k + 1]!, x2[k]!, x2[k + 1]!];
    A.set([c * a, c * b, c, d * a, d * b, d, a, b, 1], 9 * n);
  }
  const basis = nullSpace(A, 5, 9);
  // Per element of E its four coefficients.
  const E = new Float64Array(36);
  for (let e = 0; e < 9; e++) for (let n = 0; n < 4; n++) E[4 * e + n] = basis[9 * n + e]!;
  const M = constraints(E);
  if (!eliminate(M)) return [];
  // Rows 4 to 9 in pairs: row(x^2 z) - z row(x^2) and so on leave polynomials in z times x, y and 1.
  const rows = [4, 6, 8].map((r) => {
    const [p, q] = [20 * r, 20 * (r + 1)];
    const term = (high: number, low: number) => {
      const out: number[] = new Array(low - high + 2).fill(0);
      for (let k = high; k <= low; k++) {
        out[low - k] = out[low - k]! + M[p + k]!;
        out[low - k + 1] = out[low - k + 1]! - M[q + k]!;
      }
      return out;
    };
    return [term(10, 12), term(13, 15), term(16, 19)] as const;
  });
  const cross = (i: number, j: number, p: number, q: number) => {
    const [u, v] = [multiply(rows[i]![p]!, rows[j]![q]!), multiply(rows[i]![q]!, rows[j]![p]!)];
    return u.map((value, k) => value - v[k]!);
  };
  const determinant: number[] = new Array(11).fill(0);
  for (const [p, q, r] of [
    [1, 2, 0],
    [2, 0, 1],
    [0, 1, 2],
  ] as const)
    multiply(cross(0, 1, p, q), rows[2]![r]!).forEach((value, k) => (determinant[k] = determinant[k]! + value));
  return realRoots(determinant).flatMap((z) => {
    const [r0, r1, r2] = rows.map((row) => row.map((p) => at(p, z))) as [number[], number[], number[]];
    let best: number[] | undefined;
    for (const [u, v] of [
      [r0, r1],
      [r0, r2],
      [r1, r2],
    ] as const) {
      const c = [u[1]! * v[2]! - u[2]! * v[1]!, u[2]! * v[0]! - u[0]! * v[2]!, u[0]! * v[1]! - u[1]! * v[0]!];
      if (!best || Math.abs(c[2]!) > Math.abs(best[2]!)) best = c;
    }
    if (!best || Math.abs(best[2]!) < 1e-14) return [];
    const [x, y] = [best[0]! / best[2]!, best[1]! / best[2]!];
    const out = new Float64Array(9);
    let norm = 0;
    for (let e = 0; e < 9; e++) {
      out[e] = x * basis[e]! + y * basis[9 + e]! + z * basis[18 + e]! + basis[27 + e]!;
      norm += out[e]! ** 2;
    }
    norm = Math.sqrt(norm / 2);
    return [out.map((value) => value / norm)];
  });
}

/**
 * Eigenvalues, ascending, and unit eigenvectors of a symmetric 3x3 matrix, by Jacobi rotations.
 * @param matrix row-major; not changed
 */
export function eigenSymmetric3(matrix: ArrayLike<number>): { values: Float64Array; vectors: Float64Array[] } {
  const A = Float64Array.from(matrix);
  const V = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const size = A.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < 30; sweep++) {
    if (!(A[1]! ** 2 + A[2]! ** 2 + A[5]! ** 2 > 1e-32 * size)) break;
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const)
      rotate(A, V, p, q);
  }
  const order = [0, 1, 2].sort((a, b) => A[4 * a]! - A[4 * b]!);
  return {
    values: Float64Array.from(order, (k) => A[4 * k]!),
    vectors: order.map((k) => Float64Array.of(V[k]!, V[3 + k]!, V[6 + k]!)),
  };
}

function rotate(A: Float64Array, V: Float64Array, p: number, q: number): void {
  const off = A[3 * p + q]!;
  if (off === 0) return;
  const theta = (A[4 * q]! - A[4 * p]!) / (2 * off);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < 3; k++) {
    const [kp, kq] = [A[3 * k + p]!, A[3 * k + q]!];
    A[3 * k + p] = c * kp - s * kq;
    A[3 * k + q] = s * kp + c * kq;
  }
  for (let k = 0; k < 3; k++) {
    const [pk, qk] = [A[3 * p + k]!, A[3 * q + k]!];
    A[3 * p + k] = c * pk - s * qk;
    A[3 * q + k] = s * pk + c * qk;
    const [vp, vq] = [V[3 * k + p]!, V[3 * k + q]!];
    V[3 * k + p] = c * vp - s * vq;
    V[3 * k + q] = s * vp + c * vq;
  }
}

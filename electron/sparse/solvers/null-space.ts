/**
 * An orthonormal basis of the null space of A [rows, columns], rows < columns, by Householder reflections of its
 * transpose.
 *
 * @returns [columns - rows, columns], row-major
 */
export function nullSpace(A: Float64Array, rows: number, columns: number): Float64Array {
  // Column r of the transpose is row r of A: work on a copy, keep the reflectors.
  const M = A.slice(0, rows * columns);
  const reflectors = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const at = r * columns;
    let norm = 0;
    for (let k = r; k < columns; k++) norm += M[at + k]! ** 2;
    norm = Math.sqrt(norm);
    if (norm < 1e-300) continue;
    const pivot = M[at + r]!;
    const alpha = pivot > 0 ? -norm : norm;
    let length = 0;
    for (let k = r; k < columns; k++) {
      const value = M[at + k]! - (k === r ? alpha : 0);
      reflectors[at + k] = value;
      length += value * value;
    }
    if (length < 1e-300) continue;
    const scale = Math.SQRT2 / Math.sqrt(length);
    for (let k = r; k < columns; k++) reflectors[at + k] = reflectors[at + k]! * scale;
    for (let q = r + 1; q < rows; q++) reflect(M, q * columns, reflectors, at, r, columns);
  }
  const basis = new Float64Array((columns - rows) * columns);
  for (let n = 0; n < columns - rows; n++) {
    basis[n * columns + rows + n] = 1;
    for (let r = rows - 1; r >= 0; r--) reflect(basis, n * columns, reflectors, r * columns, r, columns);
  }
  return basis;
}

function reflect(M: Float64Array, at: number, v: Float64Array, vAt: number, from: number, columns: number): void {
  let dot = 0;
  for (let k = from; k < columns; k++) dot += M[at + k]! * v[vAt + k]!;
  for (let k = from; k < columns; k++) M[at + k] = M[at + k]! - dot * v[vAt + k]!;
}

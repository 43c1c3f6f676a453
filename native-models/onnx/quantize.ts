/** Inputs that share one scale. */
export const quantizedBlock = 256;

/**
 * A matrix [rows, columns] as one whose columns are of one size, times a factor for each column. Where a network's
 * activations have a large column its weights have a small one, which would keep two or three levels of its block.
 * Factors are powers of two, so that nothing else is rounded.
 */
export function evenColumns(
  matrix: Float32Array,
  rows: number,
  columns: number,
): { matrix: Float32Array; columns: Float32Array } {
  const squares = new Float64Array(columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) squares[c]! += matrix[r * columns + c]! ** 2;
  const usual = Math.sqrt([...squares].sort((p, q) => p - q)[columns >> 1]! || 1);
  const factors = Float32Array.from(squares, (sum) =>
    sum > 0 ? 2 ** Math.max(-12, Math.min(12, Math.round(Math.log2(Math.sqrt(sum) / usual)))) : 1,
  );
  return { matrix: matrix.map((value, k) => value / factors[k % columns]!), columns: factors };
}

/**
 * Symmetric 8-bit blocks along the inputs, in the layout of MatMulNBits: matrix [rows, columns] to values
 * [rows, ceil(columns / block), block] with 128 standing for zero, and one scale for each block.
 */
export function quantizeBlocks(
  matrix: Float32Array,
  rows: number,
  columns: number,
): { values: Uint8Array; scales: Float32Array } {
  const blocks = Math.ceil(columns / quantizedBlock);
  const values = new Uint8Array(rows * blocks * quantizedBlock).fill(128);
  const scales = new Float32Array(rows * blocks);
  for (let r = 0; r < rows; r++) {
    for (let block = 0; block < blocks; block++) {
      const start = block * quantizedBlock;
      const end = Math.min(columns, start + quantizedBlock);
      let largest = 0;
      for (let c = start; c < end; c++) largest = Math.max(largest, Math.abs(matrix[r * columns + c]!));
      const scale = largest > 0 ? largest / 127 : 1;
      scales[r * blocks + block] = scale;
      const out = (r * blocks + block) * quantizedBlock - start;
      for (let c = start; c < end; c++) values[out + c] = Math.round(matrix[r * columns + c]! / scale) + 128;
    }
  }
  return { values, scales };
}

/**
 * Symmetric 8-bit weights with one scale for each output: matrix [rows, ...] to values of the same shape, scales
 * [rows], and the largest Euclidean norm of a row.
 */
export function quantizeChannels(
  matrix: Float32Array,
  rows: number,
): { values: Int8Array; scales: Float32Array; norm: number } {
  const columns = matrix.length / rows;
  const values = new Int8Array(matrix.length);
  const scales = new Float32Array(rows);
  let norm = 0;
  for (let r = 0; r < rows; r++) {
    let largest = 0;
    let squares = 0;
    for (let i = r * columns; i < (r + 1) * columns; i++) {
      largest = Math.max(largest, Math.abs(matrix[i]!));
      squares += matrix[i]! * matrix[i]!;
    }
    norm = Math.max(norm, Math.sqrt(squares));
    scales[r] = largest > 0 ? largest / 127 : 1;
    for (let i = r * columns; i < (r + 1) * columns; i++) values[i] = Math.round(matrix[i]! / scales[r]!);
  }
  return { values, scales, norm: norm || 1 };
}

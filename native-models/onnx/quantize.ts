/** Inputs that share one scale. */
export const quantizedBlock = 256;

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

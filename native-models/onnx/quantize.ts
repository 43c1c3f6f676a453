/** Symmetric int8 by column: matrix [rows, columns] = values * scales[column]. */
export function quantizeColumns(matrix: Float32Array, rows: number, columns: number): { values: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const magnitude = Math.abs(matrix[r * columns + c]!);
      if (magnitude > scales[c]!) scales[c] = magnitude;
    }
  }
  for (let c = 0; c < columns; c++) scales[c] = scales[c]! > 0 ? scales[c]! / 127 : 1;
  const values = new Int8Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) values[r * columns + c] = Math.round(matrix[r * columns + c]! / scales[c]!);
  }
  return { values, scales };
}

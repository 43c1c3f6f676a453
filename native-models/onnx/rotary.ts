import type { Graph, Value } from './graph.js';
import type { Layers } from './layers.js';

/** Cosines and sines for every token of a grid, [tokens, headWidth / 2] each. */
export interface RotaryTable {
  cos: Value;
  sin: Value;
  start: Value;
}

/**
 * Two-dimensional rotary embedding with base `base` (RoPE100: 100): a head's features are split in two halves, the
 * first rotated by the token's row, the second by its column; within a half of D features, feature i is paired with i +
 * D/2 at frequency base^(-2i/D).
 *
 * ONNX Runtime's fused operator pairs feature i with i + headWidth/2. `rotaryOrder` reorders the rows of the query and
 * key projections so that both say the same; q.k does not change under a common permutation, so nothing else need know.
 */
export function rotaryOrder(heads: number, headWidth: number): Int32Array {
  const quarter = headWidth / 4;
  const order = new Int32Array(heads * headWidth);
  // Quarters of a head as stored: row a, row b, column a, column b. As wanted: row a, column a, row b, column b.
  const source = [0, 2, 1, 3];
  for (let head = 0; head < heads; head++) {
    for (let k = 0; k < headWidth; k++)
      order[head * headWidth + k] = head * headWidth + source[Math.floor(k / quarter)]! * quarter + (k % quarter);
  }
  return order;
}

/** @param rows, columns int64 scalars: the token grid, row-major. */
export function rotaryTable(layers: Layers, rows: Value, columns: Value, headWidth: number, base: number): RotaryTable {
  const { graph } = layers;
  const count = graph.node('Mul', [rows, columns]);
  const token = graph.node('Range', [graph.int(0), count, graph.int(1)]);
  const row = graph.node('Div', [token, columns]);
  const column = graph.node('Sub', [token, graph.node('Mul', [row, columns])]);
  return rotaryTableOf(layers, row, column, headWidth, base);
}

/** @param row, column int64 [tokens]: each token's position. */
export function rotaryTableOf(layers: Layers, row: Value, column: Value, headWidth: number, base: number): RotaryTable {
  const { graph } = layers;
  const quarter = headWidth / 4;
  const frequency = graph.floats(
    Array.from({ length: quarter }, (_, i) => base ** (-i / quarter)),
    [1, quarter],
  );
  const angle = (position: Value) =>
    graph.node('Mul', [
      graph.node('Unsqueeze', [graph.node('Cast', [position], { attributes: { to: 1 } }), graph.ints([1])]),
      frequency,
    ]);
  const angles = graph.node('Concat', [angle(row), angle(column)], { attributes: { axis: 1 } });
  return {
    cos: layers.enter(graph.node('Cos', [angles])),
    sin: layers.enter(graph.node('Sin', [angles])),
    start: graph.ints([0]),
  };
}

/** Rotates tokens [batch, tokens, heads * headWidth] whose features are in `rotaryOrder`. */
export function rotate(graph: Graph, x: Value, table: RotaryTable, heads: number): Value {
  return graph.node('RotaryEmbedding', [x, table.start, table.cos, table.sin], {
    domain: 'com.microsoft',
    attributes: { num_heads: heads },
  });
}

import { queryKeyValue } from '../onnx/attention.js';
import type { Value } from '../onnx/graph.js';
import type { Layers } from '../onnx/layers.js';
import { rotaryOrder, rotate, type RotaryTable } from '../onnx/rotary.js';

export interface BlockShape {
  width: number;
  heads: number;
  hidden: number;
  /** Of the block's two layer normalisations. */
  epsilon: number;
}

export interface BlockOptions {
  /** Queries and keys are normalised, head by head, and rotated by this. Absent: neither. */
  table?: RotaryTable;
  /** Attention over the tokens of all views together, instead of inside each. */
  global?: boolean;
}

const headEpsilon = 1e-5;

/** The block of a DINOv2 vision transformer: x += gamma1 attention(norm1 x); x += gamma2 mlp(norm2 x). */
export function block(layers: Layers, x: Value, name: string, shape: BlockShape, options: BlockOptions = {}): Value {
  const { width, hidden, epsilon } = shape;
  const normed = layers.layerNorm(x, `${name}.norm1`, width, epsilon);
  const seen = layers.add(x, attention(layers, normed, name, shape, options));
  const inner = layers.linear(
    layers.layerNorm(seen, `${name}.norm2`, width, epsilon),
    `${name}.mlp.fc1`,
    width,
    hidden,
  );
  const out = layers.linear(layers.gelu(inner), `${name}.mlp.fc2`, hidden, width, { gamma: `${name}.ls2.gamma` });
  return layers.add(seen, out);
}

function attention(layers: Layers, x: Value, block: string, shape: BlockShape, options: BlockOptions): Value {
  const { graph } = layers;
  const { width, heads } = shape;
  const { table, global } = options;
  const name = `${block}.attn`;
  let parts = queryKeyValue(layers, x, name, width, table ? { order: rotaryOrder(heads, width / heads) } : {});
  if (table) {
    const turn = (part: Value, norm: string) =>
      rotate(graph, headNorm(layers, part, `${name}.${norm}`, shape), table, heads);
    parts = [turn(parts[0], 'q_norm'), turn(parts[1], 'k_norm'), parts[2]];
  }
  // Positions are given before, so that the table is one view's.
  const together = (part: Value) => graph.node('Reshape', [part, graph.ints([1, -1, width])]);
  const [query, key, value] = global ? (parts.map(together) as typeof parts) : parts;
  const attended = layers.attention(query, key, value, heads, width);
  const apart = global ? graph.node('Reshape', [attended, graph.node('Shape', [x])]) : attended;
  return layers.linear(apart, `${name}.proj`, width, width, { gamma: `${block}.ls1.gamma` });
}

/** Normalisation over each head's features, which lie in `rotaryOrder`. */
function headNorm(layers: Layers, x: Value, name: string, { width, heads }: BlockShape): Value {
  const { graph } = layers;
  const headWidth = width / heads;
  const split = graph.node('Reshape', [x, graph.ints([0, 0, heads, headWidth])]);
  const normed = layers.layerNorm(split, name, headWidth, headEpsilon, rotaryOrder(1, headWidth));
  return graph.node('Reshape', [normed, graph.ints([0, 0, width])]);
}

import type { Value } from './graph.js';
import { reordered, type Layers } from './layers.js';

export interface PackedOptions {
  /** Of the queries' and keys' rows: `rotaryOrder` where they are rotated. */
  order?: ArrayLike<number>;
}

/**
 * Queries, keys and values of tokens [batch, tokens, width], packed in one matrix `name.qkv` [3 width, width] of the
 * checkpoint. Three products: cheaper than one and the copies that splitting it takes.
 */
export function queryKeyValue(
  layers: Layers,
  x: Value,
  name: string,
  width: number,
  { order }: PackedOptions = {},
): [Value, Value, Value] {
  const load = layers.weights.take(`${name}.qkv.weight`, [3 * width, width]);
  const loadBias = layers.weights.take(`${name}.qkv.bias`, [3 * width]);
  const part = (index: number, suffix: string): Value => {
    const rows = Int32Array.from({ length: width }, (_, k) => index * width + (order && index < 2 ? order[k]! : k));
    const bias = layers.parameter(`${name}.${suffix}.bias`, [width], async () => {
      const values = await loadBias();
      return Float32Array.from(rows, (row) => values[row]!);
    });
    return layers.product(x, `${name}.${suffix}`, width, width, async () => reordered(await load(), width, rows), bias);
  };
  return [part(0, 'query'), part(1, 'key'), part(2, 'value')];
}

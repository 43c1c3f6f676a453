import type { Value } from '../onnx/graph.js';
import { reordered, type Layers } from '../onnx/layers.js';
import { rotaryOrder, rotate, type RotaryTable } from '../onnx/rotary.js';
import type { CompactShape } from './config.js';

/**
 * Attention of x to a memory; queries and keys are normalised per head by their root mean square. Rows of the query and
 * key projections, and the scales, are stored in `rotaryOrder`; a norm does not change under a permutation.
 */
function attention(
  layers: Layers,
  x: Value,
  memory: Value,
  name: string,
  shape: CompactShape,
  own: RotaryTable,
  others: RotaryTable,
): Value {
  const { graph, weights } = layers;
  const { width, headWidth } = shape;
  const heads = width / headWidth;
  const order = rotaryOrder(heads, headWidth);
  const load = weights.take(`${name}.keyvalue.weight`, [2 * width, width]);
  const loadBias = weights.take(`${name}.keyvalue.bias`, [2 * width]);
  const half = (suffix: string, rows: Int32Array): Value => {
    const bias = layers.parameter(`${name}.${suffix}.bias`, [width], async () => {
      const values = await loadBias();
      return Float32Array.from(rows, (row) => values[row]!);
    });
    return layers.product(
      memory,
      `${name}.${suffix}`,
      width,
      width,
      async () => reordered(await load(), width, rows),
      bias,
    );
  };
  const normalised = (value: Value, scale: string, table: RotaryTable): Value => {
    const split = graph.node('Reshape', [value, graph.ints([0, 0, heads, headWidth])]);
    const stored = layers.vector(`${name}.${scale}`, headWidth, order.subarray(0, headWidth));
    const norm = graph.node('SimplifiedLayerNormalization', [split, stored], {
      attributes: { axis: -1, epsilon: { float: shape.normEpsilon } },
    });
    return rotate(graph, graph.node('Reshape', [norm, graph.ints([0, 0, width])]), table, heads);
  };
  const query = normalised(layers.linear(x, `${name}.query`, width, width, { rowOrder: order }), 'query_scale', own);
  const key = normalised(half('key', order), 'key_scale', others);
  const value = half(
    'value',
    Int32Array.from({ length: width }, (_, k) => width + k),
  );
  return layers.linear(layers.attention(query, key, value, heads, width), `${name}.output`, width, width);
}

function perceptron(layers: Layers, x: Value, name: string, { width, mlpRatio }: CompactShape): Value {
  return layers.linear(
    layers.gelu(layers.linear(x, `${name}.expand`, width, mlpRatio * width)),
    `${name}.reduce`,
    mlpRatio * width,
    width,
  );
}

/** x += attention(norm1 x); x += perceptron(norm2 x). */
export function viewBlock(layers: Layers, x: Value, name: string, shape: CompactShape, table: RotaryTable): Value {
  const norm = layers.layerNorm(x, `${name}.norm1`, shape.width);
  const seen = layers.add(x, attention(layers, norm, norm, `${name}.attention`, shape, table, table));
  return layers.add(
    seen,
    perceptron(layers, layers.layerNorm(seen, `${name}.norm2`, shape.width), `${name}.perceptron`, shape),
  );
}

/** A view block with attention to the other view's tokens, as they were, in the middle. */
export function crossBlock(
  layers: Layers,
  x: Value,
  other: Value,
  name: string,
  shape: CompactShape,
  own: RotaryTable,
  others: RotaryTable,
): Value {
  const norm = layers.layerNorm(x, `${name}.norm1`, shape.width);
  const seen = layers.add(x, attention(layers, norm, norm, `${name}.attention`, shape, own, own));
  const memory = layers.layerNorm(other, `${name}.norm_memory`, shape.width);
  const crossed = layers.add(
    seen,
    attention(
      layers,
      layers.layerNorm(seen, `${name}.norm2`, shape.width),
      memory,
      `${name}.cross`,
      shape,
      own,
      others,
    ),
  );
  return layers.add(
    crossed,
    perceptron(layers, layers.layerNorm(crossed, `${name}.norm3`, shape.width), `${name}.perceptron`, shape),
  );
}

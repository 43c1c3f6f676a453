import { queryKeyValue } from '../onnx/attention.js';
import type { Value } from '../onnx/graph.js';
import type { Layers } from '../onnx/layers.js';
import { rotaryOrder, rotate, type RotaryTable } from '../onnx/rotary.js';
import type { Width } from './config.js';

function selfAttention(layers: Layers, x: Value, name: string, { width, heads }: Width, table: RotaryTable): Value {
  const [query, key, value] = queryKeyValue(layers, x, name, width, { order: rotaryOrder(heads, width / heads) });
  const turned = [query, key].map((part) => rotate(layers.graph, part, table, heads)) as [Value, Value];
  return layers.linear(layers.attention(...turned, value, heads, width), `${name}.proj`, width, width);
}

function crossAttention(
  layers: Layers,
  x: Value,
  memory: Value,
  name: string,
  { width, heads }: Width,
  own: RotaryTable,
  other: RotaryTable,
): Value {
  const rowOrder = rotaryOrder(heads, width / heads);
  const query = rotate(layers.graph, layers.linear(x, `${name}.projq`, width, width, { rowOrder }), own, heads);
  const key = rotate(layers.graph, layers.linear(memory, `${name}.projk`, width, width, { rowOrder }), other, heads);
  const attended = layers.attention(query, key, layers.linear(memory, `${name}.projv`, width, width), heads, width);
  return layers.linear(attended, `${name}.proj`, width, width);
}

function perceptron(layers: Layers, x: Value, name: string, { width, hidden }: Width): Value {
  return layers.linear(layers.gelu(layers.linear(x, `${name}.fc1`, width, hidden)), `${name}.fc2`, hidden, width);
}

/** x += attention(norm1 x); x += mlp(norm2 x). */
export function encoderBlock(layers: Layers, x: Value, name: string, size: Width, table: RotaryTable): Value {
  const seen = layers.add(
    x,
    selfAttention(layers, layers.layerNorm(x, `${name}.norm1`, size.width), `${name}.attn`, size, table),
  );
  return layers.add(seen, perceptron(layers, layers.layerNorm(seen, `${name}.norm2`, size.width), `${name}.mlp`, size));
}

/** Self-attention, cross-attention to the other view's tokens as they were, then the perceptron. */
export function decoderBlock(
  layers: Layers,
  x: Value,
  other: Value,
  name: string,
  size: Width,
  own: RotaryTable,
  others: RotaryTable,
): Value {
  const seen = layers.add(
    x,
    selfAttention(layers, layers.layerNorm(x, `${name}.norm1`, size.width), `${name}.attn`, size, own),
  );
  const memory = layers.layerNorm(other, `${name}.norm_y`, size.width);
  const crossed = layers.add(
    seen,
    crossAttention(
      layers,
      layers.layerNorm(seen, `${name}.norm2`, size.width),
      memory,
      `${name}.cross_attn`,
      size,
      own,
      others,
    ),
  );
  return layers.add(
    crossed,
    perceptron(layers, layers.layerNorm(crossed, `${name}.norm3`, size.width), `${name}.mlp`, size),
  );
}

import type { Value } from './graph.js';
import { transposed, type Layers } from './layers.js';

/** int64 scalars: a view's token grid. */
export interface Grid {
  rows: Value;
  columns: Value;
}

/** A shape made of numbers and int64 scalars. */
export function dims(layers: Layers, parts: (number | Value)[]): Value {
  const { graph } = layers;
  return graph.node(
    'Concat',
    parts.map((part) =>
      typeof part === 'number' ? graph.ints([part]) : graph.node('Unsqueeze', [part, graph.ints([0])]),
    ),
    { attributes: { axis: 0 } },
  );
}

/** Tokens [batch, tokens, channels] as a map [batch, channels, rows, columns]. */
export function tokenMap(layers: Layers, tokens: Value, channels: number, grid: Grid): Value {
  const { graph } = layers;
  const flat = graph.node('Transpose', [tokens], { attributes: { perm: [0, 2, 1] } });
  return graph.node('Reshape', [flat, dims(layers, [0, channels, grid.rows, grid.columns])]);
}

/**
 * A transposed convolution `name` whose stride is its kernel, on tokens [batch, tokens, channels]: a linear layer
 * followed by depth-to-space. To a map [batch, channels, factor rows, factor columns].
 */
export function spreadTokens(
  layers: Layers,
  tokens: Value,
  name: string,
  { channels, factor, grid }: { channels: number; factor: number; grid: Grid },
): Value {
  const { weights, graph } = layers;
  // Stored as [in, out, factor, factor]: the transpose of a linear layer's matrix.
  const stored = weights.take(`${name}.weight`, [channels, channels, factor, factor]);
  const width = channels * factor * factor;
  const loadBias = weights.take(`${name}.bias`, [channels]);
  const bias = layers.parameter(`${name}.bias`, [width], async () => {
    const values = await loadBias();
    return Float32Array.from({ length: width }, (_, k) => values[Math.floor(k / (factor * factor))]!);
  });
  const rows = async () => transposed(await stored(), channels, width);
  const map = tokenMap(layers, layers.product(tokens, name, channels, width, rows, bias), width, grid);
  return graph.node('DepthToSpace', [map], { attributes: { blocksize: factor, mode: 'CRD' } });
}

/** relu, convolution, relu, convolution, plus the input (DPT's residual unit). */
export function residualUnit(layers: Layers, x: Value, name: string, channels: number): Value {
  const same = { from: channels, to: channels, kernel: 3, padding: 1 };
  const inner = layers.convolution(layers.graph.node('Relu', [x]), `${name}.conv1`, same);
  return layers.add(layers.convolution(layers.graph.node('Relu', [inner]), `${name}.conv2`, same), x);
}

import { dims, type Grid } from '../onnx/dense-maps.js';
import type { Value } from '../onnx/graph.js';
import { reordered, transposed, type Layers } from '../onnx/layers.js';
import { QuantizedMaps } from '../onnx/quantized-maps.js';
import { storedRefinement } from './dense-head.js';

/** Places in so many that a convolution's probe looks at, by level: about a thousand on an image of 512x384. */
const probes = [3, 2, 1, 1] as const;

/**
 * The dense prediction head (see dense-head.ts) with its convolutions in 8 bits, channels last: tokens are so already,
 * and maps stay so to the end. Sums along the residual path are float32.
 */
export function denseHeadInt8(layers: Layers, tokens: Value[], widths: number[], head: string, grid: Grid): Value {
  const { graph, weights } = layers;
  const maps = new QuantizedMaps(layers);
  const name = `${head}.dpt`;
  const scratch = `${name}.scratch`;
  const features = weights.shape(`${scratch}.refinenet1.out_conv.weight`)?.[0] ?? 256;
  const levels = tokens.map((set, level) => {
    const { value, channels } = reassemble(
      layers,
      maps,
      set,
      widths[level]!,
      `${name}.act_postprocess.${level}`,
      level,
      grid,
    );
    return maps.convolution(maps.enter(value), storedRefinement(layers, scratch, level), {
      from: channels,
      to: features,
      kernel: 3,
      bias: false,
      probe: probes[level]!,
    });
  });
  let path: Value | undefined;
  for (const level of [3, 2, 1, 0]) {
    const block = `${scratch}.refinenet${level + 1}`;
    const map = maps.leave(levels[level]!);
    let joined = map;
    if (path)
      joined = layers.add(
        level === 2 ? cropTo(layers, path, map) : path,
        residual(layers, maps, map, `${block}.resConfUnit1`, features, level),
      );
    else
      for (const part of ['conv1.weight', 'conv1.bias', 'conv2.weight', 'conv2.bias'])
        weights.use(`${block}.resConfUnit1.${part}`);
    const refined = residual(layers, maps, joined, `${block}.resConfUnit2`, features, level);
    const out = `${block}.out_conv`;
    const mixed = layers.product(
      refined,
      out,
      features,
      features,
      weights.take(`${out}.weight`, [features, features, 1, 1]),
      layers.vector(`${out}.bias`, features),
    );
    path = upsample(layers, mixed);
  }
  const half = weights.shape(`${name}.head.0.weight`)?.[0] ?? features / 2;
  const last = weights.shape(`${name}.head.2.weight`)?.[0] ?? half;
  const coarse = maps.convolution(maps.enter(path!), `${name}.head.0`, {
    from: features,
    to: half,
    kernel: 3,
    probe: 3,
  });
  const fine = maps.convolution({ ...coarse, bytes: upsample(layers, coarse.bytes) }, `${name}.head.2`, {
    from: half,
    to: last,
    kernel: 3,
    relu: true,
    probe: 5,
  });
  // What decides depths and confidences is computed in float32.
  const load = weights.take(`${name}.head.4.weight`, [4, last, 1, 1]);
  const matrix = layers.parameter(`${name}.head.4.weight`, [last, 4], async () => transposed(await load(), 4, last));
  return layers.add(graph.node('MatMul', [maps.leave(fine), matrix]), layers.vector(`${name}.head.4.bias`, 4));
}

/**
 * Brings one token set to its resolution: x4, x2, x1, x1/2 of the token grid; [batch, rows, columns, channels],
 * float32.
 */
function reassemble(
  layers: Layers,
  maps: QuantizedMaps,
  tokens: Value,
  width: number,
  name: string,
  level: number,
  grid: Grid,
): { value: Value; channels: number } {
  const { graph, weights } = layers;
  const channels = weights.shape(`${name}.0.weight`)?.[0] ?? 96 * 2 ** level;
  const projected = layers.product(
    tokens,
    `${name}.0`,
    width,
    channels,
    weights.take(`${name}.0.weight`, [channels, width, 1, 1]),
    layers.vector(`${name}.0.bias`, channels),
  );
  const asMap = (value: Value) => graph.node('Reshape', [value, dims(layers, [0, grid.rows, grid.columns, channels])]);
  if (level === 2) return { value: asMap(projected), channels };
  if (level === 3)
    return {
      value: maps.leave(
        maps.convolution(maps.enter(asMap(projected)), `${name}.1`, {
          from: channels,
          to: channels,
          kernel: 3,
          stride: 2,
          probe: 1,
        }),
      ),
      channels,
    };
  const factor = level === 0 ? 4 : 2;
  // A transposed convolution whose stride is its kernel is a linear layer; stored as [in, out, factor, factor], wanted
  // as rows (row, column, out), so that a pixel's channels lie side by side.
  const places = factor * factor;
  const order = Int32Array.from(
    { length: channels * places },
    (_, k) => (k % channels) * places + Math.floor(k / channels),
  );
  const stored = weights.take(`${name}.1.weight`, [channels, channels, factor, factor]);
  const loadBias = weights.take(`${name}.1.bias`, [channels]);
  const repeated = layers.parameter(`${name}.1.bias`, [order.length], async () => {
    const values = await loadBias();
    return Float32Array.from(order, (_, k) => values[k % channels]!);
  });
  const spread = layers.product(
    projected,
    `${name}.1`,
    channels,
    order.length,
    async () => reordered(transposed(await stored(), channels, order.length), channels, order),
    repeated,
  );
  const split = graph.node('Reshape', [spread, dims(layers, [0, grid.rows, grid.columns, factor, factor, channels])]);
  const laid = graph.node('Transpose', [split], { attributes: { perm: [0, 1, 3, 2, 4, 5] } });
  const times = (side: Value) => graph.node('Mul', [side, graph.int(factor)]);
  return {
    value: graph.node('Reshape', [laid, dims(layers, [0, times(grid.rows), times(grid.columns), channels])]),
    channels,
  };
}

/** relu, convolution, relu, convolution, plus the input. */
function residual(layers: Layers, maps: QuantizedMaps, x: Value, name: string, features: number, level: number): Value {
  const same = { from: features, to: features, kernel: 3, probe: probes[level]! };
  const inner = maps.convolution(maps.enter(layers.graph.node('Relu', [x])), `${name}.conv1`, { ...same, relu: true });
  return layers.add(maps.leave(maps.convolution(inner, `${name}.conv2`, same)), x);
}

/** Twice the rows and columns, bilinear, corners aligned; of bytes as of floats. */
function upsample(layers: Layers, map: Value): Value {
  return layers.graph.node('Resize', [map, undefined, layers.graph.floats([1, 2, 2, 1])], {
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
  });
}

function cropTo(layers: Layers, map: Value, like: Value): Value {
  const { graph } = layers;
  const ends = graph.node('Slice', [graph.node('Shape', [like]), graph.ints([1]), graph.ints([3])]);
  return graph.node('Slice', [map, graph.ints([0, 0]), ends, graph.ints([1, 2])]);
}

import { dims, residualUnit, spreadTokens, tokenMap, type Grid } from '../onnx/dense-maps.js';
import { Graph, type Value } from '../onnx/graph.js';
import { Layers, transposed, type Precision } from '../onnx/layers.js';
import type { Weights } from '../onnx/weights.js';
import { head, type Da3Shape } from './config.js';
import { withPositions } from './position-maps.js';

const scratch = `${head}.scratch`;

/** The head's inputs: `features_0..3` [batch, patches, 2 width] of the group graph and `grid` (int64: rows, columns). */
function inputs(layers: Layers, shape: Da3Shape): { features: Value[]; grid: Grid } {
  const { graph } = layers;
  const features = [0, 1, 2, 3].map((level) =>
    layers.enter(graph.input(`features_${level}`, 'float32', ['batch', 'patches', 2 * shape.width])),
  );
  const sides = graph.input('grid', 'int64', [2]);
  const [rows, columns] = [0, 1].map((axis) => graph.node('Gather', [sides, graph.int(axis)])) as [Value, Value];
  return { features, grid: { rows, columns } };
}

/** Brings a feature to its resolution: x4, x2, x1, x1/2 of the token grid; channels of its level. */
function reassemble(layers: Layers, feature: Value, level: number, shape: Da3Shape, grid: Grid): Value {
  const channels = shape.channels[level]!;
  const double = 2 * shape.width;
  const normed = layers.layerNorm(feature, `${head}.norm`, double, 1e-5);
  const name = `${head}.projects.${level}`;
  const load = layers.weights.take(`${name}.weight`, [channels, double, 1, 1]);
  const projected = layers.product(normed, name, double, channels, load, layers.vector(`${name}.bias`, channels));
  const map = withPositions(layers, tokenMap(layers, projected, channels, grid), channels, grid);
  if (level === 2) return map;
  const resize = `${head}.resize_layers.${level}`;
  if (level === 3)
    return layers.convolution(map, resize, { from: channels, to: channels, kernel: 3, stride: 2, padding: 1 });
  const tokens = layers.graph.node(
    'Transpose',
    [layers.graph.node('Reshape', [map, layers.graph.ints([0, channels, -1])])],
    {
      attributes: { perm: [0, 2, 1] },
    },
  );
  return spreadTokens(layers, tokens, resize, { channels, factor: level === 0 ? 4 : 2, grid });
}

/** To rows and columns of a number of times the grid's; bilinear, corners aligned. */
function resized(layers: Layers, map: Value, channels: number, grid: Grid, times: number): Value {
  const { graph } = layers;
  const side = (tokens: Value) => graph.node('Mul', [tokens, graph.int(times)]);
  const batch = graph.node('Slice', [graph.node('Shape', [map]), graph.ints([0]), graph.ints([1])]);
  const rest = dims(layers, [channels, side(grid.rows), side(grid.columns)]);
  const sizes = graph.node('Concat', [batch, rest], { attributes: { axis: 0 } });
  return graph.node('Resize', [map, undefined, undefined, sizes], {
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
  });
}

/**
 * Fusion from coarse to fine, to [batch, features, 8 rows, 8 columns]; `suffix` tells the main one from the auxiliary.
 * The 1x1 convolution at the end of each step commutes with the resampling before it, and runs first, on fewer pixels.
 */
function fused(layers: Layers, features: Value[], shape: Da3Shape, grid: Grid, suffix: '' | '_aux'): Value {
  const { features: channels } = shape;
  let path: Value | undefined;
  for (const level of [3, 2, 1, 0]) {
    const map = layers.convolution(
      reassemble(layers, features[level]!, level, shape, grid),
      `${scratch}.layer${level + 1}_rn`,
      { from: shape.channels[level]!, to: channels, kernel: 3, padding: 1, bias: false },
    );
    const name = `${scratch}.refinenet${level + 1}${suffix}`;
    const joined = path ? layers.add(path, residualUnit(layers, map, `${name}.resConfUnit1`, channels)) : map;
    const refined = residualUnit(layers, joined, `${name}.resConfUnit2`, channels);
    const mixed = layers.convolution(refined, `${name}.out_conv`, { from: channels, to: channels, kernel: 1 });
    path = resized(layers, mixed, channels, grid, [8, 4, 2, 1][level]!);
  }
  return path!;
}

/** 1 + exp(x). */
function confidence(layers: Layers, logit: Value): Value {
  const { graph } = layers;
  return graph.node('Add', [graph.node('Exp', [logit]), graph.floats([1], [])]);
}

/** Channels [batch, n, rows, columns] apart, in float32. */
function apart(layers: Layers, map: Value, sizes: number[]): Value[] {
  return layers.graph.split('Split', [layers.leave(map), layers.graph.ints(sizes)], {
    attributes: { axis: 1 },
    outputs: sizes.length,
  });
}

/** The dense head: depth along z and confidence, `depth`, `confidence` [batch, height, width]. */
export function buildDepthHead(weights: Weights, shape: Da3Shape, precision: Precision): Graph {
  const graph = new Graph('da3 depth head');
  const layers = new Layers(graph, weights, precision);
  const { features, grid } = inputs(layers, shape);
  const half = shape.features / 2;
  const path = fused(layers, features, shape, grid, '');
  const coarse = layers.convolution(path, `${scratch}.output_conv1`, {
    from: shape.features,
    to: half,
    kernel: 3,
    padding: 1,
  });
  const fine = withPositions(layers, resized(layers, coarse, half, grid, shape.patch), half, grid);
  const width = weights.shape(`${scratch}.output_conv2.0.weight`)?.[0] ?? 32;
  const inner = layers.convolution(fine, `${scratch}.output_conv2.0`, { from: half, to: width, kernel: 3, padding: 1 });
  const out = layers.convolution(graph.node('Relu', [inner]), `${scratch}.output_conv2.2`, {
    from: width,
    to: 2,
    kernel: 1,
  });
  const [logDepth, logit] = apart(layers, out, [1, 1]).map((part) => graph.node('Squeeze', [part, graph.ints([1])]));
  graph.output('depth', graph.node('Exp', [logDepth!]), 'float32', ['batch', 'height', 'width']);
  graph.output('confidence', confidence(layers, logit!), 'float32', ['batch', 'height', 'width']);
  return graph;
}

/**
 * The auxiliary head: `ray` [batch, 8 rows, 8 columns, 6] and `ray_confidence` [batch, 8 rows, 8 columns]. Apart from the
 * other because it costs twice as much, and depth and cameras say the same.
 */
export function buildRayHead(weights: Weights, shape: Da3Shape, precision: Precision): Graph {
  const graph = new Graph('da3 ray head');
  const layers = new Layers(graph, weights, precision);
  const { features, grid } = inputs(layers, shape);
  let map = fused(layers, features, shape, grid, '_aux');
  const first = `${scratch}.output_conv1_aux`;
  let channels = shape.features;
  for (let k = 0; k < 5; k++) {
    const to = weights.shape(`${first}.3.${k}.weight`)?.[0] ?? channels;
    map = layers.convolution(map, `${first}.3.${k}`, { from: channels, to, kernel: 3, padding: 1 });
    channels = to;
  }
  const second = `${scratch}.output_conv2_aux`;
  const width = weights.shape(`${second}.3.0.weight`)?.[0] ?? 32;
  const placed = withPositions(layers, map, channels, grid);
  const inner = layers.convolution(placed, `${second}.3.0`, { from: channels, to: width, kernel: 3, padding: 1 });
  const last = graph.node('Transpose', [inner], { attributes: { perm: [0, 2, 3, 1] } });
  const normed = graph.node('Relu', [layers.layerNorm(last, `${second}.3.2`, width, 1e-5)]);
  const load = weights.take(`${second}.3.5.weight`, [7, width, 1, 1]);
  const out = layers.parameter(`${second}.3.5.weight`, [width, 7], async () => transposed(await load(), 7, width));
  const product = layers.leave(layers.add(graph.node('MatMul', [normed, out]), layers.vector(`${second}.3.5.bias`, 7)));
  const [ray, logit] = graph.split('Split', [product, graph.ints([6, 1])], { attributes: { axis: 3 }, outputs: 2 });
  const sides = ['batch', 'rows', 'columns'];
  graph.output('ray', ray!, 'float32', [...sides, 6]);
  const squeezed = graph.node('Squeeze', [logit!, graph.ints([3])]);
  graph.output('ray_confidence', confidence(layers, squeezed), 'float32', sides);
  // Stored for training only.
  for (const level of [0, 1, 2]) ignore(weights, [`${first}.${level}.`, `${second}.${level}.`]);
  return graph;
}

function ignore(weights: Weights, prefixes: string[]): void {
  for (const name of weights.names()) if (prefixes.some((prefix) => name.startsWith(prefix))) weights.use(name);
}

import { Graph, type Value } from '../onnx/graph.js';
import { Layers, type Precision } from '../onnx/layers.js';
import { rotaryTableOf, type RotaryTable } from '../onnx/rotary.js';
import type { Weights } from '../onnx/weights.js';
import { block } from './blocks.js';
import { backbone, cameraDecoder, type Da3Shape } from './config.js';
import { backboneBlock } from './photo.js';

/**
 * Positions of the camera token and of one view's patches. Local blocks: (0, 0), and (row + 1, column + 1); global ones:
 * (0, 0), and (1, 1) for all.
 */
function tables(
  layers: Layers,
  grid: Value,
  { width, heads, rotaryBase }: Da3Shape,
): Record<'local' | 'global', RotaryTable> {
  const { graph } = layers;
  const [rows, columns] = [0, 1].map((axis) => graph.node('Gather', [grid, graph.int(axis)])) as [Value, Value];
  const patch = graph.node('Range', [graph.int(0), graph.node('Mul', [rows, columns]), graph.int(1)]);
  const row = graph.node('Div', [patch, columns]);
  const column = graph.node('Sub', [patch, graph.node('Mul', [row, columns])]);
  const withCamera = (positions: Value) =>
    graph.node('Concat', [graph.ints([0]), graph.node('Add', [positions, graph.int(1)])], { attributes: { axis: 0 } });
  const one = withCamera(graph.node('Mul', [patch, graph.int(0)]));
  return {
    local: rotaryTableOf(layers, withCamera(row), withCamera(column), width / heads, rotaryBase),
    global: rotaryTableOf(layers, one, one, width / heads, rotaryBase),
  };
}

/** A feature taken after a block: the tokens after the last local block beside the tokens now, these normalised. */
function taken(layers: Layers, local: Value, now: Value, width: number): { camera: Value; patches: Value } {
  const { graph } = layers;
  const beside = (left: Value, right: Value) => graph.node('Concat', [left, right], { attributes: { axis: 2 } });
  const part = (x: Value, from: number, to: number) =>
    graph.node('Slice', [x, graph.ints([from]), graph.ints([to]), graph.ints([1])]);
  const rest = 2 ** 31 - 1;
  const normed = layers.layerNorm(part(now, 1, rest), `${backbone}.norm`, width, 1e-5);
  const camera = beside(part(local, 0, 1), part(now, 0, 1));
  return {
    camera: graph.node('Squeeze', [camera, graph.ints([1])]),
    patches: beside(part(local, 1, rest), normed),
  };
}

/** A view's camera from its feature [views, 2 width]: translation (3), quaternion (x, y, z, w), fields of view (2). */
function camera(layers: Layers, feature: Value, width: number): Value {
  const { graph } = layers;
  const double = 2 * width;
  const relu = (x: Value) => graph.node('Relu', [x]);
  const name = cameraDecoder;
  const first = relu(layers.linear(feature, `${name}.backbone.0`, double, double));
  const second = relu(layers.linear(first, `${name}.backbone.2`, double, double));
  const part = (suffix: string, size: number) => layers.linear(second, `${name}.${suffix}`, double, size);
  return graph.node('Concat', [part('fc_t', 3), part('fc_qvec', 4), relu(part('fc_fov.0', 2))], {
    attributes: { axis: 1 },
  });
}

/**
 * The blocks that look at several views: `tokens` [views, 1 + patches, width] of the photo graph, the reference first;
 * `cameras` [views, width], a token for each view (of the checkpoint, or from given cameras); `grid` (int64: rows,
 * columns); to `features_0..3` [views, patches, 2 width], `camera_token_0..3` [views, 2 width] and `camera` [views, 9].
 */
export function buildGroup(weights: Weights, shape: Da3Shape, precision: Precision): Graph {
  const graph = new Graph('da3 group');
  const layers = new Layers(graph, weights, precision);
  const { width, depth, alternateFrom } = shape;
  const tokens = layers.enter(graph.input('tokens', 'float32', ['views', 'tokens', width]));
  const cameras = layers.enter(graph.input('cameras', 'float32', ['views', width]));
  const { local: localTable, global: globalTable } = tables(layers, graph.input('grid', 'int64', [2]), shape);
  const patches = graph.node('Slice', [tokens, graph.ints([1]), graph.ints([2 ** 31 - 1]), graph.ints([1])]);
  const placed = graph.node('Unsqueeze', [cameras, graph.ints([1])]);
  let x = graph.node('Concat', [placed, patches], { attributes: { axis: 1 } });
  let local = x;
  for (let i = alternateFrom; i < depth; i++) {
    const global = i % 2 === 1;
    const table = global ? globalTable : localTable;
    x = block(layers, x, `${backbone}.blocks.${i}`, backboneBlock(shape), { table, global });
    if (!global) local = x;
    const level = shape.taken.indexOf(i);
    if (level < 0) continue;
    const feature = taken(layers, local, x, width);
    graph.output(`features_${level}`, layers.leave(feature.patches), 'float32', ['views', 'patches', 2 * width]);
    graph.output(`camera_token_${level}`, layers.leave(feature.camera), 'float32', ['views', 2 * width]);
    if (level === 3)
      graph.output('camera', layers.leave(camera(layers, feature.camera, width)), 'float32', ['views', 9]);
  }
  return graph;
}

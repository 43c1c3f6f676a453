import { Graph } from '../onnx/graph.js';
import { Layers } from '../onnx/layers.js';
import type { Weights } from '../onnx/weights.js';
import { block } from './blocks.js';
import { backbone, cameraEncoder, type Da3Shape } from './config.js';

const epsilon = 1e-5;
const trunk = 4;

/**
 * Tokens that tell the group graph of cameras. `cameras` [1, views, 9] (cameraNumbers) to `given` [1, views, width], the
 * camera encoder's; `roles` [views] (0: the reference view, 1: another) to `learned` [views, width], for views whose
 * cameras are not known. float32 in every precision: it is small, and poses are read from it.
 */
export function buildCameras(weights: Weights, { width, cameraHeads }: Da3Shape): Graph {
  const graph = new Graph('da3 cameras');
  const layers = new Layers(graph, weights, 'float32');
  const input = graph.input('cameras', 'float32', [1, 'views', 9]);
  const roles = graph.input('roles', 'int64', ['views']);
  const name = cameraEncoder;
  const hidden = weights.shape(`${name}.pose_branch.fc1.weight`)?.[0] ?? width / 2;
  const inner = layers.gelu(layers.linear(input, `${name}.pose_branch.fc1`, 9, hidden));
  let x = layers.linear(inner, `${name}.pose_branch.fc2`, hidden, width);
  x = layers.layerNorm(x, `${name}.token_norm`, width, epsilon);
  const shape = { width, heads: cameraHeads, hidden: 4 * width, epsilon };
  for (let i = 0; i < trunk; i++) x = block(layers, x, `${name}.trunk.${i}`, shape);
  graph.output('given', layers.layerNorm(x, `${name}.trunk_norm`, width, epsilon), 'float32', [1, 'views', width]);
  const stored = `${backbone}.camera_token`;
  const table = layers.parameter(stored, [1, 2, width], weights.take(stored, [1, 2, width]));
  const chosen = graph.node('Gather', [graph.node('Squeeze', [table, graph.ints([0])]), roles]);
  graph.output('learned', chosen, 'float32', ['views', width]);
  return graph;
}

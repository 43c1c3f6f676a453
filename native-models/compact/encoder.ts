import { dims } from '../onnx/dense-maps.js';
import { Graph, type Value } from '../onnx/graph.js';
import { Layers, type Precision } from '../onnx/layers.js';
import { rotaryTable } from '../onnx/rotary.js';
import type { Weights } from '../onnx/weights.js';
import { viewBlock } from './blocks.js';
import type { CompactShape } from './config.js';

/**
 * Features of one token: what the blocks made of it, and its four places of the head's skip, already of the head's
 * channels.
 */
export function featureWidth({ width, refine }: CompactShape): number {
  return width + 4 * refine;
}

/**
 * One view alone: `image` [batch, 3, height, width] in -1..1, sides multiples of 16, to `features` [batch, tokens,
 * featureWidth].
 */
export function buildCompactEncoder(weights: Weights, shape: CompactShape, precision: Precision): Graph {
  const graph = new Graph('compact encoder');
  const layers = new Layers(graph, weights, precision);
  const { width, stem, patch, refine, headWidth, rotaryBase } = shape;
  const image = layers.enter(graph.input('image', 'float32', ['batch', 3, 'height', 'width']));
  const sides = graph.node('Shape', [image]);
  const side = (axis: number) => graph.node('Div', [graph.node('Gather', [sides, graph.int(axis)]), graph.int(patch)]);
  const [rows, columns] = [side(2), side(3)];
  const channels = [3, ...stem, width];
  const halve = (map: Value, k: number) =>
    layers.convolution(map, `stem.layers.${k}`, {
      from: channels[k]!,
      to: channels[k + 1]!,
      kernel: 3,
      stride: 2,
      padding: 1,
    });
  let map = image;
  for (let k = 0; k < 3; k++) map = layers.gelu(halve(map, k));
  const grid = graph.node('Reshape', [halve(map, 3), graph.ints([0, width, -1])]);
  const table = rotaryTable(layers, rows, columns, headWidth, rotaryBase);
  let tokens = graph.node('Transpose', [grid], { attributes: { perm: [0, 2, 1] } });
  for (let block = 0; block < shape.viewBlocks; block++)
    tokens = viewBlock(layers, tokens, `view_blocks.${block}`, shape, table);
  // The inverse of the head's pixel shuffle: the skip joins before it, and travels with the tokens.
  const skip = layers.convolution(map, 'head.skip', { from: stem[2], to: refine, kernel: 1 });
  const split = graph.node('Reshape', [skip, dims(layers, [0, refine, rows, 2, columns, 2])]);
  const laid = graph.node('Transpose', [split], { attributes: { perm: [0, 2, 4, 1, 3, 5] } });
  const packed = graph.node('Reshape', [laid, graph.ints([0, -1, 4 * refine])]);
  const features = graph.node('Concat', [tokens, packed], { attributes: { axis: -1 } });
  graph.output('features', layers.leave(features), 'float32', ['batch', 'tokens', featureWidth(shape)]);
  return graph;
}

import type { Value } from '../onnx/graph.js';
import { Graph } from '../onnx/graph.js';
import { Layers, type Precision } from '../onnx/layers.js';
import { rotaryTable, type RotaryTable } from '../onnx/rotary.js';
import type { Weights } from '../onnx/weights.js';
import { encoderBlock } from './blocks.js';
import type { NetworkShape } from './config.js';

/** Patches of an image [batch, 3, height, width] as tokens [batch, tokens, width], row-major, and their grid. */
export function patchTokens(
  layers: Layers,
  image: Value,
  shape: NetworkShape,
): { tokens: Value; rows: Value; columns: Value } {
  const { graph } = layers;
  const { patch, encoder } = shape;
  const sides = graph.node('Shape', [image]);
  const side = (axis: number) => graph.node('Div', [graph.node('Gather', [sides, graph.int(axis)]), graph.int(patch)]);
  const map = layers.convolution(image, 'patch_embed.proj', {
    from: 3,
    to: encoder.width,
    kernel: patch,
    stride: patch,
  });
  const flat = graph.node('Reshape', [map, graph.ints([0, encoder.width, -1])]);
  return {
    tokens: graph.node('Transpose', [flat], { attributes: { perm: [0, 2, 1] } }),
    rows: side(2),
    columns: side(3),
  };
}

export function encoderBlocks(layers: Layers, tokens: Value, shape: NetworkShape, table: RotaryTable): Value {
  let x = tokens;
  for (let block = 0; block < shape.encoder.depth; block++)
    x = encoderBlock(layers, x, `enc_blocks.${block}`, shape.encoder, table);
  return layers.layerNorm(x, 'enc_norm', shape.encoder.width);
}

/**
 * The encoder: `image` [batch, 3, height, width] in -1..1, sides multiples of the patch, to `features` [batch, tokens,
 * width].
 */
export function buildEncoder(weights: Weights, shape: NetworkShape, precision: Precision): Graph {
  const graph = new Graph('dust3r encoder');
  const layers = new Layers(graph, weights, precision);
  const image = layers.enter(graph.input('image', 'float32', ['batch', 3, 'height', 'width']));
  const { tokens, rows, columns } = patchTokens(layers, image, shape);
  const table = rotaryTable(layers, rows, columns, shape.encoder.width / shape.encoder.heads, shape.rotaryBase);
  graph.output('features', layers.leave(encoderBlocks(layers, tokens, shape, table)), 'float32', [
    'batch',
    'tokens',
    shape.encoder.width,
  ]);
  return graph;
}

import { decoderBlock } from '../dust3r/blocks.js';
import type { NetworkShape } from '../dust3r/config.js';
import { encoderBlocks, patchTokens } from '../dust3r/encoder.js';
import { Graph, type Value } from '../onnx/graph.js';
import { Layers, type Precision } from '../onnx/layers.js';
import { rotaryTable } from '../onnx/rotary.js';
import type { Weights } from '../onnx/weights.js';

/**
 * CroCo's cross-view completion (Weinzaepfel et al. 2022), one graph:
 * `image1` [1, 3, height, width] in -1..1 with patches hidden, `image2` whole, `visible` int64 [count]: the tokens of
 * image 1 that may be seen, ascending; to `prediction` [1, tokens, 3 * patch^2], laid out pixel row, pixel column,
 * channel. Only the visible patches of image 1 are encoded; both images have the same size.
 */
export function buildCompletion(weights: Weights, shape: NetworkShape, precision: Precision): Graph {
  const graph = new Graph('croco');
  const layers = new Layers(graph, weights, precision);
  const { encoder, decoder, patch } = shape;
  const images = [1, 2].map((k) => layers.enter(graph.input(`image${k}`, 'float32', [1, 3, 'height', 'width'])));
  const visible = graph.input('visible', 'int64', ['visible']);
  const first = patchTokens(layers, images[0]!, shape);
  const second = patchTokens(layers, images[1]!, shape);
  const table = rotaryTable(layers, first.rows, first.columns, encoder.width / encoder.heads, shape.rotaryBase);
  const rowsOf = (value: Value) => graph.node('Gather', [value, visible], { attributes: { axis: 0 } });
  const seenTable = { cos: rowsOf(table.cos), sin: rowsOf(table.sin), start: table.start };
  const seen = graph.node('Gather', [first.tokens, visible], { attributes: { axis: 1 } });
  const embed = (tokens: Value) => layers.linear(tokens, 'decoder_embed', encoder.width, decoder.width);
  const seenTokens = embed(encoderBlocks(layers, seen, shape, seenTable));
  const memory = embed(encoderBlocks(layers, second.tokens, shape, table));
  weights.use('mask_token');
  const mask = layers.parameter('mask_token', [1, 1, decoder.width], weights.take('mask_token', [1, 1, decoder.width]));
  const count = graph.node('Shape', [first.tokens], { attributes: { start: 1, end: 2 } });
  const hidden = graph.node('Expand', [
    mask,
    graph.node('Concat', [graph.ints([1]), count, graph.ints([decoder.width])], { attributes: { axis: 0 } }),
  ]);
  // Scatter along axis 0 of [tokens, width].
  const flat = (value: Value) => graph.node('Squeeze', [value, graph.ints([0])]);
  const placed = graph.node('ScatterND', [
    flat(hidden),
    graph.node('Unsqueeze', [visible, graph.ints([1])]),
    flat(seenTokens),
  ]);
  let x = graph.node('Unsqueeze', [placed, graph.ints([0])]);
  const decoderTable = rotaryTable(layers, first.rows, first.columns, decoder.width / decoder.heads, shape.rotaryBase);
  for (let block = 0; block < decoder.depth; block++)
    x = decoderBlock(layers, x, memory, `dec_blocks.${block}`, decoder, decoderTable, decoderTable);
  const prediction = layers.linear(
    layers.layerNorm(x, 'dec_norm', decoder.width),
    'prediction_head',
    decoder.width,
    3 * patch * patch,
  );
  graph.output('prediction', layers.leave(prediction), 'float32', [1, 'tokens', 3 * patch * patch]);
  return graph;
}

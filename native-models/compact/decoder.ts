import { pointmapOutputs } from '../dust3r/linear-head.js';
import { tokenMap, type Grid } from '../onnx/dense-maps.js';
import { Graph, type Value } from '../onnx/graph.js';
import { Layers, type Precision } from '../onnx/layers.js';
import { rotaryTable } from '../onnx/rotary.js';
import type { Weights } from '../onnx/weights.js';
import { crossBlock } from './blocks.js';
import type { CompactShape } from './config.js';
import { featureWidth } from './encoder.js';
import { correlate, feedback, tokenCoordinates } from './matching.js';

/** Lengths and logarithms of confidences end here, so that no result overflows. */
const bound = 12;

/**
 * Both views together: inputs and outputs as in dust3r/decoder.ts, features as in encoder.ts, and `correlation` [batch,
 * tokens1, tokens2], the matching layer's logits.
 */
export function buildCompactDecoder(weights: Weights, shape: CompactShape, precision: Precision): Graph {
  const graph = new Graph('compact decoder');
  const layers = new Layers(graph, weights, precision);
  const { width, refine } = shape;
  const loadReference = weights.take('reference', [2, width]);
  const views = [0, 1].map((k) => {
    const features = layers.enter(
      graph.input(`features${k + 1}`, 'float32', ['batch', `tokens${k + 1}`, featureWidth(shape)]),
    );
    const sides = graph.input(`grid${k + 1}`, 'int64', [2]);
    const [rows, columns] = [0, 1].map((axis) => graph.node('Gather', [sides, graph.int(axis)])) as [Value, Value];
    const [tokens, skip] = graph.split('Split', [features, graph.ints([width, 4 * refine])], {
      attributes: { axis: -1 },
      outputs: 2,
    }) as [Value, Value];
    const reference = layers.parameter(`reference.${k}`, [width], async () =>
      (await loadReference()).slice(k * width, (k + 1) * width),
    );
    const grid: Grid = { rows, columns };
    return {
      tokens: layers.add(tokens, reference),
      skip,
      grid,
      table: rotaryTable(layers, rows, columns, shape.headWidth, shape.rotaryBase),
      places: tokenCoordinates(layers, rows, columns),
    };
  });
  const [first, second] = views as [(typeof views)[0], (typeof views)[0]];
  let [x1, x2] = [first.tokens, second.tokens];
  for (let block = 0; block < shape.crossBlocks; block++) {
    const name = `cross_blocks.${block}`;
    [x1, x2] = [
      crossBlock(layers, x1, x2, name, shape, first.table, second.table),
      crossBlock(layers, x2, x1, name, shape, second.table, first.table),
    ];
    if (block + 1 !== shape.matchAfter) continue;
    const logits = correlate(layers, x1, x2, shape);
    graph.output('correlation', logits, 'float32', ['batch', 'tokens1', 'tokens2']);
    const turned = graph.node('Transpose', [logits], { attributes: { perm: [0, 2, 1] } });
    x1 = layers.add(x1, feedback(layers, logits, first.places, second.places, shape));
    x2 = layers.add(x2, feedback(layers, turned, second.places, first.places, shape));
  }
  for (const part of ['weight', 'bias']) weights.use(`head.covisibility.${part}`);
  for (const [k, tokens] of [x1, x2].entries())
    pointmapOutputs(layers, head(layers, tokens, views[k]!.skip, views[k]!.grid, shape), k + 1, bound);
  return graph;
}

/** Tokens and their skip to [batch, height, width, 4]: pixel shuffles by 2 and by 8, convolutions at 1/8 between. */
function head(layers: Layers, tokens: Value, skip: Value, grid: Grid, { width, refine }: CompactShape): Value {
  const { graph } = layers;
  const shuffle = (map: Value, factor: number) =>
    graph.node('DepthToSpace', [map], { attributes: { blocksize: factor, mode: 'CRD' } });
  const spread = layers.linear(layers.layerNorm(tokens, 'head.norm', width), 'head.expand', width, 4 * refine);
  let map = shuffle(tokenMap(layers, layers.add(spread, skip), 4 * refine, grid), 2);
  const same = { from: refine, to: refine, kernel: 3, padding: 1 };
  for (const k of [0, 2]) {
    const inner = layers.convolution(layers.gelu(map), `head.refine.${k}`, same);
    map = layers.add(map, layers.convolution(layers.gelu(inner), `head.refine.${k + 1}`, same));
  }
  const channels = layers.convolution(layers.gelu(map), 'head.output', { from: refine, to: 256, kernel: 1 });
  return graph.node('Transpose', [shuffle(channels, 8)], { attributes: { perm: [0, 2, 3, 1] } });
}

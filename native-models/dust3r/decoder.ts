import type { Grid } from '../onnx/dense-maps.js';
import { Graph, type Value } from '../onnx/graph.js';
import { Layers, type Precision } from '../onnx/layers.js';
import { rotaryTable } from '../onnx/rotary.js';
import type { Weights } from '../onnx/weights.js';
import { decoderBlock } from './blocks.js';
import type { NetworkShape } from './config.js';
import { denseHead } from './dense-head.js';
import { denseHeadInt8 } from './dense-head-int8.js';
import { linearHead, pointmapOutputs } from './linear-head.js';

export type HeadKind = 'linear' | 'dpt';

/** Which head the tensors show. */
export function headKind(weights: Weights): HeadKind {
  return weights.has('downstream_head1.proj.weight') ? 'linear' : 'dpt';
}

/**
 * Both decoders and their heads: `features1`, `features2` [batch, tokens, width] and their token grids `grid1`, `grid2`
 * (int64: rows, columns), to `points1`, `points2` [batch, height, width, 3] in view 1's camera and `confidence1`,
 * `confidence2` [batch, height, width].
 */
export function buildDecoder(weights: Weights, shape: NetworkShape, precision: Precision): Graph {
  const graph = new Graph('dust3r decoder');
  const layers = new Layers(graph, weights, precision);
  const { encoder, decoder, patch } = shape;
  const views = [1, 2].map((k) => {
    const features = layers.enter(graph.input(`features${k}`, 'float32', ['batch', `tokens${k}`, encoder.width]));
    const sides = graph.input(`grid${k}`, 'int64', [2]);
    const [rows, columns] = [0, 1].map((axis) => graph.node('Gather', [sides, graph.int(axis)])) as [Value, Value];
    const grid: Grid = { rows, columns };
    return {
      features,
      grid,
      table: rotaryTable(layers, rows, columns, decoder.width / decoder.heads, shape.rotaryBase),
    };
  });
  const [first, second] = views as [(typeof views)[0], (typeof views)[0]];
  const own = weights.has('dec_blocks2.0.norm1.weight') ? 'dec_blocks2' : 'dec_blocks';
  const levels: [Value, Value][] = [
    [first, second].map((view) => layers.linear(view.features, 'decoder_embed', encoder.width, decoder.width)) as [
      Value,
      Value,
    ],
  ];
  for (let block = 0; block < decoder.depth; block++) {
    const [x1, x2] = levels.at(-1)!;
    levels.push([
      decoderBlock(layers, x1, x2, `dec_blocks.${block}`, decoder, first.table, second.table),
      decoderBlock(layers, x2, x1, `${own}.${block}`, decoder, second.table, first.table),
    ]);
  }
  const last = levels.at(-1)!.map((x) => layers.layerNorm(x, 'dec_norm', decoder.width));
  const kind = headKind(weights);
  views.forEach((view, k) => {
    const name = `downstream_head${k + 1}`;
    const level = (index: number) => levels[index]![k as 0 | 1];
    const { depth } = decoder;
    const channels =
      kind === 'linear'
        ? linearHead(layers, last[k]!, name, decoder.width, patch, view.grid)
        : (precision === 'int8' ? denseHeadInt8 : denseHead)(
            layers,
            [view.features, level(depth / 2), level((3 * depth) / 4), last[k]!],
            [encoder.width, decoder.width, decoder.width, decoder.width],
            name,
            view.grid,
          );
    pointmapOutputs(layers, channels, k + 1);
  });
  return graph;
}

import { Graph, type Value } from '../onnx/graph.js';
import { Layers, type Precision } from '../onnx/layers.js';
import type { Weights } from '../onnx/weights.js';
import { block, type BlockShape } from './blocks.js';
import { backbone, positionGrid, type Da3Shape } from './config.js';

export const backboneBlock = ({ width, heads, hidden }: Da3Shape): BlockShape => ({
  width,
  heads,
  hidden,
  epsilon: 1e-6,
});

/**
 * The learned position embeddings, resampled to the token grid: [1, rows * columns, width]. Bicubic (Keys, a = -0.75),
 * borders clamped; the scale has 0.1 more than the grid's side, as the network was trained with. At the learned size
 * itself nothing is resampled.
 */
function positions(layers: Layers, rows: Value, columns: Value, width: number): Value {
  const { graph, weights } = layers;
  const stored = `${backbone}.pos_embed`;
  const count = positionGrid * positionGrid;
  const load = weights.take(stored, [1, 1 + count, width]);
  const grid = graph.weight(`${stored}.grid`, 'float32', [1, width, positionGrid, positionGrid], async () => {
    const values = await load();
    const out = new Float32Array(width * count);
    for (let place = 0; place < count; place++) {
      for (let c = 0; c < width; c++) out[c * count + place] = values[(1 + place) * width + c]!;
    }
    return new Uint8Array(out.buffer);
  });
  const number = (value: number) => graph.floats([value], []);
  const side = (tokens: Value) => graph.node('Cast', [tokens], { attributes: { to: 1 } });
  const learned = (tokens: Value) => graph.node('Equal', [tokens, graph.int(positionGrid)]);
  const unchanged = graph.node('And', [learned(rows), learned(columns)]);
  const scale = (tokens: Value) =>
    graph.node('Unsqueeze', [
      graph.node('Where', [
        unchanged,
        number(1),
        graph.node('Div', [graph.node('Add', [side(tokens), number(0.1)]), number(positionGrid)]),
      ]),
      graph.ints([0]),
    ]);
  const scales = graph.node('Concat', [graph.floats([1, 1]), scale(rows), scale(columns)], { attributes: { axis: 0 } });
  const resampled = graph.node('Resize', [grid, undefined, scales], {
    attributes: { mode: 'cubic', coordinate_transformation_mode: 'half_pixel', cubic_coeff_a: { float: -0.75 } },
  });
  const flat = graph.node('Reshape', [resampled, graph.ints([1, width, -1])]);
  return layers.enter(graph.node('Transpose', [flat], { attributes: { perm: [0, 2, 1] } }));
}

/** Patches [batch, tokens, width] with their positions, and the token grid's sides. */
function patches(layers: Layers, image: Value, { patch, width }: Da3Shape): Value {
  const { graph } = layers;
  const sides = graph.node('Shape', [image]);
  const side = (axis: number) => graph.node('Div', [graph.node('Gather', [sides, graph.int(axis)]), graph.int(patch)]);
  const name = `${backbone}.patch_embed.proj`;
  const map = layers.convolution(image, name, { from: 3, to: width, kernel: patch, stride: patch });
  const flat = graph.node('Reshape', [map, graph.ints([0, width, -1])]);
  const tokens = graph.node('Transpose', [flat], { attributes: { perm: [0, 2, 1] } });
  return layers.add(tokens, positions(layers, side(2), side(3), width));
}

/**
 * What the network computes of a photo whatever the others: `image` [batch, 3, height, width] normalised, sides
 * multiples of the patch, to `tokens` [batch, 1 + patches, width] before the first block that knows of cameras, and
 * `summary` [batch, width], the first token one block earlier, from which a reference view is chosen.
 */
export function buildPhoto(weights: Weights, shape: Da3Shape, precision: Precision): Graph {
  const graph = new Graph('da3 photo');
  const layers = new Layers(graph, weights, precision);
  const { width } = shape;
  const image = layers.enter(graph.input('image', 'float32', ['batch', 3, 'height', 'width']));
  const seen = patches(layers, image, shape);
  const [loadClass, loadPositions] = [
    weights.take(`${backbone}.cls_token`, [1, 1, width]),
    weights.take(`${backbone}.pos_embed`, [1, 1 + positionGrid * positionGrid, width]),
  ];
  const first = layers.parameter(`${backbone}.cls_token`, [1, 1, width], async () => {
    const positions = await loadPositions();
    return (await loadClass()).map((value, c) => value + positions[c]!);
  });
  const batch = graph.node('Slice', [graph.node('Shape', [seen]), graph.ints([0]), graph.ints([1])]);
  const expanded = graph.node('Expand', [
    first,
    graph.node('Concat', [batch, graph.ints([1, 1])], { attributes: { axis: 0 } }),
  ]);
  let x = graph.node('Concat', [expanded, seen], { attributes: { axis: 1 } });
  let summary = x;
  for (let i = 0; i < shape.alternateFrom; i++) {
    if (i === shape.alternateFrom - 1) summary = x;
    x = block(layers, x, `${backbone}.blocks.${i}`, backboneBlock(shape));
  }
  const token = graph.node('Gather', [summary, graph.int(0)], { attributes: { axis: 1 } });
  graph.output('tokens', layers.leave(x), 'float32', ['batch', 'tokens', width]);
  graph.output('summary', layers.leave(token), 'float32', ['batch', width]);
  return graph;
}

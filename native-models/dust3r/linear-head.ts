import { dims, type Grid } from '../onnx/dense-maps.js';
import type { Value } from '../onnx/graph.js';
import type { Layers } from '../onnx/layers.js';

/** One linear layer to four channels a pixel: [batch, height, width, 4]. */
export function linearHead(
  layers: Layers,
  tokens: Value,
  name: string,
  width: number,
  patch: number,
  grid: Grid,
): Value {
  const { graph } = layers;
  const flat = layers.linear(tokens, `${name}.proj`, width, 4 * patch * patch);
  const split = graph.node('Reshape', [flat, dims(layers, [0, grid.rows, grid.columns, 4, patch, patch])]);
  const laid = graph.node('Transpose', [split], { attributes: { perm: [0, 1, 4, 2, 5, 3] } });
  const height = graph.node('Mul', [grid.rows, graph.int(patch)]);
  const columns = graph.node('Mul', [grid.columns, graph.int(patch)]);
  return graph.node('Reshape', [laid, dims(layers, [0, height, columns, 4])]);
}

/**
 * point = v / |v| * expm1(|v|), confidence = 1 + exp(fourth channel), in float32 whatever the precision.
 * @param bound of both exponents, where a network has one
 */
export function pointmapOutputs(layers: Layers, channels: Value, view: number, bound?: number): void {
  const { graph } = layers;
  const [vector, logit] = graph.split('Split', [layers.leave(channels), graph.ints([3, 1])], {
    attributes: { axis: -1 },
    outputs: 2,
  }) as [Value, Value];
  const norm = graph.node('ReduceL2', [vector, graph.ints([-1])], { attributes: { keepdims: 1 } });
  const length = graph.node('Max', [norm, graph.floats([1e-8], [])]);
  // expm1(d) = 2 sinh(d/2) exp(d/2) keeps its precision for small d, unlike exp(d) - 1.
  const bounded = (value: Value) =>
    bound === undefined ? value : graph.node('Min', [value, graph.floats([bound], [])]);
  const half = graph.node('Mul', [bounded(length), graph.floats([0.5], [])]);
  const grown = graph.node('Mul', [graph.node('Sinh', [half]), graph.node('Exp', [half])]);
  const scale = graph.node('Div', [graph.node('Mul', [grown, graph.floats([2], [])]), length]);
  const points = graph.node('Mul', [vector, scale]);
  const confidence = graph.node('Add', [
    graph.node('Exp', [bounded(graph.node('Squeeze', [logit, graph.ints([-1])]))]),
    graph.floats([1], []),
  ]);
  graph.output(`points${view}`, points, 'float32', ['batch', `height${view}`, `width${view}`, 3]);
  graph.output(`confidence${view}`, confidence, 'float32', ['batch', `height${view}`, `width${view}`]);
}

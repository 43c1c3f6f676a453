import type { Value } from '../onnx/graph.js';
import type { Layers } from '../onnx/layers.js';
import type { CompactShape } from './config.js';

/** Centres of a grid's tokens in -1..1: x, y [tokens, 2], float32. */
export function tokenCoordinates(layers: Layers, rows: Value, columns: Value): Value {
  const { graph } = layers;
  const token = graph.node('Range', [graph.int(0), graph.node('Mul', [rows, columns]), graph.int(1)]);
  const row = graph.node('Div', [token, columns]);
  const column = graph.node('Sub', [token, graph.node('Mul', [row, columns])]);
  const float = (value: Value) => graph.node('Cast', [value], { attributes: { to: 1 } });
  const place = (index: Value, count: Value) => {
    const centre = graph.node('Div', [graph.node('Add', [float(index), graph.floats([0.5], [])]), float(count)]);
    const signed = graph.node('Sub', [graph.node('Mul', [centre, graph.floats([2], [])]), graph.floats([1], [])]);
    return graph.node('Unsqueeze', [signed, graph.ints([1])]);
  };
  return graph.node('Concat', [place(column, columns), place(row, rows)], { attributes: { axis: 1 } });
}

/** Cosines of the views' projected tokens times a learned scale, in float32: [batch, tokens1, tokens2]. */
export function correlate(layers: Layers, first: Value, second: Value, shape: CompactShape): Value {
  const { graph, weights } = layers;
  const unit = (x: Value): Value => {
    const projected = layers.leave(
      layers.linear(
        layers.layerNorm(x, 'matching.norm', shape.width),
        'matching.project',
        shape.width,
        shape.matchWidth,
      ),
    );
    const norm = graph.node('ReduceL2', [projected, graph.ints([-1])], { attributes: { keepdims: 1 } });
    return graph.node('Div', [projected, graph.node('Max', [norm, graph.floats([1e-6], [])])]);
  };
  const load = weights.take('matching.log_scale', []);
  const scale = graph.weight(
    'matching.scale',
    'float32',
    [],
    async () => new Uint8Array(Float32Array.of(Math.exp((await load())[0]!)).buffer),
  );
  const turned = graph.node('Transpose', [unit(second)], { attributes: { perm: [0, 2, 1] } });
  return graph.node('Mul', [graph.node('MatMul', [unit(first), turned]), scale]);
}

/**
 * What the correlation says of each token, as features: where it expects its match, where it lies itself, how high and
 * how sharp the peak is.
 * @param logits [batch, own tokens, other tokens]
 */
export function feedback(layers: Layers, logits: Value, own: Value, other: Value, { width }: CompactShape): Value {
  const { graph } = layers;
  const logarithm = graph.node('LogSoftmax', [logits], { attributes: { axis: -1 } });
  const weights = graph.node('Exp', [logarithm]);
  const over = (operator: string, value: Value) =>
    graph.node(operator, [value, graph.ints([-1])], { attributes: { keepdims: 1 } });
  const expected = graph.node('MatMul', [weights, other]);
  const batched = graph.node('Expand', [
    own,
    graph.node('Concat', [graph.node('Shape', [logits], { attributes: { start: 0, end: 1 } }), graph.ints([1, 1])], {
      attributes: { axis: 0 },
    }),
  ]);
  const count = graph.node('Cast', [graph.node('Shape', [logits], { attributes: { start: 2, end: 3 } })], {
    attributes: { to: 1 },
  });
  // A single token has no entropy; its logarithm, zero, must not divide.
  const most = graph.node('Max', [graph.node('Log', [count]), graph.floats([1e-6])]);
  const entropy = graph.node('Div', [
    graph.node('Neg', [over('ReduceSum', graph.node('Mul', [weights, logarithm]))]),
    most,
  ]);
  const facts = layers.enter(
    graph.node('Concat', [expected, batched, over('ReduceMax', weights), entropy], { attributes: { axis: -1 } }),
  );
  return layers.linear(layers.gelu(layers.linear(facts, 'matching.expand', 6, width)), 'matching.reduce', width, width);
}

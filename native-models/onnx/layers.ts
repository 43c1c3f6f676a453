import { halfFromFloat } from '../../electron/numerics/half.js';
import type { Graph, Value } from './graph.js';
import { evenColumns, quantizeBlocks, quantizedBlock } from './quantize.js';
import type { Weights } from './weights.js';

/**
 * float32 everywhere; float16 weights and arithmetic (for GPUs); int8 weights with activations quantised as they come
 * (for CPUs). Inputs and outputs of a graph are float32 in all of them.
 */
export type Precision = 'float32' | 'float16' | 'int8';

/** Columns of an 8-bit product that are computed in float32, and the least number of columns where that is done. */
const keptApart = { columns: 8, least: 128 };

export interface LinearOptions {
  /** Row k of what is stored is row rowOrder[k] of the checkpoint's: a permutation folded into the weights. */
  rowOrder?: ArrayLike<number>;
  bias?: boolean;
  /** A tensor [to] of the checkpoint that multiplies each output (a layer scale): folded into the weights. */
  gamma?: string;
}

function bytesOf(array: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/**
 * [rows, columns] to [columns, rows], so that no transposition is left to the runtime; in blocks that stay in the
 * cache.
 */
export function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let r0 = 0; r0 < rows; r0 += 32) {
    for (let c0 = 0; c0 < columns; c0 += 32) {
      for (let r = r0; r < Math.min(r0 + 32, rows); r++) {
        for (let c = c0; c < Math.min(c0 + 32, columns); c++) out[c * rows + r] = matrix[r * columns + c]!;
      }
    }
  }
  return out;
}

/** Row k of the result is row order[k] of the matrix. */
export function reordered(matrix: Float32Array, columns: number, order: ArrayLike<number>): Float32Array {
  const out = new Float32Array(order.length * columns);
  for (let k = 0; k < order.length; k++)
    out.set(matrix.subarray(order[k]! * columns, (order[k]! + 1) * columns), k * columns);
  return out;
}

/**
 * The layers that the networks share, in one precision. Tokens are [batch, tokens, width]; maps [batch, channels, rows,
 * columns].
 */
export class Layers {
  constructor(
    readonly graph: Graph,
    readonly weights: Weights,
    readonly precision: Precision,
  ) {}

  get floatType(): 'float32' | 'float16' {
    return this.precision === 'float16' ? 'float16' : 'float32';
  }

  /** Stores float32 values in the graph's arithmetic type. */
  parameter(name: string, dims: number[], load: () => Promise<Float32Array>): Value {
    return this.graph.weight(name, this.floatType, dims, async () => {
      const values = await load();
      return bytesOf(this.floatType === 'float16' ? halfFromFloat(values) : values);
    });
  }

  vector(name: string, width: number, order?: ArrayLike<number>, stored = name): Value {
    const load = this.weights.take(name, [width]);
    return this.parameter(stored, [width], async () => {
      const values = await load();
      return order ? Float32Array.from(order, (index) => values[index]!) : values;
    });
  }

  /** From the graph's float32 input to the arithmetic type, and back. */
  enter(value: Value): Value {
    return this.floatType === 'float16' ? this.graph.node('Cast', [value], { attributes: { to: 10 } }) : value;
  }
  leave(value: Value): Value {
    return this.floatType === 'float16' ? this.graph.node('Cast', [value], { attributes: { to: 1 } }) : value;
  }

  /** A constant in the arithmetic type. */
  scalar(value: number): Value {
    return this.enter(this.graph.floats([value], []));
  }

  /** @param order of the features, where they are not in the checkpoint's */
  layerNorm(x: Value, name: string, width: number, epsilon = 1e-6, order?: ArrayLike<number>): Value {
    const scale = this.vector(`${name}.weight`, width, order);
    const bias = this.vector(`${name}.bias`, width, order);
    return this.graph.node('LayerNormalization', [x, scale, bias], {
      attributes: { axis: -1, epsilon: { float: epsilon } },
    });
  }

  add(a: Value, b: Value): Value {
    return this.graph.node('Add', [a, b]);
  }

  gelu(x: Value): Value {
    return this.graph.node('Gelu', [x]);
  }

  /** x W^T + b with W stored as [out, in] under `name.weight`. */
  linear(x: Value, name: string, from: number, to: number, options: LinearOptions = {}): Value {
    const load = this.weights.take(`${name}.weight`, [to, from]);
    const { rowOrder } = options;
    if (options.gamma) return this.scaledLinear(x, name, from, to, options.gamma);
    const rows = async () => (rowOrder ? reordered(await load(), from, rowOrder) : load());
    const bias = options.bias === false ? undefined : this.vector(`${name}.bias`, to, rowOrder);
    return this.product(x, name, from, to, rows, bias);
  }

  /** gamma * (x W^T + b), row by row. */
  private scaledLinear(x: Value, name: string, from: number, to: number, gamma: string): Value {
    const load = this.weights.take(`${name}.weight`, [to, from]);
    const loadBias = this.weights.take(`${name}.bias`, [to]);
    const loadGamma = this.weights.take(gamma, [to]);
    const rows = async () => {
      const scales = await loadGamma();
      return (await load()).map((value, k) => value * scales[Math.floor(k / from)]!);
    };
    const bias = this.parameter(`${name}.bias`, [to], async () => {
      const scales = await loadGamma();
      return (await loadBias()).map((value, k) => value * scales[k]!);
    });
    return this.product(x, name, from, to, rows, bias);
  }

  /**
   * x W^T + bias for any matrix W [to, from].
   *
   * int8: 8-bit blocks of 256 inputs, activations quantised by the same blocks (MatMulNBits, accuracy level 4). Two
   * quiet cores of an EPYC with AVX-512 VNNI, GFLOP/s of a 768x4096x1024 product: float32 196, block 128: 418, 256:
   * 458. Weights are brought to columns of one size, and the few largest columns of the activations are multiplied in
   * float32 (`outliers`): with five columns 50 times the others the error of a product is 0.007 of its root mean square,
   * 0.03 without; with weights that are as small there, 0.009, 0.12 without. One scale for all activations
   * (DynamicQuantizeMatMul) gives 753 and 0.17: rejected.
   */
  product(x: Value, name: string, from: number, to: number, rows: () => Promise<Float32Array>, bias?: Value): Value {
    if (this.precision === 'int8') {
      const blocks = Math.ceil(from / quantizedBlock);
      // Both parts come from one pass over the weights, and are asked for in this order.
      let scales: Float32Array = new Float32Array(0);
      let columns: Float32Array = new Float32Array(0);
      const quantized = this.graph.weight(`${name}.weight`, 'uint8', [to, blocks, quantizedBlock], async () => {
        const evened = evenColumns(await rows(), to, from);
        columns = evened.columns;
        const result = quantizeBlocks(evened.matrix, to, from);
        scales = result.scales;
        return result.values;
      });
      const scale = this.graph.weight(`${name}.scale`, 'float32', [to * blocks], () =>
        Promise.resolve(bytesOf(scales)),
      );
      const sizes = this.graph.weight(`${name}.columns`, 'float32', [from], () => Promise.resolve(bytesOf(columns)));
      const even = this.graph.node('Mul', [x, sizes]);
      const apart = from >= keptApart.least ? this.outliers(even, quantized, scale, from, to) : undefined;
      const product = this.graph.node(
        'MatMulNBits',
        [apart?.rest ?? even, quantized, scale, undefined, undefined, bias],
        {
          domain: 'com.microsoft',
          attributes: { K: from, N: to, bits: 8, block_size: quantizedBlock, accuracy_level: 4 },
        },
      );
      return apart ? this.add(product, apart.product) : product;
    }
    const matrix = this.parameter(`${name}.weight`, [from, to], async () => transposed(await rows(), to, from));
    const product = this.graph.node('MatMul', [x, matrix]);
    return bias ? this.add(product, bias) : product;
  }

  /**
   * The few columns of x with the largest values, multiplied in float32, and x without them. Trained transformers have
   * columns 50 times the others, which would take all levels of their block. Which they are is found when the graph runs.
   */
  private outliers(
    x: Value,
    quantized: Value,
    scale: Value,
    from: number,
    to: number,
  ): { rest: Value; product: Value } {
    const { graph } = this;
    const { columns } = keptApart;
    const blocks = Math.ceil(from / quantizedBlock);
    const sizes = graph.node('ReduceMax', [graph.node('Abs', [x]), graph.ints([0, 1])], {
      attributes: { keepdims: 0 },
    });
    const [, index] = graph.split('TopK', [sizes, graph.ints([columns])], { outputs: 2 }) as [Value, Value];
    const along = (axis: number) => ({ attributes: { axis } });
    const mask = graph.node('ScatterElements', [
      graph.floats(new Float32Array(from).fill(1)),
      index,
      graph.floats(new Float32Array(columns)),
    ]);
    const matrix = graph.node('Reshape', [quantized, graph.ints([to, blocks * quantizedBlock])]);
    const bytes = graph.node('Cast', [graph.node('Gather', [matrix, index], along(1))], { attributes: { to: 1 } });
    const block = graph.node('Div', [index, graph.int(quantizedBlock)]);
    const scales = graph.node('Gather', [graph.node('Reshape', [scale, graph.ints([to, blocks])]), block], along(1));
    const weights = graph.node('Mul', [graph.node('Sub', [bytes, graph.floats([128], [])]), scales]);
    const turned = graph.node('Transpose', [weights], { attributes: { perm: [1, 0] } });
    return {
      rest: graph.node('Mul', [x, mask]),
      product: graph.node('MatMul', [graph.node('Gather', [x, index], along(2)), turned]),
    };
  }

  /** A convolution with its weights [out, in, kernel, kernel] under `name.weight`. */
  convolution(
    x: Value,
    name: string,
    shape: { from: number; to: number; kernel: number; stride?: number; padding?: number; bias?: boolean },
  ): Value {
    const { from, to, kernel, stride = 1, padding = 0 } = shape;
    const dims = [to, from, kernel, kernel];
    const weight = this.parameter(`${name}.weight`, dims, this.weights.take(`${name}.weight`, dims));
    const bias = shape.bias === false ? undefined : this.vector(`${name}.bias`, to);
    return this.graph.node('Conv', bias ? [x, weight, bias] : [x, weight], {
      attributes: {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
      },
    });
  }

  /**
   * Softmax attention over heads packed side by side in the width; scale 1/sqrt(head width). No masks.
   *
   * One fused operator for CPUs, where it saves memory and time. float16, for GPUs, is written out: the fused kernel of
   * ONNX Runtime's WebGPU leaves keys out on some of them (microsoft/onnxruntime#28520).
   */
  attention(query: Value, key: Value, value: Value, heads: number, width: number): Value {
    if (this.precision === 'float16')
      return plainAttention(this.graph, query, key, value, heads, width, this.scalar(Math.sqrt(heads / width)));
    return this.graph.node('MultiHeadAttention', [query, key, value], {
      domain: 'com.microsoft',
      attributes: { num_heads: heads },
    });
  }
}

/** Attention of plain products and a softmax. Tokens [batch, tokens, width]; `scale` multiplies the queries. */
export function plainAttention(
  graph: Graph,
  query: Value,
  key: Value,
  value: Value,
  heads: number,
  width: number,
  scale: Value,
): Value {
  const split = (tokens: Value, perm: number[]) =>
    graph.node('Transpose', [graph.node('Reshape', [tokens, graph.ints([0, 0, heads, width / heads])])], {
      attributes: { perm },
    });
  const scores = graph.node('MatMul', [
    split(graph.node('Mul', [query, scale]), [0, 2, 1, 3]),
    split(key, [0, 2, 3, 1]),
  ]);
  const attended = graph.node('MatMul', [
    graph.node('Softmax', [scores], { attributes: { axis: -1 } }),
    split(value, [0, 2, 1, 3]),
  ]);
  return graph.node('Reshape', [
    graph.node('Transpose', [attended], { attributes: { perm: [0, 2, 1, 3] } }),
    graph.ints([0, 0, width]),
  ]);
}

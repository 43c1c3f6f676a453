import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../native-models/checkpoints/tensor.js';
import { Graph } from '../../native-models/onnx/graph.js';
import { Layers } from '../../native-models/onnx/layers.js';
import { QuantizedMaps } from '../../native-models/onnx/quantized-maps.js';
import { floatTensor, openSession } from '../../native-models/onnx/session.js';
import { Weights } from '../../native-models/onnx/weights.js';
import { deviationOf } from '../../native-models/registry/deviation.js';

/** A checkpoint in memory. */
function checkpoint(tensors: Record<string, { shape: number[]; values: Float32Array }>): Checkpoint {
  return {
    path: 'memory',
    tensors: new Map(Object.entries(tensors).map(([name, { shape }]) => [name, { name, type: 'F32', shape }])),
    metadata: {},
    read: (name) => Promise.resolve(tensors[name]!.values),
    close: () => Promise.resolve(),
  };
}

/** Uniform in -1..1, seeded. */
function random(count: number, seed: number): Float32Array {
  let state = (seed * 2654435761) >>> 0 || 1;
  return Float32Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2147483648;
  });
}

describe('8 bits, on processors that saturate pairs of products too', () => {
  let root: string;
  beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'pointmap-quantize-'))));
  afterAll(() => rm(root, { recursive: true, force: true }));

  async function both(
    weights: Weights,
    inputDims: number[],
    x: Float32Array,
    body: (layers: Layers, input: ReturnType<Graph['input']>) => ReturnType<Graph['input']>,
  ): Promise<Float32Array[]> {
    const results: Float32Array[] = [];
    for (const precision of ['float32', 'int8'] as const) {
      const graph = new Graph('one layer');
      const layers = new Layers(graph, weights, precision);
      graph.output(
        'y',
        body(layers, graph.input('x', 'float32', inputDims)),
        'float32',
        ['a', 'b', 'c', 'd'].slice(0, inputDims.length),
      );
      const path = join(root, `${precision}.onnx`);
      await graph.save(path);
      const session = await openSession(path, 'cpu', 1);
      const { y } = await session.run({ x: floatTensor(x, inputDims) });
      results.push((y!.data as Float32Array).slice());
      await session.release();
    }
    return results;
  }

  /** Neighbouring channels of one sign and full size, two positive and two negative in turn. */
  const pairs = (channels: number) => (value: number, index: number) =>
    Math.floor((Math.floor(index / 9) % channels) / 2) % 2 ? -1 - value / 10 : 1 + value / 10;
  it.each([
    ['random', 64, (value: number) => value],
    ['paired', 64, pairs(64)],
    ['oddly many', 63, pairs(63)],
  ])('a convolution of %s weights', async (_, channels, shape) => {
    const [rows, columns, outputs] = [13, 17, 32];
    const weights = new Weights(
      checkpoint({
        'c.weight': { shape: [outputs, channels, 3, 3], values: random(outputs * channels * 9, 5).map(shape) },
        'c.bias': { shape: [outputs], values: random(outputs, 7) },
      }),
    );
    const x = random(rows * columns * channels, 11).map(Math.abs);
    const [expected, actual] = await both(weights, [1, rows, columns, channels], x, (layers, input) => {
      const { graph } = layers;
      if (layers.precision === 'int8') {
        const maps = new QuantizedMaps(layers);
        return maps.leave(
          maps.convolution(maps.enter(input), 'c', { from: channels, to: outputs, kernel: 3, probe: 1 }),
        );
      }
      const first = graph.node('Transpose', [input], { attributes: { perm: [0, 3, 1, 2] } });
      const map = layers.convolution(first, 'c', { from: channels, to: outputs, kernel: 3, padding: 1 });
      return graph.node('Transpose', [map], { attributes: { perm: [0, 2, 3, 1] } });
    });
    expect(deviationOf(actual!, expected!).typical).toBeLessThan(0.012);
  });

  it('a product whose inputs and weights are all large and of one sign', async () => {
    const [tokens, from, to] = [24, 512, 96];
    const weights = new Weights(
      checkpoint({
        'l.weight': { shape: [to, from], values: random(to * from, 3).map((value) => 0.5 + Math.abs(value) / 2) },
        'l.bias': { shape: [to], values: random(to, 4) },
      }),
    );
    const x = random(tokens * from, 9).map((value) => 0.5 + Math.abs(value) / 2);
    const [expected, actual] = await both(weights, [1, tokens, from], x, (layers, input) =>
      layers.linear(input, 'l', from, to),
    );
    expect(deviationOf(actual!, expected!).typical).toBeLessThan(0.01);
  });

  /** Five columns 50 times the others, as trained transformers have; with weights as large there, or as small. */
  it.each([
    ['of one size', 1],
    ['small where the activations are large', 1 / 50],
  ])('a product with outlier channels, weights %s', async (_, size) => {
    const [tokens, from, to] = [160, 768, 128];
    const outliers = [5, 100, 300, 301, 700];
    const bell = (count: number, seed: number) => {
      const parts = [0, 1, 2, 3].map((k) => random(count, seed + k));
      return Float32Array.from({ length: count }, (__, k) => parts.reduce((sum, part) => sum + part[k]!, 0));
    };
    const [matrix, x] = [bell(from * to, 20), bell(tokens * from, 40)];
    for (const column of outliers) {
      for (let row = 0; row < to; row++) matrix[row * from + column]! *= size;
      for (let token = 0; token < tokens; token++) x[token * from + column]! *= 50;
    }
    const weights = new Weights(
      checkpoint({
        'l.weight': { shape: [to, from], values: matrix },
        'l.bias': { shape: [to], values: random(to, 4) },
      }),
    );
    const [expected, actual] = await both(weights, [1, tokens, from], x, (layers, input) =>
      layers.linear(input, 'l', from, to),
    );
    // One scale for a block of columns: 0.03 and 0.12.
    expect(deviationOf(actual!, expected!).typical).toBeLessThan(0.01);
  });
});

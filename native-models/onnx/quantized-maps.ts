import type { Value } from './graph.js';
import type { Layers } from './layers.js';
import { quantizeChannels } from './quantize.js';

/** A map [batch, rows, columns, channels] of unsigned bytes: scale * (byte - zero). */
export interface QuantizedMap {
  bytes: Value;
  /** float32 scalar, known only when the graph runs. */
  scale: Value;
  /** uint8 scalar. */
  zero: Value;
}

type Range = Pick<QuantizedMap, 'scale' | 'zero'>;

export interface ConvolutionShape {
  from: number;
  to: number;
  kernel: number;
  stride?: number;
  bias?: boolean;
  /** Negative results become zero, which costs nothing: bytes begin there. */
  relu?: boolean;
  /** The largest result is looked for at one place in so many, in each direction. */
  probe: number;
}

/** Beyond what the probe, which sees some places only, finds. */
const margin = 1.08;
/** Results beyond so many times |weights| * |largest input| are cut off; those met in practice stay below one. */
const farthest = 4;

/**
 * Convolutions in 8 bits, channels last: four times the float32 rate (two cores with AVX-512 VNNI, 256 channels, 3x3,
 * 96x128: 72 ms in float32, 18 ms so, 270 ms as ConvInteger).
 *
 * The operator (QLinearConv) wants to know the range of its results beforehand. Ranges from a calibration set would be
 * those of other photos, so each convolution is preceded by a probe: itself at a stride, into a range that holds
 * anything.
 *
 * Weights are signed, which processors with VNNI multiply fastest; those without get the same ones unsigned
 * (Graph.save, saturation.ts).
 */
export class QuantizedMaps {
  constructor(private readonly layers: Layers) {}

  /** float32 to bytes. */
  enter(map: Value): QuantizedMap {
    const [bytes, scale, zero] = this.layers.graph.split('DynamicQuantizeLinear', [map], { outputs: 3 }) as [
      Value,
      Value,
      Value,
    ];
    return { bytes, scale, zero };
  }

  leave({ bytes, scale, zero }: QuantizedMap): Value {
    return this.layers.graph.node('DequantizeLinear', [bytes, scale, zero]);
  }

  convolution(map: QuantizedMap, name: string, shape: ConvolutionShape): QuantizedMap {
    const { graph, weights } = this.layers;
    const { from, to, kernel, stride = 1, relu = false } = shape;
    const load = weights.take(`${name}.weight`, [to, from, kernel, kernel]);
    const loadBias = shape.bias === false ? undefined : weights.take(`${name}.bias`, [to]);
    // All from one pass over the weights, in the order in which they are saved.
    let known: { scales: Float32Array; norm: number } = { scales: new Float32Array(0), norm: 0 };
    const weight = graph.weight(`${name}.weight`, 'int8', [to, from, kernel, kernel], async () => {
      const { values, ...rest } = quantizeChannels(await load(), to);
      known = rest;
      return new Uint8Array(values.buffer);
    });
    const floats = (suffix: string, dims: number[], values: () => Promise<Float32Array>) =>
      graph.weight(`${name}.${suffix}`, 'float32', dims, async () => new Uint8Array((await values()).buffer));
    const weightScale = floats('scale', [to], () => Promise.resolve(known.scales));
    const reach = floats('reach', [], () =>
      Promise.resolve(Float32Array.of((farthest * known.norm * 255) / (relu ? 255 : 127))),
    );
    const relative =
      loadBias && floats('bias', [to], async () => (await loadBias()).map((value, k) => value / known.scales[k]!));
    const bias =
      relative &&
      graph.node('Cast', [graph.node('Round', [graph.node('Div', [relative, map.scale])])], { attributes: { to: 6 } });
    const run = ({ scale, zero }: Range, step: number): Value =>
      graph.node(
        'QLinearConv',
        [map.bytes, map.scale, map.zero, weight, weightScale, graph.bytes('int8', [0], []), scale, zero, bias],
        {
          domain: 'com.microsoft',
          signedWeights: { values: 3, zero: 5 },
          attributes: {
            channels_last: 1,
            kernel_shape: [kernel, kernel],
            strides: [step, step],
            pads: Array.from({ length: 4 }, () => (kernel - 1) / 2),
          },
        },
      );
    const wide: Range = {
      scale: graph.node('Mul', [map.scale, reach]),
      zero: graph.bytes('uint8', [relu ? 0 : 128], []),
    };
    const range = this.rangeOf(run(wide, stride * shape.probe), wide, relu);
    return { bytes: run(range, stride), ...range };
  }

  /** The range of bytes that holds what a probe found, and zero. */
  private rangeOf(probe: Value, { scale }: Range, relu: boolean): Range {
    const { graph } = this.layers;
    const cast = (value: Value, type: number) => graph.node('Cast', [value], { attributes: { to: type } });
    const number = (value: number) => graph.floats([value], []);
    // Half a level may have been rounded away on either side, and a scale must not be zero.
    const largest = graph.node('Add', [
      cast(graph.node('ReduceMax', [probe], { attributes: { keepdims: 0 } }), 1),
      number(0.5),
    ]);
    if (relu)
      return {
        scale: graph.node('Mul', [scale, graph.node('Mul', [largest, number(margin / 255)])]),
        zero: graph.bytes('uint8', [0], []),
      };
    const above = graph.node('Max', [graph.node('Sub', [largest, number(128)]), number(0)]);
    const smallest = graph.node('Sub', [
      number(128.5),
      cast(graph.node('ReduceMin', [probe], { attributes: { keepdims: 0 } }), 1),
    ]);
    const below = graph.node('Max', [smallest, number(0)]);
    const span = graph.node('Add', [above, below]);
    const zero = cast(graph.node('Round', [graph.node('Mul', [graph.node('Div', [below, span]), number(255)])]), 2);
    return { scale: graph.node('Mul', [scale, graph.node('Mul', [span, number(margin / 255)])]), zero };
  }
}

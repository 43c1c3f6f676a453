import { openGroupNetwork } from '../da3/network.js';
import { graphPath } from '../network.js';
import type { Precision } from '../onnx/layers.js';
import { floatTensor, intTensor, openSession, type Tensor } from '../onnx/session.js';
import type { BuiltNetwork } from './architecture.js';
import type { Deviation } from './card.js';

/** Largest and root mean square difference, both over the expected values' root mean square. */
export function deviationOf(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): { largest: number; typical: number } {
  if (actual.length !== expected.length) return { largest: Infinity, typical: Infinity };
  let largest = 0;
  let squares = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= largest)) largest = difference; // NaN stays.
    squares += difference * difference;
    size += expected[i]! * expected[i]!;
  }
  const scale = Math.sqrt(size / expected.length) || 1;
  return { largest: largest / scale, typical: Math.sqrt(squares / expected.length) / scale };
}

/** A smooth seeded test image, planar [3, height, width] in -1..1: gratings whose phase differs by `shift`. */
export function testImage(height: number, width: number, shift: number): Float32Array {
  const out = new Float32Array(3 * height * width);
  for (let i = 0; i < out.length; i++) {
    const [x, y, channel] = [(i % width) + shift, Math.floor(i / width) % height, Math.floor(i / (width * height))];
    out[i] = 0.5 * Math.sin(0.11 * x + 0.03 * y + channel) + 0.4 * Math.cos(0.07 * y * (1 + channel / 3) - 0.02 * x);
  }
  return out;
}

/** What a network that looks at groups says of two views; sides of 140 and 154 are ten and eleven patches. */
async function groupOutputs(folder: string, { patch }: BuiltNetwork, precision: Precision): Promise<Outputs> {
  const [height, width] = [10 * patch, 11 * patch];
  const network = openGroupNetwork(folder, patch, precision, 'cpu');
  const photos = [];
  for (const shift of [0, 12]) photos.push(await network.photo(testImage(height, width, shift), height, width));
  const group = await network.group(photos);
  const { depth, confidence } = await network.depth(group, 1);
  const { ray, confidence: rayConfidence } = await network.rays(group, 1);
  await network.close();
  const camera = group.cameras[1]!.worldFromCamera;
  const named = { features: group.features[3]![1]!, depth, confidence, ray, rayConfidence, camera };
  return Object.fromEntries(Object.entries(named).map(([name, data]) => [name, { data }]));
}

type Outputs = Record<string, { data: ArrayLike<number> }>;

async function outputs(folder: string, network: BuiltNetwork, precision: Precision): Promise<Outputs> {
  if (network.architecture === 'da3') return groupOutputs(folder, network, precision);
  const [height, width] = [128, 160];
  const [image1, image2] = [0, 12].map((shift) =>
    floatTensor(testImage(height, width, shift), [1, 3, height, width]),
  ) as [Tensor, Tensor];
  const open = (name: string) => openSession(graphPath(folder, precision, name));
  if (network.architecture === 'croco') {
    const session = await open('completion');
    const visible = intTensor(
      Array.from({ length: Math.floor((height * width) / network.patch ** 2 / 4) }, (_, k) => 4 * k),
    );
    const result = await session.run({ image1, image2, visible });
    await session.release();
    return result as unknown as Outputs;
  }
  const encoder = await open('encoder');
  const features1 = (await encoder.run({ image: image1 })).features!;
  const features2 = (await encoder.run({ image: image2 })).features!;
  await encoder.release();
  const decoder = await open('decoder');
  const grid = intTensor([height / network.patch, width / network.patch]);
  const result = await decoder.run({ features1, features2, grid1: grid, grid2: grid });
  await decoder.release();
  return { features1, features2, ...result } as unknown as Outputs;
}

/** Runs the same pair in float32 and in `precision` (on the CPU) and compares every output. */
export async function measureDeviation(
  folder: string,
  network: BuiltNetwork,
  precision: Precision,
): Promise<Deviation> {
  const expected = await outputs(folder, network, 'float32');
  const actual = await outputs(folder, network, precision);
  const measured: Deviation = { largest: {}, typical: {} };
  for (const [name, tensor] of Object.entries(expected)) {
    const { largest, typical } = deviationOf(actual[name]!.data, tensor.data);
    measured.largest[name] = Number(largest.toPrecision(3));
    measured.typical[name] = Number(typical.toPrecision(3));
  }
  return measured;
}

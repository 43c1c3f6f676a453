import { graphPath } from '../network.js';
import type { Precision } from '../onnx/layers.js';
import type { Provider } from '../onnx/provider-names.js';
import { floatTensor, intTensor, openSession } from '../onnx/session.js';
import type { InstalledModel } from '../registry/folder.js';

export interface CompletionOptions {
  /** Part of the patches that is hidden, 0 to 1. */
  mask: number;
  /** Chooses which. */
  seed: number;
  precision?: Precision;
  provider?: Provider;
}

export interface Completion {
  /** Planar [3, size, size] in the scale of the input: what the network saw, and what it made of it. */
  masked: Float32Array;
  completed: Float32Array;
  /** Hidden patches, ascending. */
  hidden: number[];
  /** Mean squared error over hidden patches, both normalised per patch: the pre-training loss. */
  error: number;
}

/** A seeded choice of `count` of `total` (Fisher-Yates), ascending. */
export function chooseHidden(total: number, count: number, seed: number): number[] {
  const order = Array.from({ length: total }, (_, k) => k);
  let state = seed * 2654435761 + 1;
  for (let k = total - 1; k > 0; k--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (k + 1));
    [order[k], order[other]] = [order[other]!, order[k]!];
  }
  return order.slice(0, count).sort((a, b) => a - b);
}

/** Index in a planar [3, size, size] image of value k (pixel row, pixel column, channel) of a patch. */
function pixelIndex(token: number, k: number, size: number, patch: number): number {
  const columns = size / patch;
  const [channel, column, row] = [k % 3, Math.floor(k / 3) % patch, Math.floor(k / (3 * patch))];
  const y = Math.floor(token / columns) * patch + row;
  const x = (token % columns) * patch + column;
  return (channel * size + y) * size + x;
}

/**
 * Hides patches of `photo` and lets the network fill them in with the help of `reference`. Both planar [3, size, size],
 * normalised as the network was trained. The network predicts patches normalised by their own mean and deviation; to
 * show them they are given the true patch's, as CroCo's figures do.
 */
export async function completePhoto(
  { folder, card }: InstalledModel,
  photo: Float32Array,
  reference: Float32Array,
  size: number,
  options: CompletionOptions,
): Promise<Completion> {
  const { patch } = card;
  const total = (size / patch) ** 2;
  const hidden = chooseHidden(total, Math.min(total - 1, Math.round(options.mask * total)), options.seed);
  const isHidden = new Set(hidden);
  const visible = Array.from({ length: total }, (_, k) => k).filter((token) => !isHidden.has(token));
  const precision = options.precision ?? (Object.keys(card.precisions)[0] as Precision);
  const session = await openSession(graphPath(folder, precision, 'completion'), options.provider);
  const shape = [1, 3, size, size];
  const outputs = await session.run({
    image1: floatTensor(photo, shape),
    image2: floatTensor(reference, shape),
    visible: intTensor(visible),
  });
  const prediction = outputs['prediction']!.data as Float32Array;
  await session.release();
  const [masked, completed] = [photo.slice(), photo.slice()];
  const values = 3 * patch * patch;
  let squares = 0;
  for (const token of hidden) {
    let [sum, sumSquares] = [0, 0];
    for (let k = 0; k < values; k++) {
      const value = photo[pixelIndex(token, k, size, patch)]!;
      sum += value;
      sumSquares += value * value;
    }
    const mean = sum / values;
    const deviation = Math.sqrt(Math.max(0, (sumSquares - sum * mean) / (values - 1)) + 1e-6);
    for (let k = 0; k < values; k++) {
      const at = pixelIndex(token, k, size, patch);
      const predicted = prediction[token * values + k]!;
      squares += (predicted - (photo[at]! - mean) / deviation) ** 2;
      masked[at] = 0;
      completed[at] = predicted * deviation + mean;
    }
  }
  return { masked, completed, hidden, error: hidden.length ? squares / (hidden.length * values) : 0 };
}

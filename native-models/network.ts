import { join } from 'node:path';
import { UserError } from '../electron/contract/errors.js';
import { Fallback } from './fallback.js';
import { floatTensor, intTensor, openSession, type Session } from './onnx/session.js';
import type { Provider } from './onnx/provider-names.js';
import type { Precision } from './onnx/layers.js';
import type { ModelCard } from './registry/card.js';

/** An image's tokens, as the encoder gives them. */
export interface Features {
  /** [rows * columns, width] */
  values: Float32Array;
  rows: number;
  columns: number;
  width: number;
}

/** [height, width, 3] and [height, width]. */
export interface Pointmap {
  height: number;
  width: number;
  points: Float32Array;
  confidence: Float32Array;
}

/** A network that says, of two encoded images, where every pixel lies in the first one's camera frame. */
export interface PairNetwork {
  /** @param image planar [3, height, width] in -1..1, sides multiples of the patch */
  encode(image: Float32Array, height: number, width: number): Promise<Features>;
  /** A batch of pairs whose first images have one grid and whose second images have one grid. */
  decode(pairs: readonly (readonly [Features, Features])[]): Promise<[Pointmap, Pointmap][]>;
  close(): Promise<void>;
}

export function graphPath(folder: string, precision: Precision, name: string): string {
  return join(folder, `${name}.${precision}.onnx`);
}

function stack(features: readonly Features[]): Float32Array {
  const size = features[0]!.values.length;
  const out = new Float32Array(size * features.length);
  features.forEach(({ values }, k) => out.set(values, k * size));
  return out;
}

/**
 * Opens an installed model. The two graphs are opened when first needed, so that encoding alone costs half the memory.
 */
export function openPairNetwork(
  folder: string,
  card: ModelCard,
  precision: Precision,
  provider: Provider,
  threads?: number,
): PairNetwork {
  const sessions = new Map<string, Promise<Session>>();
  const session = (name: string): Promise<Session> => {
    let found = sessions.get(name);
    if (!found) sessions.set(name, (found = openSession(graphPath(folder, precision, name), provider, threads)));
    return found;
  };
  return {
    async encode(image, height, width) {
      const [rows, columns] = [height / card.patch, width / card.patch];
      if (!Number.isInteger(rows) || !Number.isInteger(columns) || image.length !== 3 * height * width)
        throw new Error(`image of ${width}x${height} is not made of patches of ${card.patch}`);
      const { features } = await (await session('encoder')).run({ image: floatTensor(image, [1, 3, height, width]) });
      return { values: features!.data as Float32Array, rows, columns, width: features!.dims[2]! };
    },
    async decode(pairs) {
      const [first, second] = pairs[0]!;
      const feed = (k: 0 | 1) =>
        floatTensor(stack(pairs.map((pair) => pair[k])), [
          pairs.length,
          pairs[0]![k].rows * pairs[0]![k].columns,
          pairs[0]![k].width,
        ]);
      const outputs = await (
        await session('decoder')
      ).run({
        features1: feed(0),
        features2: feed(1),
        grid1: intTensor([first.rows, first.columns]),
        grid2: intTensor([second.rows, second.columns]),
      });
      const take = (index: number, view: 1 | 2): Pointmap => {
        const [, height, width] = outputs[`confidence${view}`]!.dims as number[];
        const size = height! * width!;
        const part = (name: string, count: number) =>
          (outputs[`${name}${view}`]!.data as Float32Array).slice(index * count, (index + 1) * count);
        const points = part('points', 3 * size);
        const confidence = part('confidence', size);
        if (!confidence.every(Number.isFinite) || !points.every(Number.isFinite))
          throw new UserError(
            'bad-input',
            `The model gave numbers that are not finite in ${precision} on ${provider}. Choose another precision or the CPU: ${folder}`,
          );
        return { height: height!, width: width!, points, confidence };
      };
      return pairs.map((_, k) => [take(k, 1), take(k, 2)]);
    },
    async close() {
      const open = await Promise.allSettled(sessions.values());
      sessions.clear();
      await Promise.all(open.map((result) => (result.status === 'fulfilled' ? result.value.release() : undefined)));
    },
  };
}

/** A network that goes on with the CPU when its provider fails in mid-run. */
export function pairNetworkThatGoesOn(
  open: (provider: Provider) => PairNetwork,
  provider: Provider,
  onNote: (message: string) => void,
): PairNetwork {
  const fallback = new Fallback(open, provider, onNote);
  return {
    encode: (image, height, width) => fallback.use((network) => network.encode(image, height, width)),
    decode: (pairs) => fallback.use((network) => network.decode(pairs)),
    close: () => fallback.close(),
  };
}

import { UserError } from '../../electron/contract/errors.js';
import { Fallback } from '../fallback.js';
import { graphPath } from '../network.js';
import type { Precision } from '../onnx/layers.js';
import type { Provider } from '../onnx/provider-names.js';
import { floatTensor, intTensor, openSession, type Session, type Tensor } from '../onnx/session.js';
import { cameraNumbers, cameraOf, type ViewCamera } from './camera-numbers.js';
import { referenceView } from './reference-view.js';

/** What is computed of a photo alone, whatever group it is looked at in. */
export interface PhotoTokens {
  rows: number;
  columns: number;
  width: number;
  /** [1 + rows * columns, width] */
  tokens: Float32Array;
  /** [width] */
  summary: Float32Array;
}

/** What the blocks over a group give, views in the order in which they were given. */
export interface GroupFeatures {
  rows: number;
  columns: number;
  /** [levels = 4][views]: [rows * columns, 2 width]. */
  features: Float32Array[][];
  /** [levels = 4][views]: [2 width]. */
  cameraTokens: Float32Array[][];
  cameras: ViewCamera[];
}

/** [height, width] both; the depth lies along z, in the frame and unit that all cameras of the group share. */
export interface DepthOutput {
  height: number;
  width: number;
  depth: Float32Array;
  confidence: Float32Array;
}

/** [rows, columns, 6] and [rows, columns]: a second opinion on the camera, at 8/14 of the view's sides. */
export interface RayOutput {
  rows: number;
  columns: number;
  ray: Float32Array;
  confidence: Float32Array;
}

/**
 * Depth Anything 3: any number of views of one shape at once. Steps are apart so that a photo's own blocks run once,
 * and a head's memory is one view's.
 */
export interface GroupNetwork {
  /** @param image planar [3, height, width], normalised (normalisedImage), sides multiples of the patch */
  photo(image: Float32Array, height: number, width: number): Promise<PhotoTokens>;
  /** @param cameras one for each photo where all are known: then the result's frame and unit are theirs */
  group(photos: readonly PhotoTokens[], cameras?: readonly ViewCamera[]): Promise<GroupFeatures>;
  depth(group: GroupFeatures, view: number): Promise<DepthOutput>;
  rays(group: GroupFeatures, view: number): Promise<RayOutput>;
  close(): Promise<void>;
}

const mean = [0.485, 0.456, 0.406];
const deviation = [0.229, 0.224, 0.225];

/** sRGB [height, width, 3] to planar [3, height, width] as the network was trained. */
export function normalisedImage(pixels: Uint8Array): Float32Array {
  const size = pixels.length / 3;
  const out = new Float32Array(pixels.length);
  for (let channel = 0; channel < 3; channel++) {
    const [scale, offset] = [1 / (255 * deviation[channel]!), mean[channel]! / deviation[channel]!];
    for (let p = 0; p < size; p++) out[channel * size + p] = pixels[3 * p + channel]! * scale - offset;
  }
  return out;
}

/** Views [views, ...] as they lie in a tensor, each a copy. */
function views(tensor: Tensor): Float32Array[] {
  const count = tensor.dims[0]!;
  const values = tensor.data as Float32Array;
  const size = values.length / count;
  return Array.from({ length: count }, (_, k) => values.slice(k * size, (k + 1) * size));
}

function stacked(parts: readonly Float32Array[]): Float32Array {
  const size = parts[0]!.length;
  const out = new Float32Array(size * parts.length);
  parts.forEach((part, k) => out.set(part, k * size));
  return out;
}

class Da3Network implements GroupNetwork {
  private readonly sessions = new Map<string, Promise<Session>>();

  constructor(
    private readonly folder: string,
    private readonly patch: number,
    private readonly precision: Precision,
    private readonly provider: Provider,
    private readonly threads?: number,
  ) {}

  private session(name: string): Promise<Session> {
    let found = this.sessions.get(name);
    if (!found) {
      found = openSession(graphPath(this.folder, this.precision, name), this.provider, this.threads);
      this.sessions.set(name, found);
    }
    return found;
  }

  private finite(values: Float32Array): Float32Array {
    if (!values.every(Number.isFinite))
      throw new UserError(
        'bad-input',
        `The model gave numbers that are not finite in ${this.precision} on ${this.provider}. Choose another precision or the CPU: ${this.folder}`,
      );
    return values;
  }

  async photo(image: Float32Array, height: number, width: number): Promise<PhotoTokens> {
    const { patch } = this;
    const [rows, columns] = [height / patch, width / patch];
    if (!Number.isInteger(rows) || !Number.isInteger(columns) || image.length !== 3 * height * width)
      throw new Error(`image of ${width}x${height} is not made of patches of ${patch}`);
    const session = await this.session('photo');
    const { tokens, summary } = await session.run({ image: floatTensor(image, [1, 3, height, width]) });
    return {
      rows,
      columns,
      width: tokens!.dims[2]!,
      tokens: this.finite(tokens!.data as Float32Array),
      summary: summary!.data as Float32Array,
    };
  }

  async group(photos: readonly PhotoTokens[], given?: readonly ViewCamera[]): Promise<GroupFeatures> {
    const { rows, columns, width } = photos[0]!;
    if (photos.some((photo) => photo.rows !== rows || photo.columns !== columns))
      throw new Error('the photos of a group have one shape');
    if (given && given.length !== photos.length)
      throw new Error('cameras are given for all photos of a group or for none');
    const [height, across] = [rows * this.patch, columns * this.patch];
    // The reference goes first; with cameras given there is none.
    const reference = given ? 0 : referenceView(photos.map(({ summary }) => summary));
    const order = [reference, ...[...photos.keys()].filter((view) => view !== reference)];
    const numbers = order.map((view) =>
      given ? cameraNumbers(given[view]!, height, across) : new Array<number>(9).fill(0),
    );
    const cameras = await (
      await this.session('cameras')
    ).run({
      cameras: floatTensor(Float32Array.from(numbers.flat()), [1, order.length, 9]),
      roles: intTensor(order.map((_, place) => Number(place > 0))),
    });
    const tokens = (given ? cameras['given']! : cameras['learned']!).data as Float32Array;
    const outputs = await (
      await this.session('group')
    ).run({
      tokens: floatTensor(stacked(order.map((view) => photos[view]!.tokens)), [
        order.length,
        1 + rows * columns,
        width,
      ]),
      cameras: floatTensor(tokens, [order.length, width]),
      grid: intTensor([rows, columns]),
    });
    const inOrder = <T>(parts: T[]): T[] => photos.map((_, view) => parts[order.indexOf(view)]!);
    const levels = [0, 1, 2, 3];
    this.finite(outputs['camera']!.data as Float32Array);
    return {
      rows,
      columns,
      features: levels.map((level) => inOrder(views(outputs[`features_${level}`]!))),
      cameraTokens: levels.map((level) => inOrder(views(outputs[`camera_token_${level}`]!))),
      cameras: inOrder(views(outputs['camera']!)).map((values) => cameraOf(values, height, across)),
    };
  }

  private async head(
    name: string,
    { rows, columns, features }: GroupFeatures,
    view: number,
  ): Promise<Record<string, Tensor>> {
    const feeds: Record<string, Tensor> = { grid: intTensor([rows, columns]) };
    features.forEach((level, k) => {
      const values = level[view]!;
      feeds[`features_${k}`] = floatTensor(values, [1, rows * columns, values.length / (rows * columns)]);
    });
    return (await this.session(name)).run(feeds);
  }

  async depth(group: GroupFeatures, view: number): Promise<DepthOutput> {
    const { depth, confidence } = await this.head('depth', group, view);
    const [, height, width] = depth!.dims as [number, number, number];
    return {
      height,
      width,
      depth: this.finite(depth!.data as Float32Array),
      confidence: this.finite(confidence!.data as Float32Array),
    };
  }

  async rays(group: GroupFeatures, view: number): Promise<RayOutput> {
    const { ray, ray_confidence: confidence } = await this.head('rays', group, view);
    const [, rows, columns] = ray!.dims as [number, number, number, number];
    return { rows, columns, ray: ray!.data as Float32Array, confidence: confidence!.data as Float32Array };
  }

  async close(): Promise<void> {
    const open = await Promise.allSettled(this.sessions.values());
    this.sessions.clear();
    await Promise.all(open.map((result) => (result.status === 'fulfilled' ? result.value.release() : undefined)));
  }
}

/** Opens an installed model; each graph when it is first needed. */
export function openGroupNetwork(
  folder: string,
  patch: number,
  precision: Precision,
  provider: Provider,
  threads?: number,
): GroupNetwork {
  return new Da3Network(folder, patch, precision, provider, threads);
}

/** A network that goes on with the CPU when its provider fails in mid-run. */
export function groupNetworkThatGoesOn(
  open: (provider: Provider) => GroupNetwork,
  provider: Provider,
  onNote: (message: string) => void,
): GroupNetwork {
  const fallback = new Fallback(open, provider, onNote);
  return {
    photo: (...given) => fallback.use((network) => network.photo(...given)),
    group: (...given) => fallback.use((network) => network.group(...given)),
    depth: (...given) => fallback.use((network) => network.depth(...given)),
    rays: (...given) => fallback.use((network) => network.rays(...given)),
    close: () => fallback.close(),
  };
}

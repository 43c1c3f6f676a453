import type { Provider } from '../onnx/provider-names.js';
import { floatTensor, openSession, type Session, type Tensor } from '../onnx/session.js';
import * as ort from 'onnxruntime-node';
import { checkSignature, signatureFaults, type Expected } from './signature.js';

/** Features that a network found: instead of SIFT's bytes each has a vector of unit length. */
export interface LearnedFeatures {
  count: number;
  /** [count, 4]: x, y in pixels, centres at integers; scale 1 and angle 0, which the network doesn't tell. */
  keypoints: Float32Array;
  /** [count, 128]. */
  vectors: Float32Array;
}

/** A picture to find features in. */
export interface FinderPicture {
  /** sRGB [height, width, 3]. */
  pixels: Uint8Array;
  width: number;
  height: number;
  /** [height, width], 0 where no feature may lie. */
  keep?: Uint8Array | undefined;
}

export interface FeatureFinder {
  /** Changes whenever the same picture would give other features; part of cache keys. */
  readonly id: string;
  find(picture: FinderPicture): Promise<LearnedFeatures>;
  close(): Promise<void>;
}

export interface AlikedOptions {
  /** At most this many features. */
  maximum: number;
  /** Least score of a feature, 0 to 1. */
  least: number;
}
/** As in the paper's evaluation of matching (Zhao et al., IEEE TIM 2023, section V). */
export const ALIKED_DEFAULTS: AlikedOptions = { maximum: 4096, least: 0.2 };

const VECTOR = 128;
/** The network halves the picture five times. */
const STEP = 32;

const float = ['float32'];
const image: Expected = { name: 'image', types: float, shape: [-1, 3, -1, -1] };
const maximumInput: Expected = { name: 'max_keypoints', types: ['int64'], shape: [] };
const leastInput: Expected = { name: 'min_score', types: float, shape: [] };
const outputs: Expected[] = [
  { name: 'keypoints', types: float, shape: [-1, -1, 2] },
  { name: 'descriptors', types: float, shape: [-1, -1, VECTOR] },
  { name: 'scores', types: float, shape: [-1, -1] },
];

/** What is wrong with a graph as ALIKED; empty where nothing is. Its two limits are optional inputs. */
export function alikedFaults(session: Session): string[] {
  const limits = [maximumInput, leastInput].filter(({ name }) => session.inputNames.includes(name));
  return signatureFaults(session, [image, ...limits], outputs);
}

/** [1, 3, h, w] in 0 to 1, sides rounded up to the network's step by repeating the last row and column. */
function planes({ pixels, width, height }: FinderPicture): { tensor: Tensor; width: number; height: number } {
  const [w, h] = [width, height].map((side) => Math.ceil(side / STEP) * STEP) as [number, number];
  const values = new Float32Array(3 * w * h);
  for (let y = 0; y < h; y++) {
    const row = Math.min(y, height - 1) * width;
    for (let x = 0; x < w; x++) {
      const from = 3 * (row + Math.min(x, width - 1));
      const to = y * w + x;
      for (let channel = 0; channel < 3; channel++) values[channel * w * h + to] = pixels[from + channel]! / 255;
    }
  }
  return { tensor: floatTensor(values, [1, 3, h, w]), width: w, height: h };
}

/** Features inside the picture and its mask; the graph tells places as -1 to 1 over the centres of the padded sides. */
function inside(
  picture: FinderPicture,
  padded: { width: number; height: number },
  places: Float32Array,
  vectors: Float32Array,
): LearnedFeatures {
  const { width, height, keep } = picture;
  const kept: number[] = [];
  const keypoints: number[] = [];
  for (let k = 0; k < places.length / 2; k++) {
    const x = ((places[2 * k]! + 1) * (padded.width - 1)) / 2;
    const y = ((places[2 * k + 1]! + 1) * (padded.height - 1)) / 2;
    if (!(x >= -0.5 && x < width - 0.5 && y >= -0.5 && y < height - 0.5)) continue;
    if (keep && keep[Math.round(y) * width + Math.round(x)] !== 1) continue;
    kept.push(k);
    keypoints.push(x, y, 1, 0);
  }
  const own = new Float32Array(VECTOR * kept.length);
  kept.forEach((from, to) => own.set(vectors.subarray(VECTOR * from, VECTOR * (from + 1)), VECTOR * to));
  return { count: kept.length, keypoints: Float32Array.from(keypoints), vectors: own };
}

/**
 * Opens ALIKED (Zhao et al., IEEE TIM 2023), as COLMAP publishes it: an sRGB picture in, places, scores and descriptors
 * of its most telling points out.
 *
 * @throws UserError 'bad-input' when the graph's inputs or outputs are others
 */
export async function openAliked(
  path: string,
  id: string,
  provider: Provider = 'cpu',
  threads?: number,
  { maximum, least }: AlikedOptions = ALIKED_DEFAULTS,
): Promise<FeatureFinder> {
  const session = await openSession(path, provider, threads);
  const faults = alikedFaults(session);
  if (faults.length) await session.release();
  checkSignature('ALIKED', path, faults);
  const limits: Record<string, Tensor> = {};
  if (session.inputNames.includes(maximumInput.name))
    limits[maximumInput.name] = new ort.Tensor('int64', BigInt64Array.of(BigInt(maximum)), []);
  if (session.inputNames.includes(leastInput.name))
    limits[leastInput.name] = new ort.Tensor('float32', Float32Array.of(least), []);
  return {
    id: `${id},${maximum},${least}`,
    async find(picture) {
      const { tensor, ...padded } = planes(picture);
      const { keypoints, descriptors, scores } = await session.run({ [image.name]: tensor, ...limits });
      const places = keypoints!.data as Float32Array;
      const count = places.length / 2;
      if (descriptors!.data.length !== VECTOR * count || scores!.data.length !== count)
        throw new Error(`the network told ${scores!.data.length} scores of ${count} features`);
      return inside(picture, padded, places, descriptors!.data as Float32Array);
    },
    close: () => session.release(),
  };
}

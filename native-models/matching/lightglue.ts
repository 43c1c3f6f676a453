import type { Provider } from '../onnx/provider-names.js';
import { floatTensor, openSession, type Session, type Tensor } from '../onnx/session.js';
import { checkSignature, signatureFaults, type Expected } from './signature.js';

/** SIFT features of a picture: electron/features/features.ts. */
export interface MatchedFeatures {
  count: number;
  /** [count, 4]: x, y, scale (sigma, pixels), angle (radians, x to y). */
  keypoints: Float32Array;
  /** [count, 128] RootSIFT times 512. */
  descriptors: Uint8Array;
  /** Of the picture that they were found on, pixels. */
  width: number;
  height: number;
}

export interface FeatureMatcher {
  /** Changes whenever the same features would be matched otherwise; part of cache keys. */
  readonly id: string;
  /** [n, 2] indices into a and b. */
  match(a: MatchedFeatures, b: MatchedFeatures): Promise<Uint32Array>;
  close(): Promise<void>;
}

export interface LightGlueOptions {
  /** Matches that the network is less sure of are left out, 0 to 1. */
  least: number;
}
export const LIGHTGLUE_DEFAULTS: LightGlueOptions = { least: 0.1 };

const float = ['float32'];
const pair = (name: string, shape: number[]): Expected[] =>
  [0, 1].map((k) => ({ name: `${name}${k}`, types: float, shape }));

const common = [...pair('kpts', [-1, -1, 2]), ...pair('desc', [-1, -1, 128]), ...pair('image_size', [-1, 2])];
const oriented = [...pair('scales', [-1, -1]), ...pair('oris', [-1, -1])];
const outputs: Expected[] = [
  { name: 'matches0', types: ['int64', 'float32'], shape: [-1] },
  { name: 'mscores0', types: float, shape: [-1] },
];

/** Which features a LightGlue graph takes (Lindenberger, Sarlin and Pollefeys, ICCV 2023), or what is wrong with it. */
export function lightGlueKind(session: Session): { features: 'sift' | 'aliked' } | { faults: string[] } {
  const withOrientations = session.inputNames.includes('scales0') || session.inputNames.length > 6;
  const faults = signatureFaults(session, withOrientations ? [...common, ...oriented] : common, outputs);
  if (faults.length) return { faults };
  return { features: withOrientations ? 'sift' : 'aliked' };
}

/** Directions of a cell counted against the image's y axis, as in the descriptors that the network was trained with. */
const against = Int32Array.from({ length: 128 }, (_, k) => (k & ~7) | ((8 - (k & 7)) & 7));

function feeds({ count, keypoints, descriptors, width, height }: MatchedFeatures, k: 0 | 1): Record<string, Tensor> {
  const places = new Float32Array(2 * count);
  const [scales, angles] = [new Float32Array(count), new Float32Array(count)];
  const vectors = new Float32Array(128 * count);
  for (let i = 0; i < count; i++) {
    places.set([keypoints[4 * i]!, keypoints[4 * i + 1]!], 2 * i);
    scales[i] = keypoints[4 * i + 2]!;
    angles[i] = keypoints[4 * i + 3]!;
    let squares = 0;
    for (let d = 0; d < 128; d++) squares += descriptors[128 * i + d]! ** 2;
    const unit = 1 / (Math.sqrt(squares) || 1);
    for (let d = 0; d < 128; d++) vectors[128 * i + d] = descriptors[128 * i + against[d]!]! * unit;
  }
  return {
    [`kpts${k}`]: floatTensor(places, [1, count, 2]),
    [`desc${k}`]: floatTensor(vectors, [1, count, 128]),
    [`image_size${k}`]: floatTensor(Float32Array.of(width, height), [1, 2]),
    [`scales${k}`]: floatTensor(scales, [1, count]),
    [`oris${k}`]: floatTensor(angles, [1, count]),
  };
}

/**
 * Opens LightGlue for SIFT, as COLMAP publishes it: for each feature of the first picture the one of the second, or -1,
 * and how sure the network is.
 *
 * @throws UserError 'bad-input' when the graph's inputs or outputs are others
 */
export async function openLightGlue(
  path: string,
  id: string,
  provider: Provider = 'cpu',
  threads?: number,
  { least }: LightGlueOptions = LIGHTGLUE_DEFAULTS,
): Promise<FeatureMatcher> {
  const session = await openSession(path, provider, threads);
  const kind = lightGlueKind(session);
  const faults = 'faults' in kind ? kind.faults : kind.features === 'sift' ? [] : ['it takes ALIKED features'];
  if (faults.length) await session.release();
  checkSignature('LightGlue for SIFT', path, faults);
  return {
    id: `${id},${least}`,
    async match(a, b) {
      if (a.count < 1 || b.count < 1) return new Uint32Array(0);
      const { matches0, mscores0 } = await session.run({ ...feeds(a, 0), ...feeds(b, 1) });
      const partners = Array.from(matches0!.data as BigInt64Array | Float32Array, Number);
      const scores = mscores0!.data as Float32Array;
      if (partners.length !== a.count || scores.length !== a.count)
        throw new Error(`the matcher answered for ${partners.length} features of ${a.count}`);
      const matches: number[] = [];
      partners.forEach((other, k) => {
        if (Number.isInteger(other) && other >= 0 && other < b.count && scores[k]! >= least) matches.push(k, other);
      });
      return Uint32Array.from(matches);
    },
    close: () => session.release(),
  };
}

import type { Provider } from '../onnx/provider-names.js';
import { floatTensor, openSession, type Session, type Tensor } from '../onnx/session.js';
import type { FeatureFinder } from './aliked.js';
import { checkSignature, signatureFaults, type Expected } from './signature.js';

/** Features of a picture: SIFT (electron/features/features.ts) or learned ones (aliked.ts). */
export interface MatchedFeatures {
  count: number;
  /** [count, 4]: x, y, scale (sigma, pixels), angle (radians, x to y). */
  keypoints: Float32Array;
  /** [count, 128] RootSIFT times 512; empty for learned features. */
  descriptors: Uint8Array;
  /** [count, 128] of unit length, of learned features. */
  vectors?: Float32Array | undefined;
  /** Of the picture that they were found on, pixels. */
  width: number;
  height: number;
}

export interface FeatureMatcher {
  /** Changes whenever the same features would be matched otherwise; part of cache keys. */
  readonly id: string;
  /** [n, 2] indices into a and b. */
  match(a: MatchedFeatures, b: MatchedFeatures): Promise<Uint32Array>;
  /** Finds the features that it matches; SIFT's without. */
  finder?: FeatureFinder | undefined;
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

function wrongKind(kind: ReturnType<typeof lightGlueKind>, wanted: 'sift' | 'aliked'): string[] {
  if ('faults' in kind) return kind.faults;
  return kind.features === wanted ? [] : [`it takes ${kind.features === 'sift' ? 'SIFT' : 'ALIKED'} features`];
}

/** Directions of a cell counted against the image's y axis, as in the descriptors that the network was trained with. */
const against = Int32Array.from({ length: 128 }, (_, k) => (k & ~7) | ((8 - (k & 7)) & 7));

/** RootSIFT as the network was trained with it, of unit length. */
function siftVectors({ count, descriptors }: MatchedFeatures): Float32Array {
  const vectors = new Float32Array(128 * count);
  for (let i = 0; i < count; i++) {
    let squares = 0;
    for (let d = 0; d < 128; d++) squares += descriptors[128 * i + d]! ** 2;
    const unit = 1 / (Math.sqrt(squares) || 1);
    for (let d = 0; d < 128; d++) vectors[128 * i + d] = descriptors[128 * i + against[d]!]! * unit;
  }
  return vectors;
}

function feeds(features: MatchedFeatures, k: 0 | 1): Record<string, Tensor> {
  const { count, keypoints, width, height, vectors } = features;
  const column = (index: number) => Float32Array.from({ length: count }, (_, i) => keypoints[4 * i + index]!);
  const places = Float32Array.from({ length: 2 * count }, (_, i) => keypoints[4 * (i >> 1) + (i & 1)]!);
  const common = {
    [`kpts${k}`]: floatTensor(places, [1, count, 2]),
    [`desc${k}`]: floatTensor(vectors ?? siftVectors(features), [1, count, 128]),
    [`image_size${k}`]: floatTensor(Float32Array.of(width, height), [1, 2]),
  };
  if (vectors) return common;
  return {
    ...common,
    [`scales${k}`]: floatTensor(column(2), [1, count]),
    [`oris${k}`]: floatTensor(column(3), [1, count]),
  };
}

/**
 * Opens LightGlue as COLMAP publishes it: for each feature of the first picture the one of the second, or -1, and how
 * sure the network is. With a finder it is the one for ALIKED, else the one for SIFT; closing closes both.
 *
 * @throws UserError 'bad-input' when the graph's inputs or outputs are others
 */
export async function openLightGlue(
  path: string,
  id: string,
  provider: Provider = 'cpu',
  threads?: number,
  { least }: LightGlueOptions = LIGHTGLUE_DEFAULTS,
  finder?: FeatureFinder,
): Promise<FeatureMatcher> {
  const session = await openSession(path, provider, threads);
  const kind = lightGlueKind(session);
  const faults = wrongKind(kind, finder ? 'aliked' : 'sift');
  if (faults.length) await Promise.all([session.release(), finder?.close()]);
  checkSignature(`LightGlue for ${finder ? 'ALIKED' : 'SIFT'}`, path, faults);
  return {
    id: [`${id},${least}`, ...(finder ? [finder.id] : [])].join('/'),
    finder,
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
    close: async () => void (await Promise.all([session.release(), finder?.close()])),
  };
}

import type { LearnedFeatures } from '../../native-models/matching/aliked.js';
import { DESCRIPTOR, type Features } from '../features/features.js';
import type { EpipolarFit } from './epipolar.js';
import type { TwoViewResult } from './two-view.js';

/**
 * How features, matches and relative poses lie in the project file, little-endian. Decoders give undefined for a
 * missing record and for one that is damaged: it is then computed anew.
 */

export function encodeFeatures(features: Features): Uint8Array {
  const out = new Uint8Array(4 + features.count * (16 + DESCRIPTOR));
  new DataView(out.buffer).setUint32(0, features.count, true);
  out.set(new Uint8Array(features.keypoints.buffer, features.keypoints.byteOffset, features.count * 16), 4);
  out.set(features.descriptors, 4 + features.count * 16);
  return out;
}

/** The arrays are shared memory, so that worker threads read them without a copy. */
export function decodeFeatures(bytes: Uint8Array | undefined): Features | undefined {
  if (!bytes || bytes.length < 4) return undefined;
  const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (bytes.length !== 4 + count * (16 + DESCRIPTOR)) return undefined;
  const keypoints = new Float32Array(new SharedArrayBuffer(count * 16));
  new Uint8Array(keypoints.buffer).set(bytes.subarray(4, 4 + count * 16));
  const descriptors = new Uint8Array(new SharedArrayBuffer(count * DESCRIPTOR));
  descriptors.set(bytes.subarray(4 + count * 16, 4 + count * (16 + DESCRIPTOR)));
  return { count, keypoints, descriptors };
}

/** Learned features: as above, with vectors of float32 in place of bytes. */
export function encodeLearned({ count, keypoints, vectors }: LearnedFeatures): Uint8Array {
  const out = new Uint8Array(4 + count * (16 + 4 * DESCRIPTOR));
  new DataView(out.buffer).setUint32(0, count, true);
  out.set(new Uint8Array(keypoints.buffer, keypoints.byteOffset, count * 16), 4);
  out.set(new Uint8Array(vectors.buffer, vectors.byteOffset, count * 4 * DESCRIPTOR), 4 + count * 16);
  return out;
}

export function decodeLearned(bytes: Uint8Array | undefined): Features | undefined {
  if (!bytes || bytes.length < 4) return undefined;
  const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const size = 4 + count * (16 + 4 * DESCRIPTOR);
  if (bytes.length !== size) return undefined;
  return {
    count,
    keypoints: new Float32Array(bytes.slice(4, 4 + count * 16).buffer),
    descriptors: new Uint8Array(0),
    vectors: new Float32Array(bytes.slice(4 + count * 16, size).buffer),
  };
}

export const encodeMatches = (matches: Uint32Array): Uint8Array => new Uint8Array(matches.slice().buffer);

/** @param counts of both photos' features, which the indices must stay below */
export function decodeMatches(
  bytes: Uint8Array | undefined,
  counts: readonly [number, number],
): Uint32Array | undefined {
  if (!bytes || bytes.length % 8 !== 0) return undefined;
  const matches = new Uint32Array(bytes.slice().buffer);
  return matches.every((index, k) => index < counts[k & 1]!) ? matches : undefined;
}

/** 17 numbers. */
const POSE_BYTES = 136;

/** Relative pose of a pair; undefined (no geometry found) is kept as an empty record. */
export function encodePose(result: TwoViewResult | undefined): Uint8Array {
  if (!result) return new Uint8Array(0);
  const { rotation, translation, inlierCount, score, rotationShare, parallax, inliers } = result;
  const numbers = Float64Array.of(
    ...rotation,
    ...translation,
    inlierCount,
    score,
    rotationShare,
    parallax,
    result.evidence,
  );
  const out = new Uint8Array(numbers.byteLength + inliers.length);
  out.set(new Uint8Array(numbers.buffer));
  out.set(inliers, numbers.byteLength);
  return out;
}

/** @param count of the matches that were related */
export function decodePose(
  bytes: Uint8Array | undefined,
  count: number,
): { result: TwoViewResult | undefined } | undefined {
  if (bytes?.length === 0) return { result: undefined };
  if (bytes?.length !== POSE_BYTES + count) return undefined;
  const numbers = new Float64Array(bytes.slice(0, POSE_BYTES).buffer);
  const [inlierCount, score, rotationShare, parallax, evidence] = numbers.subarray(12) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    result: {
      rotation: numbers.slice(0, 9),
      translation: numbers.slice(9, 12),
      inlierCount,
      score,
      rotationShare,
      parallax,
      evidence,
      inliers: bytes.slice(POSE_BYTES),
    },
  };
}

/** Epipolar geometry of a pair; undefined (none found) is kept as an empty record. */
export function encodeFit(fit: EpipolarFit | undefined): Uint8Array {
  if (!fit) return new Uint8Array(0);
  const numbers = Float64Array.of(fit.inlierCount, fit.evidence, fit.planarShare);
  const out = new Uint8Array(numbers.byteLength + fit.inliers.length);
  out.set(new Uint8Array(numbers.buffer));
  out.set(fit.inliers, numbers.byteLength);
  return out;
}

/** @param count of the matches that were fitted */
export function decodeFit(bytes: Uint8Array | undefined, count: number): { fit: EpipolarFit | undefined } | undefined {
  if (bytes?.length === 0) return { fit: undefined };
  if (bytes?.length !== 24 + count) return undefined;
  const [inlierCount, evidence, planarShare] = new Float64Array(bytes.slice(0, 24).buffer) as unknown as [
    number,
    number,
    number,
  ];
  return { fit: { inlierCount, evidence, planarShare, inliers: bytes.slice(24) } };
}

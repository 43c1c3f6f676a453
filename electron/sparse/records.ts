import { DESCRIPTOR, type Features } from '../features/features.js';
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

/** Relative pose of a pair; undefined (no geometry found) is kept as an empty record. */
export function encodePose(result: TwoViewResult | undefined): Uint8Array {
  if (!result) return new Uint8Array(0);
  const { rotation, translation, inlierCount, score, rotationShare, parallax, inliers } = result;
  const numbers = Float64Array.of(...rotation, ...translation, inlierCount, score, rotationShare, parallax);
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
  if (bytes?.length !== 128 + count) return undefined;
  const numbers = new Float64Array(bytes.slice(0, 128).buffer);
  const [inlierCount, score, rotationShare, parallax] = numbers.subarray(12) as unknown as [
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
      inliers: bytes.slice(128),
    },
  };
}

import { digestObservation } from '../geometry/digest.js';
import type { Observation, ObservedView } from '../geometry/types.js';
import { unpackBits } from '../numerics/bits.js';
import { decodePlacedView, encodeDigest, encodeView } from '../geometry/view-record.js';
import { floatFromHalf } from '../numerics/half.js';

/** An observation as the project file keeps it: the digest of all views, and a record per view. */
export interface EncodedObservation {
  digest: Uint8Array;
  views: Uint8Array[];
}

export function encodeObservation(observation: Observation): EncodedObservation {
  const { views, focal, firstFromCamera } = observation;
  return {
    digest: encodeDigest(digestObservation(observation)),
    views: views.map((view, role) => {
      const [own, pose] = [focal?.[role], firstFromCamera?.[role]];
      return encodeView(view, {
        of: views.length,
        ...(own === undefined ? {} : { focal: own }),
        ...(pose ? { pose: [...pose] } : {}),
      });
    }),
  };
}

/** The digest of an observation of which only the views are left; undefined where not all of them are. */
export function digestOfViews(records: readonly Uint8Array[]): Uint8Array | undefined {
  const read = records.map(decodePlacedView);
  if (read.length === 0 || !read.every((one) => one?.place?.of === records.length)) return undefined;
  const focal = read.map((one) => one!.place!.focal);
  const poses = read.map((one) => one!.place!.pose);
  return encodeDigest(
    digestObservation({
      views: read.map((one) => one!.view),
      ...(focal.some((value) => value !== undefined) ? { focal } : {}),
      ...(poses.some(Boolean) ? { firstFromCamera: poses.map((pose) => pose && Float64Array.from(pose)) } : {}),
    }),
  );
}

/** The header of records of files up to version 5. */
interface Header {
  views: (Omit<ObservedView, 'points' | 'confidence' | 'inferred'> & {
    scale: number;
    logConfidence: number;
    /** A bit a pixel follows the confidence. */
    inferred?: boolean;
  })[];
  focal?: (number | null)[];
  firstFromCamera?: (number[] | null)[];
}

/**
 * Reads an observation of a file up to version 5: one record, a JSON header with its length, then per view the pointmap
 * as float16 with a scale of its own and the confidence in one byte, on a logarithmic scale.
 *
 * @throws RangeError or SyntaxError when the record is cut off or not one
 */
export function decodeOldObservation(record: Uint8Array): Observation {
  const bytes = new Uint8Array(record).buffer;
  const length = new Uint32Array(bytes, 0, 1)[0]!;
  const header = JSON.parse(Buffer.from(bytes, 4, length).toString()) as Header;
  let at = 4 + length;
  const views = header.views.map(({ scale, logConfidence, inferred: isInferred, ...view }) => {
    const count = view.width * view.height;
    const points = floatFromHalf(new Uint16Array(bytes.slice(at, at + count * 6)));
    for (let i = 0; i < points.length; i++) points[i] = points[i]! / scale;
    at += count * 6;
    const levels = new Uint8Array(bytes, at, count);
    at += count;
    const table = Float32Array.from({ length: 256 }, (_, level) => Math.exp((level / 255) * logConfidence));
    const confidence = Float32Array.from(levels, (level) => table[level]!);
    const bits = isInferred ? new Uint8Array(bytes, at, (count + 7) >> 3) : undefined;
    at += bits?.length ?? 0;
    return { ...view, points, confidence, ...(bits ? { inferred: unpackBits(bits, count) } : {}) };
  });
  if (at !== bytes.byteLength) throw new RangeError('an observation record has the wrong length');
  const observation: Observation = { views };
  if (header.focal) observation.focal = header.focal.map((value) => value ?? undefined);
  if (header.firstFromCamera)
    observation.firstFromCamera = header.firstFromCamera.map((pose) => (pose ? Float64Array.from(pose) : undefined));
  return observation;
}

import type { Observation, ObservedView } from '../geometry/types.js';
import { packBits, unpackBits } from './bits.js';
import { fromFloat16, toFloat16 } from './float16.js';

/**
 * An observation as the project file keeps it: a JSON header with its length, then per view the pointmap as float16
 * with a scale of its own and the confidence in one byte, on a logarithmic scale (alignment weighs by its logarithm).
 */
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

export function encodeObservation(observation: Observation): Uint8Array {
  const parts: Uint8Array[] = [];
  const views = observation.views.map(({ points, confidence, inferred, ...rest }) => {
    const scale = pointScale(points);
    let highest = 1;
    for (const value of confidence) if (value > highest) highest = value;
    const logConfidence = Math.log(highest);
    const bytes = new Uint8Array(confidence.length);
    for (let i = 0; i < bytes.length; i++) {
      // Never rounded down to "no information", never up from it.
      const level = (Math.log(Math.max(1, confidence[i]!)) / (logConfidence || 1)) * 255;
      bytes[i] = confidence[i]! > 1 ? Math.max(1, Math.round(level)) : 0;
    }
    parts.push(new Uint8Array(toFloat16(points, scale).buffer), bytes);
    if (inferred) parts.push(packBits(inferred));
    return { ...rest, scale, logConfidence, ...(inferred ? { inferred: true } : {}) };
  });
  const header: Header = { views };
  if (observation.focal) header.focal = observation.focal.map((value) => value ?? null);
  if (observation.firstFromCamera)
    header.firstFromCamera = observation.firstFromCamera.map((pose) => (pose ? [...pose] : null));
  // Padded so that the halves that follow are aligned.
  let json = JSON.stringify(header);
  while (Buffer.byteLength(json) % 4 !== 0) json += ' ';
  const text = Buffer.from(json);
  const length = new Uint8Array(new Uint32Array([text.length]).buffer);
  return Buffer.concat([length, text, ...parts]);
}

/** @throws RangeError or SyntaxError when the record is cut off or not one */
export function decodeObservation(record: Uint8Array): Observation {
  const bytes = new Uint8Array(record).buffer;
  const length = new Uint32Array(bytes, 0, 1)[0]!;
  const header = JSON.parse(Buffer.from(bytes, 4, length).toString()) as Header;
  let at = 4 + length;
  const views = header.views.map(({ scale, logConfidence, inferred: isInferred, ...view }) => {
    const count = view.width * view.height;
    const halves = new Uint16Array(bytes.slice(at, at + count * 6));
    at += count * 6;
    const levels = new Uint8Array(bytes, at, count);
    at += count;
    const table = Float32Array.from({ length: 256 }, (_, level) => Math.exp((level / 255) * logConfidence));
    const confidence = new Float32Array(count);
    for (let i = 0; i < count; i++) confidence[i] = table[levels[i]!]!;
    const bits = isInferred ? new Uint8Array(bytes, at, (count + 7) >> 3) : undefined;
    at += bits?.length ?? 0;
    return {
      ...view,
      points: fromFloat16(halves, scale),
      confidence,
      ...(bits ? { inferred: unpackBits(bits, count) } : {}),
    };
  });
  if (at !== bytes.byteLength) throw new RangeError('an observation record has the wrong length');
  const observation: Observation = { views };
  if (header.focal) observation.focal = header.focal.map((value) => value ?? undefined);
  if (header.firstFromCamera)
    observation.firstFromCamera = header.firstFromCamera.map((pose) => (pose ? Float64Array.from(pose) : undefined));
  return observation;
}

/** Brings the largest coordinate to 2048, well inside the range, with full precision down to 1e-7 of it. */
function pointScale(points: Float32Array): number {
  let largest = 0;
  for (const value of points) if (Math.abs(value) > largest) largest = Math.abs(value);
  return largest > 0 && Number.isFinite(largest) ? 2048 / largest : 1;
}

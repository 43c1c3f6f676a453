import { packRecord, unpackRecord } from '../compute/record.js';
import { packBits, unpackBits } from '../numerics/bits.js';
import { floatFromHalf, halfFromFloat } from '../numerics/half.js';
import type { ObservationDigest, PointSamples, ViewDigest } from './digest.js';
import type { ObservedView } from './types.js';

/**
 * How an observation is stored: each view's pointmap as a record of its own, so that one is read without the others,
 * and the digest of all views as another. Every record has a checksum; a damaged one reads as absent.
 */
type ViewHeader = Omit<ObservedView, 'points' | 'confidence' | 'inferred' | 'sky'> & {
  scale: number;
  logConfidence: number;
  /** Which flags follow the confidence, a bit a pixel each; not told by programs that knew inferred ones alone. */
  flags?: ('inferred' | 'sky')[];
  place?: ViewPlace;
};

/** A view's part in its observation: with all of them the observation is whole, also without its digest. */
export interface ViewPlace {
  /** How many views the observation has. */
  of: number;
  focal?: number;
  /** As in Observation.firstFromCamera. */
  pose?: number[];
}

/** The pointmap as float16 at a scale of its own, the confidence in one byte on a logarithmic scale, a bit for each flag. */
export function encodeView(
  { points, confidence, inferred, sky, ...rest }: ObservedView,
  place?: ViewPlace,
): Uint8Array {
  const scale = pointScale(points);
  let highest = 1;
  for (const value of confidence) if (value > highest) highest = value;
  const logConfidence = Math.log(highest);
  const levels = new Uint8Array(confidence.length);
  const perLog = 255 / (logConfidence || 1);
  for (let i = 0; i < levels.length; i++) {
    // Never rounded down to "no information", never up from it.
    if (confidence[i]! > 1) levels[i] = Math.max(1, Math.round(Math.log(confidence[i]!) * perLog));
  }
  const scaled = new Float32Array(points.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = points[i]! * scale;
  const flags: ViewHeader['flags'] = [...(inferred ? ['inferred' as const] : []), ...(sky ? ['sky' as const] : [])];
  const header: ViewHeader = { ...rest, scale, logConfidence, flags, ...(place ? { place } : {}) };
  const bits = [inferred, sky].flatMap((each) => (each ? [packBits(each)] : []));
  return packRecord(header, [halfFromFloat(scaled), levels, ...bits]);
}

/** @returns undefined when the record is missing or damaged */
export function decodeView(record: Uint8Array | undefined): ObservedView | undefined {
  return decodePlacedView(record)?.view;
}

/** The same with its part in the observation, which records of the first programs of file version 6 don't tell. */
export function decodePlacedView(
  record: Uint8Array | undefined,
): { view: ObservedView; place: ViewPlace | undefined } | undefined {
  const read = unpackRecord<ViewHeader>(record);
  if (!read) return undefined;
  const { scale, logConfidence, place, flags = ['inferred'], ...rest } = read.header;
  const [halves, levels, ...bits] = read.arrays as [Uint16Array, Uint8Array, ...Uint8Array[]];
  const points = floatFromHalf(halves);
  for (let i = 0; i < points.length; i++) points[i] = points[i]! / scale;
  const table = Float32Array.from({ length: 256 }, (_, level) => Math.exp((level / 255) * logConfidence));
  const confidence = new Float32Array(levels.length);
  for (let i = 0; i < confidence.length; i++) confidence[i] = table[levels[i]!]!;
  const view: ObservedView = { ...rest, points, confidence };
  bits.forEach((packed, k) => (view[flags[k]!] = unpackBits(packed, levels.length)));
  return { view, place };
}

interface DigestHeader {
  views: (Omit<ViewDigest, 'cloud' | 'grid' | 'far'> & { far: number | null })[];
  focal?: (number | null)[];
  poses?: (number[] | null)[];
}

export function encodeDigest({ views, focal, firstFromCamera }: ObservationDigest): Uint8Array {
  const header: DigestHeader = {
    views: views.map(({ cloud: _cloud, grid: _grid, far, ...rest }) => ({
      ...rest,
      far: Number.isFinite(far) ? far : null,
    })),
    ...(focal ? { focal: focal.map((value) => value ?? null) } : {}),
    ...(firstFromCamera ? { poses: firstFromCamera.map((pose) => (pose ? [...pose] : null)) } : {}),
  };
  return packRecord(
    header,
    views.flatMap(({ cloud, grid }) => [cloud.points, cloud.weights, grid.points, grid.weights]),
  );
}

/** @returns undefined when the record is missing or damaged */
export function decodeDigest(record: Uint8Array | undefined): ObservationDigest | undefined {
  const read = unpackRecord<DigestHeader>(record);
  if (!read) return undefined;
  const samples = (k: number): PointSamples => ({
    points: read.arrays[k] as Float32Array,
    weights: read.arrays[k + 1] as Float32Array,
  });
  const { views, focal, poses } = read.header;
  return {
    views: views.map((view, k) => ({
      ...view,
      far: view.far ?? Infinity,
      cloud: samples(4 * k),
      grid: samples(4 * k + 2),
    })),
    ...(focal ? { focal: focal.map((value) => value ?? undefined) } : {}),
    ...(poses ? { firstFromCamera: poses.map((pose) => (pose ? Float64Array.from(pose) : undefined)) } : {}),
  };
}

/** Brings the largest coordinate to 2048, well inside the range, with full precision down to 1e-7 of it. */
function pointScale(points: Float32Array): number {
  let largest = 0;
  for (const value of points) if (Math.abs(value) > largest) largest = Math.abs(value);
  return largest > 0 && Number.isFinite(largest) ? 2048 / largest : 1;
}

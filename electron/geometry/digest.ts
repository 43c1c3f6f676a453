import { median } from '../numerics/median.js';
import type { Observation, ObservedView, OriginalFromView, PhotoId } from './types.js';

/** What of a view's pointmap is kept at hand: a few thousand pixels instead of all. */
export interface ViewDigest {
  photo: PhotoId;
  width: number;
  height: number;
  originalFromView: OriginalFromView;
  /** Mean confidence over all pixels. */
  confidence: number;
  /** Share of pixels that say anything: a confidence above 1. */
  telling: number;
  /** Range beyond which points say nothing, NaN and infinite ones included. */
  far: number;
  /** Points at `cloudPixels`: a coarse grid for registration. */
  cloud: PointSamples;
  /** Points at `gridPixels` of this stride: what cameras and scales are solved from. */
  stride: number;
  grid: PointSamples;
}

/** Clouds of one photo hold the same pixels in the same order, whatever observation they come from. */
export interface PointSamples {
  /** [n, 3] in the observation's frame; zero where the point says nothing. */
  points: Float32Array;
  /** [n] log confidence, 0 where the point says nothing. */
  weights: Float32Array;
}

export interface ObservationDigest extends Omit<Observation, 'views'> {
  views: ViewDigest[];
}

/** Pixels of a view that a registration looks at. */
const CLOUD = 600;
/** Pixels of a view that the alignment is solved from; 14,000 instead told the poses of 11 photos nothing new. */
const GRID = 2800;
/** Points this many times as far away as the median say nothing: one of them would outweigh all others. */
const FAR = 1000;

/** Pixels [n, 2] of the coarse grid of a view of this size. */
export function cloudPixels(width: number, height: number): Int32Array {
  const stride = Math.max(1, Math.floor(Math.sqrt((width * height) / CLOUD)));
  const pixels: number[] = [];
  for (let y = stride >> 1; y < height; y += stride)
    for (let x = stride >> 1; x < width; x += stride) pixels.push(x, y);
  return Int32Array.from(pixels);
}

/** The stride of a digest's grid for a view of this size. */
export const gridStride = (width: number, height: number): number =>
  Math.max(1, Math.round(Math.sqrt((width * height) / GRID)));

/**
 * Pixel numbers (y * width + x) of every stride-th pixel in both directions; rows are staggered, so that no column of
 * the picture is left out for good.
 */
export function gridPixels(width: number, height: number, stride: number): Int32Array {
  const pixels: number[] = [];
  for (let y = stride >> 1, row = 0; y < height; y += stride, row++)
    for (let x = (row * (stride >> 1)) % stride; x < width; x += stride) pixels.push(y * width + x);
  return Int32Array.from(pixels);
}

/** Every fourth entry of `gridPixels`, spread alike. */
export function coarserGrid(width: number, height: number, stride: number): Int32Array {
  const entries: number[] = [];
  let entry = 0;
  for (let y = stride >> 1, row = 0; y < height; y += stride, row++)
    for (let x = (row * (stride >> 1)) % stride, k = 0; x < width; x += stride, k++, entry++)
      if (row % 2 === 0 && (k + (row >> 1)) % 2 === 0) entries.push(entry);
  return Int32Array.from(entries);
}

/** The points of some pixels of a view; NaN and infinite ones, and confidences of 1 and below, weigh nothing. */
export function pick({ points, confidence }: ObservedView, pixels: ArrayLike<number>, far: number): PointSamples {
  const n = pixels.length;
  const samples: PointSamples = { points: new Float32Array(3 * n), weights: new Float32Array(n) };
  for (let k = 0; k < n; k++) {
    const pixel = pixels[k]!;
    const [x, y, z] = [points[3 * pixel]!, points[3 * pixel + 1]!, points[3 * pixel + 2]!];
    const weight = Math.log(confidence[pixel]!);
    if (!(weight > 0) || weight === Infinity || !(x * x + y * y + z * z < far * far)) continue;
    samples.points[3 * k] = x;
    samples.points[3 * k + 1] = y;
    samples.points[3 * k + 2] = z;
    samples.weights[k] = weight;
  }
  return samples;
}

export function digestView(view: ObservedView): ViewDigest {
  const { photo, width, height, originalFromView, confidence } = view;
  const far = farthest(view);
  const stride = gridStride(width, height);
  const cloud = cloudPixels(width, height);
  let sum = 0;
  let telling = 0;
  for (const value of confidence) {
    sum += value;
    if (value > 1) telling++;
  }
  const numbers = Int32Array.from({ length: cloud.length / 2 }, (_, k) => cloud[2 * k + 1]! * width + cloud[2 * k]!);
  return {
    photo,
    width,
    height,
    originalFromView,
    confidence: sum / Math.max(1, confidence.length),
    telling: telling / Math.max(1, confidence.length),
    far,
    cloud: pick(view, numbers, far),
    stride,
    grid: pick(view, gridPixels(width, height, stride), far),
  };
}

export function digestObservation({ views, ...rest }: Observation): ObservationDigest {
  return { ...rest, views: views.map(digestView) };
}

/** Infinite where the few pixels looked at tell nothing. */
function farthest({ points, confidence }: ObservedView): number {
  const step = Math.max(1, Math.floor(confidence.length / 211));
  const ranges: number[] = [];
  for (let pixel = 0; pixel < confidence.length; pixel += step) {
    const range = Math.hypot(points[3 * pixel]!, points[3 * pixel + 1]!, points[3 * pixel + 2]!);
    if (confidence[pixel]! > 1 && range < Infinity) ranges.push(range);
  }
  return FAR * (median(ranges) ?? Infinity);
}

import { registerPoints, type Similarity } from '../geometry/similarity.js';
import type { ObservedView } from '../geometry/types.js';
import type { AlignmentProblem } from './types.js';
import { weightedMedian } from './weighted-median.js';

/** Pixels of a pointmap that a registration looks at. */
const SAMPLES = 600;
/** Fewer common points than this tie nothing. */
const LEAST_POINTS = 12;

/**
 * Sampled points of a pointmap. Clouds of one photo hold the same pixels in the same order, whatever observation they
 * come from.
 */
export interface Cloud {
  /** [n, 3] */
  points: Float64Array;
  /** [n] log confidence, 0 where the point says nothing. */
  weights: Float64Array;
}

/** Pixels [n, 2] that clouds of a view of this size hold. */
export function cloudPixels(width: number, height: number): Int32Array {
  const stride = Math.max(1, Math.floor(Math.sqrt((width * height) / SAMPLES)));
  const pixels: number[] = [];
  for (let y = stride >> 1; y < height; y += stride)
    for (let x = stride >> 1; x < width; x += stride) pixels.push(x, y);
  return Int32Array.from(pixels);
}

/** Points this many times as far away as the median say nothing: one of them would outweigh all others. */
const FAR = 1000;

/**
 * Range beyond which a pointmap's points say nothing, NaN and infinite ones included; infinite where the few pixels
 * looked at tell nothing.
 */
export function farthest({ points, confidence }: ObservedView): number {
  const step = Math.max(1, Math.floor(confidence.length / 211));
  const ranges: number[] = [];
  for (let pixel = 0; pixel < confidence.length; pixel += step) {
    const range = Math.hypot(points[3 * pixel]!, points[3 * pixel + 1]!, points[3 * pixel + 2]!);
    if (confidence[pixel]! > 1 && range < Infinity) ranges.push(range);
  }
  return ranges.length === 0 ? Infinity : FAR * ranges.sort((a, b) => a - b)[ranges.length >> 1]!;
}

/** The cloud of one view of an observation. NaN and infinite points and confidences of 1 and below weigh nothing. */
export function sampleCloud(problem: AlignmentProblem, observation: number, role: number): Cloud {
  const seen = problem.observations[observation]!.views[role]!;
  const { width, height, points, confidence } = seen;
  const far = farthest(seen);
  const pixels = cloudPixels(width, height);
  const n = pixels.length / 2;
  const cloud: Cloud = { points: new Float64Array(3 * n), weights: new Float64Array(n) };
  for (let k = 0; k < n; k++) {
    const pixel = pixels[2 * k + 1]! * width + pixels[2 * k]!;
    const [x, y, z] = [points[3 * pixel]!, points[3 * pixel + 1]!, points[3 * pixel + 2]!];
    const weight = Math.log(confidence[pixel]!);
    if (!(weight > 0) || weight === Infinity || !(x * x + y * y + z * z < far * far)) continue;
    cloud.points[3 * k] = x;
    cloud.points[3 * k + 1] = y;
    cloud.points[3 * k + 2] = z;
    cloud.weights[k] = weight;
  }
  return cloud;
}

export const totalWeight = ({ weights }: Cloud): number => weights.reduce((sum, weight) => sum + weight, 0);

export interface CloudFit {
  similarity: Similarity;
  /** Weighted median distance, relative to the distance of the target's points from its camera. */
  cost: number;
}

/** The similarity from one cloud to another of the same photo, robustly; undefined when they share too little. */
export function registerClouds(from: Cloud, to: Cloud): CloudFit | undefined {
  const weights = commonWeights(from, to);
  const fitted = registerPoints(from.points, to.points, weights);
  return fitted && relativeCost(fitted.similarity, fitted.residuals, to, weights);
}

/**
 * The same for two clouds in their own camera's frame: only a scale can lie between them. It is the weighted median of
 * the ratios of the points' distances from the camera.
 */
export function scaleClouds(from: Cloud, to: Cloud): CloudFit | undefined {
  const weights = commonWeights(from, to);
  const n = weights.length;
  const ratios = new Float64Array(n);
  const kept = new Float64Array(n);
  let count = 0;
  for (let k = 0; k < n; k++) {
    if (!(weights[k]! > 0)) continue;
    ratios[count] = rangeOf(to, k) / rangeOf(from, k);
    kept[count++] = weights[k]!;
  }
  if (count < LEAST_POINTS) return undefined;
  const scale = weightedMedian(ratios, kept, count);
  if (!(scale > 0 && scale < Infinity)) return undefined;
  const residuals = new Float64Array(n);
  for (let k = 0; k < n; k++)
    residuals[k] = Math.sqrt(
      (scale * from.points[3 * k]! - to.points[3 * k]!) ** 2 +
        (scale * from.points[3 * k + 1]! - to.points[3 * k + 1]!) ** 2 +
        (scale * from.points[3 * k + 2]! - to.points[3 * k + 2]!) ** 2,
    );
  return relativeCost(
    { scale, rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), translation: new Float64Array(3) },
    residuals,
    to,
    weights,
  );
}

function commonWeights(a: Cloud, b: Cloud): Float64Array {
  return a.weights.map((weight, k) => Math.sqrt(weight * b.weights[k]!));
}

const rangeOf = ({ points }: Cloud, k: number): number =>
  Math.sqrt(points[3 * k]! ** 2 + points[3 * k + 1]! ** 2 + points[3 * k + 2]! ** 2);

function relativeCost(
  similarity: Similarity,
  residuals: Float64Array,
  to: Cloud,
  weights: Float64Array,
): CloudFit | undefined {
  const relative = new Float64Array(weights.length);
  const kept = new Float64Array(weights.length);
  let count = 0;
  for (let k = 0; k < weights.length; k++) {
    if (!(weights[k]! > 0)) continue;
    relative[count] = residuals[k]! / Math.max(1e-12, rangeOf(to, k));
    kept[count++] = weights[k]!;
  }
  return count < LEAST_POINTS ? undefined : { similarity, cost: weightedMedian(relative, kept, count) };
}

import { registerPoints, type Similarity } from '../geometry/similarity.js';
import type { PreparedProblem } from './prepared.js';
import { weightedMedian } from './weighted-median.js';

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

/** The cloud of one view of an observation. */
export function sampleCloud({ observations }: PreparedProblem, observation: number, role: number): Cloud {
  const { points, weights } = observations[observation]!.views[role]!.cloud;
  return { points: Float64Array.from(points), weights: Float64Array.from(weights) };
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

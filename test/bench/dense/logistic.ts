import { solveCholesky } from '../../../electron/numerics/linear.js';

export interface Sample {
  /** The constant included. */
  facts: Float64Array;
  right: boolean;
}

/** Probability by weights of the facts. */
export function logistic(weights: ArrayLike<number>, facts: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < facts.length; i++) sum += weights[i]! * facts[i]!;
  return 1 / (1 + Math.exp(-sum));
}

/**
 * Logistic regression by Newton's method.
 *
 * @param ridge pull of each weight to zero, in samples
 */
export function fitLogistic(samples: readonly Sample[], facts: number, ridge = 1): Float64Array {
  const weights = new Float64Array(facts);
  for (let round = 0; round < 25; round++) {
    const H = new Float64Array(facts * facts);
    const g = weights.map((w) => -ridge * w);
    for (let i = 0; i < facts; i++) H[i * facts + i] = ridge;
    for (const { facts: x, right } of samples) {
      const p = logistic(weights, x);
      for (let i = 0; i < facts; i++) {
        g[i]! += x[i]! * ((right ? 1 : 0) - p);
        for (let j = 0; j < facts; j++) H[i * facts + j]! += x[i]! * x[j]! * p * (1 - p);
      }
    }
    if (!solveCholesky(H, g, facts)) throw new Error('the facts do not tell the weights apart');
    for (let i = 0; i < facts; i++) weights[i]! += g[i]!;
  }
  return weights;
}

const BINS = 10;

/** Mean difference of what was told and what was right, over ten bins of probability, by their share of the pixels. */
export function calibration(pixels: readonly { probability: number; right: boolean }[]): {
  error: number;
  curve: { told: number; right: number; pixels: number }[];
} {
  const bins = Array.from({ length: BINS }, () => ({ told: 0, right: 0, pixels: 0 }));
  for (const { probability, right } of pixels) {
    const bin = bins[Math.min(BINS - 1, Math.floor(probability * BINS))]!;
    bin.told += probability;
    bin.right += right ? 1 : 0;
    bin.pixels++;
  }
  const curve = bins
    .filter((bin) => bin.pixels > 0)
    .map((bin) => ({ told: bin.told / bin.pixels, right: bin.right / bin.pixels, pixels: bin.pixels }));
  const error = curve.reduce((sum, bin) => sum + (Math.abs(bin.told - bin.right) * bin.pixels) / pixels.length, 0);
  return { error, curve };
}

import { PixelKernel } from './pixels.js';
import type { PhotoSamples } from './samples.js';
import type { AlignmentState } from './state.js';

export interface RecoveredDepth {
  /** [pixels], world units along z; 0 where no observation says anything. */
  depth: Float32Array;
  /**
   * [pixels], at least 1: the best confidence among the observations that agree, times the share of weight that agrees.
   */
  confidence: Float32Array;
  /** [pixels], 1 where the depth was inferred and not measured; none where all was measured. */
  inferred?: Uint8Array;
  /** [pixels], 1 where the sky is seen; none where nobody looked. */
  sky?: Uint8Array;
  /** Sum of this photo's part of the objective, unsmoothed. */
  objective: number;
  /** Weighted median distance over depth, over all targets. */
  residual: number;
  /** The same per target. */
  targetResiduals: Float64Array;
}

/** Targets within this share of the depth agree with it. */
export const AGREES = 0.03;
/** Depths are found under a little smoothing and the objective is told without any. */
const SMOOTHING = 1e-3;

/**
 * The depth of every pixel of a photo, the closed-form optimum given poses, focal and similarities. `photo` holds all
 * its pixels.
 *
 * @param scale a typical depth
 */
export function recoverDepth(state: AlignmentState, photo: PhotoSamples, scale: number): RecoveredDepth {
  const kernel = new PixelKernel([photo]);
  kernel.evaluate(state, SMOOTHING * scale);
  kernel.accept();
  const { objective, confidence, histogram, bins } = kernel.judge(0, state, AGREES);
  const all = new Float64Array(bins);
  const targetResiduals = Float64Array.from(photo.targets, (_, t) => {
    const own = histogram.subarray(t * bins, (t + 1) * bins);
    for (let k = 0; k < bins; k++) all[k] = all[k]! + own[k]!;
    return medianOfBins(own);
  });
  return {
    depth: Float32Array.from(kernel.depths(0)),
    confidence,
    ...(photo.inferred ? { inferred: photo.inferred } : {}),
    ...(photo.sky ? { sky: photo.sky } : {}),
    objective,
    residual: medianOfBins(all),
    targetResiduals,
  };
}

/** Middle of the bin in which half of the weight is reached; bins are 1/32 of an octave wide at most, from 2^-20 on. */
export function medianOfBins(bins: Float64Array): number {
  const half = bins.reduce((sum, weight) => sum + weight, 0) / 2;
  if (half === 0) return 0;
  let sum = 0;
  for (let k = 0; k < bins.length; k++) {
    sum += bins[k]!;
    if (sum >= half) return 2 ** ((k >> 5) - 20) * (1 + ((k & 31) + 0.5) / 32);
  }
  return 0;
}

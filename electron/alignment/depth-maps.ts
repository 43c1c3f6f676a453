import { cameraFromObservation, PixelTargets } from './depth.js';
import type { PhotoSamples } from './samples.js';
import type { AlignmentState } from './state.js';

export interface RecoveredDepth {
  /** [pixels], world units along z; 0 where no observation says anything. */
  depth: Float32Array;
  /** [pixels], at least 1: the best confidence among the observations that agree, times the share of weight that agrees. */
  confidence: Float32Array;
  /** Sum of this photo's part of the objective, unsmoothed. */
  objective: number;
  /** Weighted median distance over depth, over all targets. */
  residual: number;
  /** The same per target. */
  targetResiduals: Float64Array;
}

/** Targets within this share of the depth agree with it. */
const AGREES = 0.03;
/** Depths are found under a little smoothing and the objective is told without any. */
const SMOOTHING = 1e-3;

/**
 * The depth of every pixel of a photo, the closed-form optimum given poses, focal and similarities. `photo` holds all its pixels.
 * `scale` is a typical depth; `confidenceOf` what a target said of a pixel.
 */
export function recoverDepth(state: AlignmentState, photo: PhotoSamples, scale: number, confidenceOf: (target: number, pixel: number) => number): RecoveredDepth {
  const maps = photo.targets.map(({ observation }) => cameraFromObservation(state.cameras[photo.view]!, state.observations[observation]!));
  const pixel = new PixelTargets(photo.targets.length);
  const f = state.focal[photo.view]!;
  const depth = new Float32Array(photo.count);
  const confidence = new Float32Array(photo.count).fill(1);
  const residuals: { value: number; weight: number }[][] = photo.targets.map(() => []);
  let objective = 0;
  for (let k = 0; k < photo.count; k++) {
    pixel.load(photo, maps, k);
    if (pixel.count === 0) continue;
    const a = photo.offsets[2 * k]! / f;
    const b = photo.offsets[2 * k + 1]! / f;
    const D = pixel.solveDepth(a, b, SMOOTHING * scale, 0);
    depth[k] = D;
    let agreeing = 0;
    let total = 0;
    let best = 0;
    for (let t = 0; t < pixel.count; t++) {
      const distance = Math.hypot(D * a - pixel.points[3 * t]!, D * b - pixel.points[3 * t + 1]!, D - pixel.points[3 * t + 2]!);
      const weight = pixel.weights[t]!;
      objective += weight * distance;
      total += weight;
      const relative = distance / (D * Math.hypot(a, b, 1));
      if (k % 7 === 0) residuals[pixel.which[t]!]!.push({ value: relative, weight });
      if (relative >= AGREES) continue;
      agreeing += weight;
      best = Math.max(best, confidenceOf(pixel.which[t]!, photo.pixels[k]!) - 1);
    }
    confidence[k] = 1 + best * (agreeing / total);
  }
  const targetResiduals = Float64Array.from(residuals, (entries) => median(entries));
  return { depth, confidence, objective, residual: median(residuals.flat()), targetResiduals };
}

function median(entries: { value: number; weight: number }[]): number {
  if (entries.length === 0) return 0;
  entries.sort((p, q) => p.value - q.value);
  const half = entries.reduce((sum, { weight }) => sum + weight, 0) / 2;
  let sum = 0;
  for (const { value, weight } of entries) if ((sum += weight) >= half) return value;
  return 0;
}

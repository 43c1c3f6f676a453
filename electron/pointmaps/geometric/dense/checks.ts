import type { Consistency } from './judge.js';
import type { GreyView, Matched } from './match.js';

export interface ConfidenceOptions {
  /** Of the evidence, as `evidence` lists it. */
  weights: readonly number[];
  /** Depths less probable than this are not told. */
  leastProbability: number;
  /** Pieces of fewer connected pixels are not told. */
  specklePixels: number;
  /** Neighbours belong to one surface when their inverse depths differ by less than this share. */
  sameSurface: number;
}

/**
 * The weights were fitted as test/bench/dense.ts --fit does, on its even rooms up to 10 before skies were among them.
 * Expected calibration error of measured pixels: 0.036 on the odd scenes, which the fit has not seen; 0.081 on six of the
 * sample photos, of which it tells too little. Every fit since, also with other terms of the parallax, told still less of
 * them (docs/decisions/depth-confidence.md).
 */
export const CONFIDENCE_DEFAULTS: ConfidenceOptions = {
  weights: [-3.341, -0.457, 2.02, 1.119, 0.518, 1.883, 0.406, -1.057, 0.561],
  leastProbability: 0.35,
  specklePixels: 40,
  sameSurface: 0.03,
};

/** Agreement with the other views' depths without which nothing is told. */
const LEAST_AGREEMENT = 0.1;
const MOST_PROBABILITY = 0.98;

/** Confidence of a depth that is right (within 2 %) with probability p, and back. */
export const confidenceFor = (probability: number): number => 1 / (1 - Math.min(MOST_PROBABILITY, probability));
export const probabilityOf = (confidence: number): number => 1 - 1 / confidence;

/** Number of what a pixel is judged by, the constant included. */
export const EVIDENCE = 9;

/** What the probability of a pixel's depth is worked out from. */
export function evidence(k: number, matched: Matched, consistency: Consistency, out: Float64Array): void {
  const agree = consistency.agree[k]!;
  const score = Math.max(0, matched.score[k]!);
  out[0] = 1;
  out[1] = score;
  out[2] = score ** 4;
  out[3] = Math.min(1, matched.unique[k]!);
  out[4] = Math.log(1 + matched.texture[k]!);
  out[5] = Math.min(1, agree);
  out[6] = Math.min(2, Math.max(0, agree - 1));
  out[7] = consistency.through[k]! / Math.max(1, consistency.seen[k]!);
  out[8] = Math.log(0.1 + Math.min(4, consistency.reach[k]!));
}

/** Whether there is any evidence for a pixel's depth: a match on texture that another view's depth agrees with. */
export function isJudged(k: number, matched: Matched, consistency: Consistency): boolean {
  return matched.inverseDepth[k]! > 0 && matched.score[k]! >= 0 && consistency.agree[k]! >= LEAST_AGREEMENT;
}

/**
 * Confidence [h, w] of matched depths, 1 where they can't be relied on: how well the views' patches agree, how unique
 * the match is, the patch's texture, and what the other views' depths say of the place.
 */
export function confidenceOf(
  { width, height }: GreyView,
  matched: Matched,
  consistency: Consistency,
  options: ConfidenceOptions = CONFIDENCE_DEFAULTS,
): Float32Array {
  const { weights, leastProbability } = options;
  const confidence = new Float32Array(width * height).fill(1);
  const facts = new Float64Array(EVIDENCE);
  for (let k = 0; k < confidence.length; k++) {
    if (!isJudged(k, matched, consistency)) continue;
    evidence(k, matched, consistency, facts);
    let sum = 0;
    for (let i = 0; i < EVIDENCE; i++) sum += weights[i]! * facts[i]!;
    const probability = 1 / (1 + Math.exp(-sum));
    if (probability >= leastProbability) confidence[k] = confidenceFor(probability);
  }
  dropSpeckles(confidence, matched.inverseDepth, width, height, options);
  return confidence;
}

/** Sets the confidence of small pieces to 1: connected pixels of one surface, by flood fill. */
function dropSpeckles(
  confidence: Float32Array,
  inverseDepth: Float32Array,
  width: number,
  height: number,
  { specklePixels, sameSurface }: ConfidenceOptions,
): void {
  const seen = new Uint8Array(confidence.length);
  const stack: number[] = [];
  for (let start = 0; start < confidence.length; start++) {
    if (seen[start] || confidence[start]! <= 1) continue;
    const piece: number[] = [start];
    seen[start] = 1;
    stack.push(start);
    while (stack.length > 0) {
      const i = stack.pop()!;
      const x = i % width;
      const y = (i - x) / width;
      for (const j of [
        x > 0 ? i - 1 : -1,
        x < width - 1 ? i + 1 : -1,
        y > 0 ? i - width : -1,
        y < height - 1 ? i + width : -1,
      ]) {
        if (j < 0 || seen[j] || confidence[j]! <= 1) continue;
        if (Math.abs(inverseDepth[j]! - inverseDepth[i]!) > sameSurface * inverseDepth[i]!) continue;
        seen[j] = 1;
        piece.push(j);
        stack.push(j);
      }
    }
    if (piece.length < specklePixels) for (const i of piece) confidence[i] = 1;
  }
}

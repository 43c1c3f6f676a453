import { median } from '../numerics/median.js';

/**
 * How sharp an image is, 0 (blurred) to 1: the energy of the Laplacian relative to the energy of the image itself, so
 * that neither contrast nor exposure counts, only how much of the detail is fine. Pech-Pacheco et al., "Diatom
 * autofocusing in brightfield microscopy", ICPR 2000, with the normalisation by variance.
 *
 * @param grey [height, width]; comparable between photos when they were reduced to the same long side
 */
export function sharpness(grey: Uint8Array, width: number, height: number): number {
  let sum = 0;
  let squares = 0;
  let laplacianSum = 0;
  let laplacianSquares = 0;
  const count = (width - 2) * (height - 2);
  if (count < 1) return 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const value = grey[i]!;
      const laplacian = grey[i - 1]! + grey[i + 1]! + grey[i - width]! + grey[i + width]! - 4 * value;
      sum += value;
      squares += value * value;
      laplacianSum += laplacian;
      laplacianSquares += laplacian * laplacian;
    }
  }
  const variance = squares / count - (sum / count) ** 2;
  const laplacianVariance = laplacianSquares / count - (laplacianSum / count) ** 2;
  // An all but even image has no detail that could be sharp; the constant keeps sensor noise from counting.
  const ratio = laplacianVariance / (variance + 4);
  return ratio / (ratio + HALF);
}

/**
 * The ratio that scores one half: crisp photos of facades reach 0.1 to 0.2, soft phone photos 0.03, a Gaussian blur of
 * 4 px leaves 0.002.
 */
const HALF = 0.08;

/** A photo counts as blurred when it is far below its own set, or has hardly any fine detail at all. */
export function blurredFlags(scores: readonly number[]): boolean[] {
  const usual = median(scores) ?? 0;
  return scores.map((score) => score < 0.02 || score < 0.35 * usual);
}

import { MOST_CANDIDATES, type Candidates } from './candidates.js';

/** Colours nearer than this to black or white say nothing about exposure. */
const DARKEST = 12;
const BRIGHTEST = 243;
/** Logarithms of ratios beyond this come from different things, not from exposure. */
const MOST_RATIO = 0.7;
/** Faces of agreement that hold a photo at its own exposure; keeps all of them from drifting together. */
const PRIOR = 20;

/**
 * What to multiply each photo's colours with, per channel, so that photos show the same faces alike: least squares over
 * the logarithms of ratios, twice, the second time without what the first does not explain.
 *
 * @returns [photos, 3]
 */
export function exposureGains(candidates: Candidates, photos: number): Float64Array {
  const gains = new Float64Array(3 * photos).fill(1);
  for (let channel = 0; channel < 3; channel++) {
    const log = new Float64Array(photos);
    for (let round = 0; round < 3; round++) solveRound(candidates, channel, log, round === 0 ? MOST_RATIO : 0.25);
    // No photo may lose its light to another: the middle of all stays where it is.
    const middle = [...log].sort((a, b) => a - b)[photos >> 1] ?? 0;
    for (let k = 0; k < photos; k++) gains[3 * k + channel] = Math.exp(log[k]! - middle);
  }
  return gains;
}

function solveRound({ photo, colour }: Candidates, channel: number, log: Float64Array, most: number): void {
  const n = log.length;
  const A = new Float64Array(n * n);
  const b = new Float64Array(n);
  for (let first = 0; first < photo.length; first += MOST_CANDIDATES) {
    for (let i = first; i < first + MOST_CANDIDATES && photo[i]! >= 0; i++) {
      const own = colour[3 * i + channel]!;
      if (own < DARKEST || own > BRIGHTEST) continue;
      for (let j = first; j < i; j++) {
        const other = colour[3 * j + channel]!;
        if (other < DARKEST || other > BRIGHTEST) continue;
        const [p, q] = [photo[i]!, photo[j]!];
        // log[p] + ln own = log[q] + ln other
        const ratio = Math.log(other / own);
        if (Math.abs(ratio - (log[p]! - log[q]!)) > most) continue;
        A[p * n + p]! += 1;
        A[q * n + q]! += 1;
        A[p * n + q]! -= 1;
        A[q * n + p]! -= 1;
        b[p]! += ratio;
        b[q]! -= ratio;
      }
    }
  }
  for (let k = 0; k < n; k++) A[k * n + k]! += PRIOR;
  log.set(gaussSeidel(A, b, log));
}

/** Diagonally dominant: a few dozen sweeps are enough. */
function gaussSeidel(A: Float64Array, b: Float64Array, start: Float64Array): Float64Array {
  const n = b.length;
  const x = start.slice();
  for (let sweep = 0; sweep < 200; sweep++) {
    let change = 0;
    for (let i = 0; i < n; i++) {
      let sum = b[i]!;
      for (let j = 0; j < n; j++) if (j !== i) sum -= A[i * n + j]! * x[j]!;
      const value = sum / A[i * n + i]!;
      change = Math.max(change, Math.abs(value - x[i]!));
      x[i] = value;
    }
    if (change < 1e-6) break;
  }
  return x;
}

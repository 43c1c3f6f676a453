import type { Look } from './looks.js';

/** Most photos that are remembered for a face: those that show it best. */
export const MOST_CANDIDATES = 6;

/** The photos that see each face, best first; photo -1 ends the list. */
export interface Candidates {
  /** [faces, MOST_CANDIDATES] */
  photo: Int16Array;
  quality: Float32Array;
  /** [faces, MOST_CANDIDATES, 3] */
  colour: Uint8Array;
}

export function emptyCandidates(faces: number): Candidates {
  const n = faces * MOST_CANDIDATES;
  return { photo: new Int16Array(n).fill(-1), quality: new Float32Array(n), colour: new Uint8Array(3 * n) };
}

/** Takes in what one more photo sees. */
export function addLook({ photo, quality, colour }: Candidates, index: number, look: Look): void {
  for (let t = 0; t < look.quality.length; t++) {
    const value = look.quality[t]!;
    if (value === 0) continue;
    const first = t * MOST_CANDIDATES;
    let at = MOST_CANDIDATES;
    while (at > 0 && quality[first + at - 1]! < value) at--;
    if (at === MOST_CANDIDATES) continue;
    for (let k = first + MOST_CANDIDATES - 1; k > first + at; k--) {
      photo[k] = photo[k - 1]!;
      quality[k] = quality[k - 1]!;
      for (let i = 0; i < 3; i++) colour[3 * k + i] = colour[3 * (k - 1) + i]!;
    }
    photo[first + at] = index;
    quality[first + at] = value;
    for (let i = 0; i < 3; i++) colour[3 * (first + at) + i] = look.colour[3 * t + i]!;
  }
}

export interface AgreementOptions {
  /** A photo whose colour is this far (sRGB steps, under the shared light) from the others' median shows something else. */
  mostDifference: number;
}

export const AGREEMENT_DEFAULTS: AgreementOptions = { mostDifference: 40 };

/**
 * Takes out photos that show something before the face: a person, a car. At least three photos must see it for two of
 * them to outvote one.
 *
 * @returns how many were taken out
 */
export function withoutOutliers(candidates: Candidates, options: Partial<AgreementOptions> = {}): number {
  const { mostDifference } = { ...AGREEMENT_DEFAULTS, ...options };
  const { photo, quality, colour } = candidates;
  const sorted: number[] = [];
  const median = [0, 0, 0];
  let removed = 0;
  for (let first = 0; first < photo.length; first += MOST_CANDIDATES) {
    let n = 0;
    while (n < MOST_CANDIDATES && photo[first + n]! >= 0) n++;
    if (n < 3) continue;
    for (let i = 0; i < 3; i++) {
      sorted.length = 0;
      for (let k = 0; k < n; k++) sorted.push(colour[3 * (first + k) + i]!);
      sorted.sort((a, b) => a - b);
      median[i] = n % 2 ? sorted[n >> 1]! : (sorted[n / 2 - 1]! + sorted[n / 2]!) / 2;
    }
    let kept = 0;
    for (let k = 0; k < n; k++) {
      const difference = Math.max(...median.map((value, i) => Math.abs(colour[3 * (first + k) + i]! - value)));
      if (difference > mostDifference) {
        removed++;
        continue;
      }
      photo[first + kept] = photo[first + k]!;
      quality[first + kept] = quality[first + k]!;
      for (let i = 0; i < 3; i++) colour[3 * (first + kept) + i] = colour[3 * (first + k) + i]!;
      kept++;
    }
    // Nobody agrees with anybody: all stay as they were known least badly.
    if (kept === 0) {
      removed -= n;
      kept = n;
    }
    for (let k = kept; k < n; k++) photo[first + k] = -1;
  }
  return removed;
}

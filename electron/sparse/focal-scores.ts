import { relativePose, type RelativePose } from './two-view.js';

export interface FocalScores {
  /** Per candidate, the soft number of correspondences that agree with an essential matrix. */
  scores: number[];
  /** False where the two photos were taken from one place: such a pair fits any focal. */
  hasParallax: boolean;
}

export interface FocalTask {
  /** Correspondences that agree with some epipolar geometry, [n, 2], long sides relative to the centres. */
  x1: Float64Array;
  x2: Float64Array;
  /** Candidates, ascending: focal of each photo. */
  focals: readonly [number, number][];
  /** Largest distance from an epipolar line, long sides. */
  limit: number;
  seed: number;
}

/** Samples at each focal; the pose found at the focal before is tried too, so that few are enough. */
const HYPOTHESES = 12;

/** How well two photos fit together under each of several focals. */
export function scoreFocals({ x1, x2, focals, limit, seed }: FocalTask): FocalScores {
  let start: RelativePose | undefined;
  let hasParallax = false;
  const scores = focals.map(([focalA, focalB], k) => {
    const found = relativePose(
      x1.map((x) => x / focalA),
      x2.map((x) => x / focalB),
      { threshold: limit / Math.sqrt(focalA * focalB), hypotheses: HYPOTHESES, seed: seed + k, start },
    );
    if (!found) return 0;
    start = found;
    if (found.parallax > 1.5 && found.rotationShare < 0.5) hasParallax = true;
    return found.score;
  });
  return { scores, hasParallax };
}

import type { Lens } from './bundle.js';
import { median } from '../numerics/median.js';
import { DEFAULT_FOCAL, FOCAL_GRID, peakFocals, type LensGroup } from './calibration.js';
import type { Candidate } from './correspondence.js';
import type { SurveyTask } from './solution.js';
import type { FocalsAnswer, Request } from './worker.js';

const CALIBRATION_PAIRS = 24;
/** Matches a pair, the most distinctive. */
const CALIBRATION_MATCHES = 250;
/** Solutions of the whole set that are tried. */
const MOST_HYPOTHESES = 3;
/** Focals nearer than this factor lead to the same structure. */
export const APART = 1.2;

/**
 * What the lenses of a set may be by the opinion of its pairs, likeliest first. Where EXIF tells every focal, what the
 * pairs say against it: a picture cut out of a photo has another focal than its EXIF.
 *
 * @param start per lens; focal 0 where nothing is known
 */
export async function focalHypotheses(
  task: SurveyTask,
  groups: readonly LensGroup[],
  start: readonly Lens[],
): Promise<Lens[][]> {
  if (start.every(({ fixed, prior }) => fixed || (prior && prior.sigma < 1e-3))) return [];
  const scores = await scorePairs(task, start);
  const peaks = peakFocals(scores);
  const unknown = start.some(({ focal }) => focal === 0);
  const withUnknown = (focal: number): Lens[] =>
    start.map((lens) => (lens.focal === 0 ? { focal, k1: 0, prior: { focal, sigma: 0.4 } } : { ...lens }));
  if (unknown) {
    const focals = (peaks.length ? peaks : [DEFAULT_FOCAL]).slice(0, MOST_HYPOTHESES);
    // Two photos tell a focal badly: what cameras have as a rule is as good as the best peak.
    if (task.photos.length === 2 || focals.length < 2) focals.push(DEFAULT_FOCAL);
    return focals.map(withUnknown);
  }
  const typical = median(start.map(({ focal }) => focal))!;
  const other = peaks.filter((focal) => Math.max(focal / typical, typical / focal) > APART).slice(0, 1);
  return other.map((focal) =>
    start.map((lens, k) => {
      if (lens.fixed || groups[k]!.fromUser) return { ...lens };
      const moved = (lens.focal * focal) / typical;
      return { focal: moved, k1: 0, prior: { focal: moved, sigma: 0.4 } };
    }),
  );
}

/** Per pair, how well an essential matrix fits under each focal of the grid; photos of unknown lenses share it. */
async function scorePairs(task: SurveyTask, start: readonly Lens[]): Promise<number[][]> {
  const { candidates, lensOf, pool, context } = task;
  // A known focal takes part where another is unknown; where all are known, all are questioned.
  const unknown = start.some(({ focal }) => focal === 0);
  const focalIn = (photo: number, focal: number) => {
    const lens = start[lensOf[photo]!]!;
    return unknown && lens.focal > 0 ? lens.focal : focal;
  };
  const telling = ({ fit }: Candidate) => fit!.inlierCount * (1.1 - fit!.planarShare);
  const own = candidates
    .filter(({ pair: { a, b } }) => focalIn(a, 1) !== focalIn(a, 2) || focalIn(b, 1) !== focalIn(b, 2))
    .sort((p, q) => telling(q) - telling(p));
  const scores: number[][] = [];
  let done = 0;
  const chosen = own.slice(0, CALIBRATION_PAIRS);
  await Promise.all(
    chosen.map(async ({ pair: { a, b }, matches, fit }, k) => {
      const kept = Array.from(matches.filter((_, i) => fit!.inliers[i >> 1])).slice(0, 2 * CALIBRATION_MATCHES);
      const x1 = new Float64Array(kept.length);
      const x2 = new Float64Array(kept.length);
      for (let i = 0; i < kept.length; i += 2) {
        x1.set(task.position(a, kept[i]!), i);
        x2.set(task.position(b, kept[i + 1]!), i);
      }
      const request: Request = {
        kind: 'focals',
        x1,
        x2,
        focals: FOCAL_GRID.map((focal): [number, number] => [focalIn(a, focal), focalIn(b, focal)]),
        limit: 3 * Math.sqrt(task.pixels[a]! * task.pixels[b]!),
        seed: k + 1,
      };
      const answer = await pool.run<FocalsAnswer>(request, { signal: context.signal, pass: context.pass });
      // A pair without parallax fits any focal.
      if (answer.hasParallax) scores[k] = answer.scores;
      context.onProgress?.({ stage: 'calibrating', done: ++done, total: chosen.length });
    }),
  );
  // In the pairs' order, whichever was answered first: sums of them are the same each time.
  return scores.filter(Boolean);
}

import { sightId } from '../geometry/photo.js';
import type { Lens } from './bundle.js';
import { FEATURE_SIDE, type Candidate } from './correspondence.js';
import { decodeMatches, decodePose, encodeMatches, encodePose } from './records.js';
import { isBelieved, type SurveyTask, type Verified } from './solution.js';
import { undistort } from './triangulate.js';
import type { PoseAnswer, Request } from './worker.js';

/** Largest distance of a match from its epipolar line, pixels of the picture that features are found on. */
const LIMIT = 3;
const HYPOTHESES = 600;
/** While the lenses are not known well. */
const QUICK_HYPOTHESES = 60;

/** Relative poses of all pairs after few samples; undefined where none is found. */
export async function quickPoses(task: SurveyTask, lenses: readonly Lens[]): Promise<Candidate['result'][]> {
  const results: Candidate['result'][] = [];
  await Promise.all(
    task.candidates.map(async (candidate, k) => {
      results[k] = await relate(task, candidate, lenses, {
        hypotheses: QUICK_HYPOTHESES,
        seed: k + 1,
      });
    }),
  );
  return results;
}

/**
 * Pairs of a solution, some of them related anew under the lenses that it ended with, which may have learnt a principal point
 * or a focal since: under those that it began with, pairs of right cameras seem to contradict them.
 */
export async function relatedUnder(
  task: SurveyTask,
  verified: Verified,
  isAsked: (pair: Verified[number]) => boolean,
  lenses: readonly Lens[],
): Promise<Verified> {
  const candidates = new Map(task.candidates.map((each) => [`${each.pair.a}-${each.pair.b}`, each]));
  return Promise.all(
    verified.map(async (pair, k) => {
      const candidate = candidates.get(`${pair.a}-${pair.b}`);
      if (!candidate || !isAsked(pair)) return pair;
      const result = await relate(task, candidate, lenses, { hypotheses: HYPOTHESES, seed: k + 1 });
      if (!result || !isBelieved(result)) return pair;
      const { rotation, translation, parallax, rotationShare } = result;
      return { ...pair, rotation, translation, parallax, rotationShare };
    }),
  );
}

interface RelateOptions {
  hypotheses: number;
  seed: number;
}

/**
 * Relative pose of a pair. Samples of the matches that hold without lenses come first: nine tenths of those are right as a
 * rule, of all matches sometimes a fifth. They are not the only ones: without lenses a repeating wallpaper may hold better
 * than what is right.
 */
async function relate(
  { position, pixels, lensOf, pool, context }: SurveyTask,
  { pair: { a, b }, matches, fit }: Candidate,
  lenses: readonly Lens[],
  { hypotheses, seed }: RelateOptions,
): Promise<Candidate['result']> {
  const [lensA, lensB] = [lenses[lensOf[a]!]!, lenses[lensOf[b]!]!];
  const all = Array.from({ length: matches.length / 2 }, (_, k) => k);
  const likely = all.filter((k) => fit!.inliers[k]);
  const order = [...likely, ...all.filter((k) => !fit!.inliers[k])];
  const x1 = new Float64Array(2 * order.length);
  const x2 = new Float64Array(2 * order.length);
  order.forEach((m, k) => {
    x1.set(undistort(lensA, ...position(a, matches[2 * m]!)), 2 * k);
    x2.set(undistort(lensB, ...position(b, matches[2 * m + 1]!)), 2 * k);
  });
  const focal = Math.sqrt(lensA.focal * lensB.focal);
  const request: Request = {
    kind: 'pose',
    x1,
    x2,
    options: {
      threshold: (LIMIT * Math.sqrt(pixels[a]! * pixels[b]!)) / focal,
      hypotheses,
      likely: likely.length,
      seed,
      extent: 1 / focal,
    },
  };
  const answer = await pool.run<PoseAnswer>(request, { signal: context.signal, pass: context.pass });
  if (!answer) return undefined;
  const inliers = new Uint8Array(all.length);
  order.forEach((m, k) => (inliers[m] = answer.inliers[k]!));
  return { ...answer, inliers };
}

/**
 * Relative poses of pairs, some or all of those of the task, from all matches.
 *
 * @param related per lens, the focal that an earlier survey related its pairs with: what it found is used, not searched
 * again under a focal that has become a little better since
 */
export async function poseAll(
  task: SurveyTask,
  candidates: readonly Candidate[],
  lenses: readonly Lens[],
  related: readonly number[],
): Promise<void> {
  const { photos, lensOf, context } = task;
  let done = 0;
  await Promise.all(
    candidates.map(async (candidate, k) => {
      const { a, b } = candidate.pair;
      const focals = [a, b].map((photo) => related[lensOf[photo]!]!.toFixed(6)).join('/');
      const key = `geometric/pose/6/${FEATURE_SIDE}/${sightId(photos[a]!)}/${sightId(photos[b]!)}/${focals}`;
      const kept = decodePose(context.store.get(key), candidate.matches.length / 2);
      if (kept) candidate.result = kept.result;
      else {
        candidate.result = await relate(task, candidate, lenses, { hypotheses: HYPOTHESES, seed: k + 1 });
        context.store.put(key, encodePose(candidate.result));
      }
      await guide(task, candidate, lenses, `geometric/guided/2/${key}`);
      context.onProgress?.({ stage: 'relating pairs', done: ++done, total: candidates.length });
    }),
  );
}

/** Most that a match may be off its epipolar line to be found by it: half of what others may, for it is a weaker test. */
const GUIDED_LIMIT = LIMIT / 2;

/** Adds the matches that a pair's geometry leads to. A pair that was hardly moved, or turned only, leads nowhere. */
async function guide(
  { position, pixels, lensOf, pool, context, features }: SurveyTask,
  candidate: Candidate,
  lenses: readonly Lens[],
  key: string,
): Promise<void> {
  const { pair, matches, result } = candidate;
  // Learned descriptors are compared by their network alone.
  if (context.matcher?.finder) return;
  if (!result || !isBelieved(result) || result.parallax < 1 || result.rotationShare > 0.5) return;
  const both = [pair.a, pair.b] as const;
  const counts = both.map((photo) => features[photo]!.count) as [number, number];
  let found = decodeMatches(context.store.get(key), counts);
  if (!found) {
    const [x1, x2] = both.map((photo, side) => {
      const at = new Float64Array(2 * counts[side]!);
      for (let k = 0; k < counts[side]!; k++) at.set(undistort(lenses[lensOf[photo]!]!, ...position(photo, k)), 2 * k);
      return at;
    }) as [Float64Array, Float64Array];
    const focal = Math.sqrt(lenses[lensOf[pair.a]!]!.focal * lenses[lensOf[pair.b]!]!.focal);
    const request: Request = {
      kind: 'guide',
      a: features[pair.a]!,
      b: features[pair.b]!,
      x1,
      x2,
      pose: { rotation: result.rotation, translation: result.translation },
      taken: matches.filter((_, k) => result.inliers[k >> 1]),
      threshold: (GUIDED_LIMIT * Math.sqrt(pixels[pair.a]! * pixels[pair.b]!)) / focal,
    };
    found = await pool.run<Uint32Array>(request, { signal: context.signal, pass: context.pass });
    context.store.put(key, encodeMatches(found));
  }
  candidate.matches = Uint32Array.from([...matches, ...found]);
  const inliers = new Uint8Array(candidate.matches.length / 2).fill(1);
  inliers.set(result.inliers);
  candidate.result = { ...result, inliers };
}

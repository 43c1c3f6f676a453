import type { EarlierSurvey } from './earlier.js';
import type { PhotoReader, Rejection, StageContext } from '../geometry/stage.js';
import type { WorkerPool } from '../compute/pool.js';
import { sightId } from '../geometry/photo.js';
import type { Pair, Photo } from '../geometry/types.js';
import type { Lens, PlacedCamera } from './bundle.js';
import { groupLenses, type LensGroup } from './calibration.js';
import { isConsistent, rotationDisagreement } from './consistency.js';
import { FEATURE_SIDE, findAll, positionsIn, type Candidate, type SparseContext } from './correspondence.js';
import { focalHypotheses } from './hypotheses.js';
import { decodePose, encodePose } from './records.js';
import { JOINING_ROUNDS, Rounds } from './rounds.js';
import { structureInThread } from './structure-task.js';
import { STRUCTURE_DEFAULTS, type Piece, type VerifiedPair } from './structure.js';
import { senseChecks } from './sense.js';
import { wellConnected } from '../pairs/propose.js';
import type { PairMatches } from './tracks.js';
import { undistort } from './triangulate.js';
import type { PoseAnswer, Request } from './worker.js';

/** Largest distance of a match from its epipolar line, pixels of the picture that features are found on. */
const LIMIT = 3;
/** Pairs whose agreement chance explains better than this are not believed (evidence.ts). */
const LEAST_EVIDENCE = 8;
const LEAST_INLIERS = 12;
const HYPOTHESES = 600;
/** On matches that agree with an epipolar geometry already. */
const QUICK_HYPOTHESES = 60;

/** What the sparse half found out about the whole set. */
export interface Survey {
  lensOf: number[];
  lenses: Lens[];
  /** Per lens, the focal that the pairs were related with. */
  related: number[];
  pieces: Piece[];
  /** Pairs that hold, with the matches that do. */
  verified: (VerifiedPair & PairMatches)[];
  rejected: Rejection[];
  /** Number of features per photo. */
  features: number[];
  /** Position of a feature, in long sides relative to the photo's centre. */
  position(photo: number, feature: number): [number, number];
  /** What is likely wrong or not known, one line each for people. */
  warnings: string[];
  /** Per photo, why it was not placed; undefined for those that were. */
  reasons: (string | undefined)[];
}

type Verified = Survey['verified'];

/** What stays the same while hypotheses about the lenses are tried. */
export interface SurveyTask {
  photos: readonly Photo[];
  /** Pairs that have an epipolar geometry. */
  candidates: readonly Candidate[];
  featureCounts: readonly number[];
  position: Survey['position'];
  /** The same for all features of each photo: [features, 2], in shared memory. */
  positions: readonly Float64Array[];
  /** A pixel of the picture that features are found on, per photo, long sides. */
  pixels: readonly number[];
  lensOf: readonly number[];
  pool: WorkerPool;
  context: StageContext;
}

interface Solution {
  lenses: Lens[];
  pieces: Piece[];
  verified: Verified;
  rejected: Rejection[];
}

/** Cameras of the largest piece count first; then what the structure explains. */
const worth = ({ pieces }: Solution): number => pieces.reduce((sum, { support }) => sum + support, 0);

/**
 * Features, matches, calibration, consistency and structure of a photo set. Features, matches and relative poses are
 * kept in `context.store`, so that a photo added later costs only its own.
 *
 * @param earlier solution whose cameras are held where they are while new photos join
 */
export async function surveySet(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  reader: PhotoReader,
  pool: WorkerPool,
  context: SparseContext,
  earlier?: EarlierSurvey,
): Promise<Survey> {
  const features = await findAll(photos, reader, pool, context);
  const position = positionsIn(photos, features);
  const rejected: Rejection[] = [];
  const rounds = new Rounds({ photos, features, position, pool, context, rejected });
  const candidates = await rounds.first(pairs);
  const { lensOf, groups } = groupLenses(photos);
  const featureCounts = features.map(({ count }) => count);
  const pixels = photos.map(({ width, height }) => 1 / Math.min(FEATURE_SIDE, Math.max(width, height, 1000)));
  const positions = featureCounts.map((count, photo) => allPositions(photo, count, position));
  const task: SurveyTask = { photos, candidates, featureCounts, position, positions, pixels, lensOf, pool, context };
  const before = groups.map(({ key }) => earlier?.photos.find(({ lensKey }) => lensKey === key)?.lens.related);
  const known = earlier && knownPieces(photos, lensOf, earlier);
  const start = groups.map((group) => startLens(group, earlier));
  let lenses = start;
  let cameras = known;
  let first: Solution | undefined;
  if (!earlier || start.some(({ focal }) => focal === 0)) {
    first = await bestHypothesis(task, groups, start);
    lenses = first.lenses.map((lens) => ({ ...lens }));
    cameras = known ?? camerasOf(first);
  }
  const related = lenses.map(({ focal }, k) => before[k] ?? focal);
  await poseAll(task, lenses, related);
  let again = await solve(task, lenses, (candidate) => candidate.result, cameras);
  for (let round = 0; context.retrieval && round < JOINING_ROUNDS; round++) {
    const found = await rounds.joining(again.pieces);
    if (found.length === 0) break;
    candidates.push(...found);
    await poseAll(task, lenses, related);
    const settled = again.lenses.map((lens) => ({ ...lens }));
    again = await solve(task, settled, (candidate) => candidate.result, camerasOf(again));
  }
  // Related again with what the structure told of the lenses; as a rule more matches hold then.
  const best = first && worth(first) > 1.02 * worth(again) ? first : again;
  const { warnings, reasons, assumed } = senseChecks({ photos, candidates, position, lensOf, ...best });
  for (const index of assumed) best.lenses[index]!.assumed = true;
  return {
    warnings,
    reasons,
    lensOf,
    lenses: best.lenses,
    related,
    pieces: best.pieces,
    rejected: [...rejected, ...best.rejected],
    verified: best.verified,
    features: featureCounts,
    position,
  };
}

function allPositions(photo: number, count: number, position: Survey['position']): Float64Array {
  const all = new Float64Array(new SharedArrayBuffer(16 * count));
  for (let feature = 0; feature < count; feature++) all.set(position(photo, feature), 2 * feature);
  return all;
}

/** To begin another solution with. */
const camerasOf = ({ pieces }: Solution): Map<number, PlacedCamera>[] =>
  pieces.map((piece) => new Map([...piece.cameras].map(([k, camera]) => [k, { ...camera }])));

function startLens(group: LensGroup, earlier: EarlierSurvey | undefined): Lens {
  const solved = earlier?.photos.find(({ lensKey }) => lensKey === group.key);
  if (solved) return { focal: solved.lens.focal, k1: solved.lens.k1, fixed: true };
  // Rounded to whole millimetres and blind to what stabilisation crops, EXIF is off by a few per cent.
  if (group.known !== undefined)
    return { focal: group.known, k1: 0, prior: { focal: group.known, sigma: group.fromUser ? 1e-7 : 0.05 } };
  return { focal: 0, k1: 0 };
}

function knownPieces(
  photos: readonly Photo[],
  lensOf: readonly number[],
  earlier: EarlierSurvey,
): Map<number, PlacedCamera>[] {
  const pieces = new Map<number, Map<number, PlacedCamera>>();
  photos.forEach(({ id }, index) => {
    const camera = earlier.photos.find((photo) => photo.id === id)?.camera;
    if (!camera) return;
    const piece = pieces.get(camera.piece) ?? new Map<number, PlacedCamera>();
    pieces.set(
      camera.piece,
      piece.set(index, {
        lens: lensOf[index]!,
        rotation: camera.rotation,
        translation: camera.translation,
        fixed: true,
      }),
    );
  });
  return [...pieces.values()].filter(({ size }) => size > 1);
}

/**
 * Solves the set under each hypothesis about the lenses and takes what explains most: pairs alone tell a focal badly
 * (the peak is a tenth above its plateau), the structure of a set tells it well.
 */
async function bestHypothesis(
  task: SurveyTask,
  groups: readonly LensGroup[],
  start: readonly Lens[],
): Promise<Solution> {
  const tryOn = (part: SurveyTask) => async (lenses: readonly Lens[]) => {
    const results = await quickPoses(part, lenses);
    return solve(part, lenses, (_, k) => results[k]);
  };
  let asTold: Solution | undefined;
  if (start.every(({ focal }) => focal > 0)) {
    asTold = await tryOn(task)(start);
    if (isConvincing(task, asTold)) return asTold;
  }
  const hypotheses = await focalHypotheses(task, groups, start);
  const trial = trialOf(task);
  const rivals = trial !== task && asTold ? [start, ...hypotheses] : hypotheses;
  // Each takes one thread; the first of the best is taken, whichever is ready first.
  const solutions = await Promise.all(rivals.map(tryOn(trial)));
  let best = trial === task ? asTold : undefined;
  for (const solution of solutions) if (!best || worth(solution) > worth(best)) best = solution;
  if (trial === task || !best) return best ?? asTold!;
  if (asTold && best === solutions[0]) return asTold;
  const whole = await tryOn(task)(best.lenses);
  return asTold && worth(asTold) >= worth(whole) ? asTold : whole;
}

/** Of a set that is larger, the lenses are tried on so many photos: what they tell, the others confirm. */
const TRIAL_PHOTOS = 60;

/** The part of a task that hypotheses are tried on: photos that match each other best; all of a small set. */
function trialOf(task: SurveyTask): SurveyTask {
  const { photos, candidates } = task;
  if (photos.length <= TRIAL_PHOTOS) return task;
  const bonds = candidates.map(({ pair, fit }) => ({ ...pair, inliers: fit?.inlierCount ?? 0 }));
  const chosen = wellConnected(bonds, photos.length, TRIAL_PHOTOS);
  return { ...task, candidates: candidates.filter(({ pair: { a, b } }) => chosen.has(a) && chosen.has(b)) };
}

/** Every photo placed in one piece, and no lens pulled away from what EXIF says. */
function isConvincing({ photos }: SurveyTask, { lenses, pieces }: Solution): boolean {
  const pulled = lenses.some(({ focal, prior }) => prior && Math.abs(Math.log(focal / prior.focal)) > 0.08);
  return !pulled && pieces[0]?.cameras.size === photos.length;
}

/** Relative poses of all pairs from the matches that hold without lenses; undefined where none is found. */
async function quickPoses(task: SurveyTask, lenses: readonly Lens[]): Promise<Candidate['result'][]> {
  const results: Candidate['result'][] = [];
  await Promise.all(
    task.candidates.map(async (candidate, k) => {
      const { matches, fit } = candidate;
      const kept = matches.filter((_, i) => fit!.inliers[i >> 1]);
      const answer = await relate(task, { ...candidate, matches: kept }, lenses, QUICK_HYPOTHESES, k + 1);
      if (!answer) return;
      // Flags of all matches again.
      const inliers = new Uint8Array(matches.length / 2);
      let i = 0;
      fit!.inliers.forEach((flag, m) => {
        if (flag) inliers[m] = answer.inliers[i++]!;
      });
      results[k] = { ...answer, inliers };
    }),
  );
  return results;
}

async function relate(
  { position, pixels, lensOf, pool, context }: SurveyTask,
  { pair: { a, b }, matches }: Candidate,
  lenses: readonly Lens[],
  hypotheses: number,
  seed: number,
): Promise<Candidate['result']> {
  const [lensA, lensB] = [lenses[lensOf[a]!]!, lenses[lensOf[b]!]!];
  const x1 = new Float64Array(matches.length);
  const x2 = new Float64Array(matches.length);
  for (let k = 0; k < matches.length; k += 2) {
    x1.set(undistort(lensA, ...position(a, matches[k]!)), k);
    x2.set(undistort(lensB, ...position(b, matches[k + 1]!)), k);
  }
  const focal = Math.sqrt(lensA.focal * lensB.focal);
  const request: Request = {
    kind: 'pose',
    x1,
    x2,
    options: {
      threshold: (LIMIT * Math.sqrt(pixels[a]! * pixels[b]!)) / focal,
      hypotheses,
      seed,
      extent: 1 / focal,
    },
  };
  return pool.run<PoseAnswer>(request, { signal: context.signal, pass: context.pass });
}

/**
 * Relative poses of all pairs from all matches.
 *
 * @param related per lens, the focal that an earlier survey related its pairs with: what it found is used, not searched
 * again under a focal that has become a little better since
 */
async function poseAll(task: SurveyTask, lenses: readonly Lens[], related: readonly number[]): Promise<void> {
  const { photos, lensOf, candidates, context } = task;
  let done = 0;
  await Promise.all(
    candidates.map(async (candidate, k) => {
      const { a, b } = candidate.pair;
      const focals = [a, b].map((photo) => related[lensOf[photo]!]!.toFixed(6)).join('/');
      const key = `geometric/pose/5/${FEATURE_SIDE}/${sightId(photos[a]!)}/${sightId(photos[b]!)}/${focals}`;
      const kept = decodePose(context.store.get(key), candidate.matches.length / 2);
      if (kept) candidate.result = kept.result;
      else {
        candidate.result = await relate(task, candidate, lenses, HYPOTHESES, k + 1);
        context.store.put(key, encodePose(candidate.result));
      }
      context.onProgress?.({ stage: 'relating pairs', done: ++done, total: candidates.length });
    }),
  );
}

/** The structure that pairs give under some lenses. */
async function solve(
  task: SurveyTask,
  start: readonly Lens[],
  resultOf: (candidate: Candidate, index: number) => Candidate['result'],
  known?: readonly ReadonlyMap<number, PlacedCamera>[],
): Promise<Solution> {
  const rejected: Rejection[] = [];
  const verified = verify(task, resultOf, rejected);
  const sorted = [...task.pixels].sort((a, b) => a - b);
  const { photos, context } = task;
  const { pieces, lenses } = await structureInThread(
    task.pool,
    {
      lensOf: task.lensOf,
      lenses: start,
      positions: task.positions,
      pairs: verified,
      faces: photos.map(({ face }) => ({ face })),
      known,
      options: { ...STRUCTURE_DEFAULTS, pixel: sorted[sorted.length >> 1] ?? STRUCTURE_DEFAULTS.pixel },
    },
    context,
  );
  return { lenses, pieces, verified, rejected };
}

/** Pairs that hold, after the tests on the pair alone and against the others. */
function verify(
  { photos, candidates }: SurveyTask,
  resultOf: (candidate: Candidate, index: number) => Candidate['result'],
  rejected: Rejection[],
): Verified {
  const plausible: Verified = [];
  candidates.forEach((candidate, index) => {
    const { pair, matches } = candidate;
    const result = resultOf(candidate, index);
    if (!result || result.inlierCount < LEAST_INLIERS || result.evidence < LEAST_EVIDENCE) {
      rejected.push({
        pair,
        reason: 'no-overlap',
        detail: `only ${result?.inlierCount ?? 0} of ${matches.length / 2} matches agree with one geometry`,
      });
      return;
    }
    const { rotation, translation, inlierCount, parallax, rotationShare, inliers } = result;
    plausible.push({
      a: pair.a,
      b: pair.b,
      rotation,
      translation,
      inlierCount,
      parallax,
      rotationShare,
      matches: matches.filter((_, k) => inliers[k >> 1]),
    });
  });
  const disagreement = rotationDisagreement(
    photos.length,
    plausible.map(({ a, b, rotation, inlierCount }) => ({ a, b, rotation, weight: inlierCount })),
  );
  return plausible.filter(({ a, b }, k) => {
    if (isConsistent(disagreement[k]!)) return true;
    rejected.push({
      pair: { a, b },
      reason: 'inconsistent',
      detail: `its rotation is ${disagreement[k]!.toFixed(0)} degrees off what the other pairs say`,
    });
    return false;
  });
}

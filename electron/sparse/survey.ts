import type { EarlierSurvey } from './earlier.js';
import type { PhotoReader, Rejection } from '../geometry/stage.js';
import type { Executor } from '../compute/execution.js';
import { sightId } from '../geometry/photo.js';
import type { Pair, Photo } from '../geometry/types.js';
import { agreement } from './agreement.js';
import type { Lens, PlacedCamera } from './bundle.js';
import type { Features } from '../features/features.js';
import { CERTAINTY_DEFAULTS, focalSigma } from './certainty.js';
import { groupLenses, lensKey, namelessKeys, type LensGroup } from './calibration.js';
import { FEATURE_SIDE, findAll, positionsIn, type Candidate, type SparseContext } from './correspondence.js';
import { APART, focalHypotheses } from './hypotheses.js';
import { decodeMatches, decodePose, encodeMatches, encodePose } from './records.js';
import { posePriors } from './pose-prior.js';
import { JOINING_ROUNDS, Rounds } from './rounds.js';
import { structureInThread } from './structure-task.js';
import { STRUCTURE_DEFAULTS, type Piece, type StructureOptions, type VerifiedPair } from './structure.js';
import { SENSE_DEFAULTS, senseChecks } from './sense.js';
import { wellConnected } from '../pairs/propose.js';
import type { PairMatches } from './tracks.js';
import { undistort } from './triangulate.js';
import type { TwoViewResult } from './two-view.js';
import type { PoseAnswer, Request } from './worker.js';

/** Largest distance of a match from its epipolar line, pixels of the picture that features are found on. */
const LIMIT = 3;
/** Pairs whose agreement chance explains better than this are not believed (evidence.ts). */
const LEAST_EVIDENCE = 8;
const LEAST_INLIERS = 12;
const HYPOTHESES = 600;
/** While the lenses are not known well. */
const QUICK_HYPOTHESES = 60;

/** What the sparse half found out about the whole set. */
export interface Survey {
  lensOf: readonly number[];
  lenses: Lens[];
  /** Per lens, the standard deviation of its focal as a share of it (certainty.ts); undefined where it was given. */
  focalSigmas: (number | undefined)[];
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
  features: readonly Features[];
  position: Survey['position'];
  /** The same for all features of each photo: [features, 2], in shared memory. */
  positions: readonly Float64Array[];
  /** A pixel of the picture that features are found on, per photo, long sides. */
  pixels: readonly number[];
  lensOf: readonly number[];
  pool: Executor;
  context: SparseContext;
}

interface Solution {
  /** The structure left every lens as the pairs had it (isConfirmed). */
  confirmed?: boolean;
  /** Poses of the task's pairs that it was made from, of a trial. */
  poses?: Candidate['result'][];
  lenses: Lens[];
  pieces: Piece[];
  verified: Verified;
  rejected: Rejection[];
}

/** What the structure explains, as far as the pairs agree with it. */
const worth = ({ pieces, verified }: Solution): number =>
  pieces.reduce((sum, { support, cameras }) => sum + support * agreement(verified, cameras), 0);

const isAgreed = ({ pieces, verified }: Solution): boolean =>
  pieces.every(({ cameras }) => agreement(verified, cameras) >= SENSE_DEFAULTS.agreement);

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
  pool: Executor,
  context: SparseContext,
  earlier?: EarlierSurvey,
): Promise<Survey> {
  const features = await findAll(photos, reader, pool, context);
  const position = positionsIn(photos, features);
  const rejected: Rejection[] = [];
  const rounds = new Rounds({ photos, features, position, pool, context, rejected });
  const candidates = await rounds.first(pairs);
  const apart = apartBefore(earlier);
  const shared = groupLenses(photos, apart);
  const pixels = photos.map(({ width, height }) => 1 / Math.min(FEATURE_SIDE, Math.max(width, height, 1000)));
  const positions = features.map(({ count }, photo) => allPositions(photo, count, position));
  let task: SurveyTask = {
    ...{ photos, candidates, features, position, positions, pixels, pool, context },
    lensOf: shared.lensOf,
  };
  const lensesBefore = shared.groups.map(({ photos: own }) => earlierLens(photos[own[0]!]!, earlier, apart));
  const known = earlier && knownPieces(photos, shared.lensOf, earlier);
  const start = shared.groups.map((group, k) => startLens(group, lensesBefore[k]));
  let lenses = start;
  let cameras = known;
  let first: Solution | undefined;
  if (!earlier || start.some(({ focal }) => focal === 0)) {
    first = await bestHypothesis(task, shared.groups, start);
    const own = earlier ? undefined : await lensesApart(task, first);
    if (own) [task, first] = [own.task, own.solution];
    lenses = first.lenses.map((lens) => ({ ...lens }));
    cameras = known ?? camerasOf(first);
  }
  const { lensOf } = task;
  const related = lenses.map(({ focal }, k) => lensesBefore[k]?.related ?? focal);
  await poseAll(task, candidates, lenses, related);
  // Related again with what the structure told of the lenses; as a rule more matches hold then.
  let best = await solve(task, lenses, (candidate) => candidate.result, cameras);
  for (let round = 0; context.retrieval && round < JOINING_ROUNDS; round++) {
    const found = await rounds.joining(best.pieces);
    if (found.length === 0) break;
    candidates.push(...found);
    await poseAll(task, found, best.lenses, related);
    best = await solve(task, best.lenses, (candidate) => candidate.result, camerasOf(best));
  }
  if (!known && !isAgreed(best)) {
    // What few samples misled was built upon; the pairs as they are known now lead elsewhere.
    const anew = await solve(task, lenses, (candidate) => candidate.result);
    if (worth(anew) > worth(best)) best = anew;
  }
  if (first && worth(first) > 1.02 * worth(best)) best = first;
  const focalSigmas = sigmasOf(task, best);
  const { warnings, reasons, assumed } = senseChecks({ photos, candidates, position, lensOf, focalSigmas, ...best });
  for (const index of assumed) best.lenses[index]!.assumed = true;
  return {
    warnings,
    reasons,
    lensOf,
    lenses: best.lenses,
    focalSigmas,
    related,
    pieces: best.pieces,
    rejected: [...rejected, ...best.rejected],
    verified: best.verified,
    features: features.map(({ count }) => count),
    position,
  };
}

function sigmasOf({ lensOf, position, pixels }: SurveyTask, { lenses, pieces }: Solution): (number | undefined)[] {
  const sorted = [...pixels].sort((a, b) => a - b);
  const options = { ...CERTAINTY_DEFAULTS, pixel: sorted[sorted.length >> 1] ?? CERTAINTY_DEFAULTS.pixel };
  return lenses.map(({ fixed, prior }, index) => {
    if (fixed || (prior && prior.sigma < 1e-3)) return undefined;
    const shown = ({ cameras }: Piece) => [...cameras.keys()].filter((photo) => lensOf[photo] === index).length;
    const piece = [...pieces].sort((p, q) => shown(q) - shown(p))[0];
    return piece && shown(piece) > 0 ? focalSigma(piece, index, lenses, position, options) : undefined;
  });
}

function allPositions(photo: number, count: number, position: Survey['position']): Float64Array {
  const all = new Float64Array(new SharedArrayBuffer(16 * count));
  for (let feature = 0; feature < count; feature++) all.set(position(photo, feature), 2 * feature);
  return all;
}

/** To begin another solution with. */
const camerasOf = ({ pieces }: Solution): Map<number, PlacedCamera>[] =>
  pieces.map((piece) => new Map([...piece.cameras].map(([k, camera]) => [k, { ...camera }])));

/** Keys of which the photos got lenses of their own. */
function apartBefore(earlier: EarlierSurvey | undefined): Set<string> {
  const seen = new Map<string, number>();
  const apart = new Set<string>();
  for (const { lensKey, lens } of earlier?.photos ?? []) {
    if ((seen.get(lensKey) ?? lens.focal) !== lens.focal) apart.add(lensKey);
    seen.set(lensKey, lens.focal);
  }
  return apart;
}

/**
 * What a photo's lens was found to be: by the photo itself, or by others of its lens.
 *
 * @param apart keys of which every photo has a lens of its own
 */
function earlierLens(
  photo: Photo,
  earlier: EarlierSurvey | undefined,
  apart: ReadonlySet<string>,
): EarlierSurvey['photos'][number]['lens'] | undefined {
  const key = lensKey(photo);
  const own = earlier?.photos.find(({ id }) => id === photo.id);
  if (own?.lensKey === key) return own.lens;
  if (apart.has(key)) return undefined;
  return earlier?.photos.find((each) => each.lensKey === key)?.lens;
}

function startLens(group: LensGroup, solved: ReturnType<typeof earlierLens>): Lens {
  if (solved) {
    const { related: _, ...lens } = solved;
    return { ...lens, fixed: true };
  }
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
  const tryOn =
    (part: SurveyTask) =>
    async (lenses: readonly Lens[]): Promise<Solution> => {
      const poses = await quickPoses(part, lenses);
      // Under wrong focals a principal point far aside explains much.
      const solution = await solve(part, lenses, (_, k) => poses[k], undefined, { isFinal: false });
      return { ...solution, poses };
    };
  let asTold: Solution | undefined;
  if (start.every(({ focal }) => focal > 0)) {
    asTold = await tryOn(task)(start);
    asTold.confirmed = isConvincing(task, asTold);
    if (asTold.confirmed) return asTold;
  }
  const hypotheses = await focalHypotheses(task, groups, start);
  const { trial, photoCount } = trialOf(task);
  const isWhole = trial === task;
  let best = isWhole ? asTold : undefined;
  let chosen = start;
  for (const lenses of isWhole || !asTold ? hypotheses : [start, ...hypotheses]) {
    const solution = await tryOn(trial)(lenses);
    if (!best || worth(solution) > worth(best)) [best, chosen] = [solution, lenses];
    if (best !== solution || !isConfirmed(photoCount, lenses, solution)) continue;
    best.confirmed = true;
    break;
  }
  if (isWhole) return best!;
  if (asTold && chosen === start) return asTold;
  const whole = await tryOn(task)(best!.lenses);
  return asTold && worth(asTold) >= worth(whole) ? asTold : whole;
}

/** Of a set that is larger, the lenses are tried on so many photos: what they tell, the others confirm. */
const TRIAL_PHOTOS = 60;

/** The part of a task that hypotheses are tried on: photos that match each other best; all of a small set. */
function trialOf(task: SurveyTask): { trial: SurveyTask; photoCount: number } {
  const { photos, candidates } = task;
  if (photos.length <= TRIAL_PHOTOS) return { trial: task, photoCount: photos.length };
  const bonds = candidates.map(({ pair, fit }) => ({ ...pair, inliers: fit?.inlierCount ?? 0 }));
  const chosen = wellConnected(bonds, photos.length, TRIAL_PHOTOS);
  const among = candidates.filter(({ pair: { a, b } }) => chosen.has(a) && chosen.has(b));
  return { trial: { ...task, candidates: among }, photoCount: chosen.size };
}

/** Few photos hardly pull a focal: that it stayed where it was says nothing. */
const CONFIRMING_PHOTOS = 6;

/**
 * Every photo placed in one piece, and the structure leaves every focal where the pairs had it: two opinions that agree.
 * Other hypotheses, each a structure of its own, were three quarters of the sparse stage's time, and changed nothing then.
 */
function isConfirmed(photoCount: number, start: readonly Lens[], solution: Solution): boolean {
  const { lenses, pieces } = solution;
  if (photoCount < CONFIRMING_PHOTOS || !isAgreed(solution)) return false;
  const moved = lenses.some(({ focal }, k) => Math.abs(Math.log(focal / start[k]!.focal)) > Math.log(APART));
  return !moved && pieces[0]?.cameras.size === photoCount;
}

/** Every photo placed in one piece, and no lens pulled away from what EXIF says. */
function isConvincing({ photos }: SurveyTask, solution: Solution): boolean {
  const { lenses, pieces } = solution;
  const pulled = lenses.some(({ focal, prior }) => prior && Math.abs(Math.log(focal / prior.focal)) > 0.08);
  return !pulled && isAgreed(solution) && pieces[0]?.cameras.size === photos.length;
}

/** Lenses of their own must explain so many times as much, and two of what was one be apart by more than APART. */
const APART_GAIN = 1.03;
/** Pairs are related again with the focals found: those of one lens for all bend them. */
const APART_ROUNDS = 2;

/**
 * The set with a lens of its own for each photo that shares one by nothing but the size of its picture, where that explains
 * more: photos of the web, cut or reduced to one size, were taken by many cameras. Asked of confirmed sets too: six photos
 * of two lenses 1.4 apart, placed with one for all, looked confirmed. Not asked of a set that is too small to tell, or so
 * large that it costs.
 */
async function lensesApart(
  task: SurveyTask,
  shared: Solution,
): Promise<{ task: SurveyTask; solution: Solution } | undefined> {
  const { photos } = task;
  const apart = namelessKeys(photos);
  if (apart.size === 0 || photos.length < CONFIRMING_PHOTOS || photos.length > TRIAL_PHOTOS) return undefined;
  const { lensOf, groups } = groupLenses(photos, apart);
  const own = { ...task, lensOf };
  const start = groups.map(({ photos: [first] }): Lens => {
    const lens = shared.lenses[task.lensOf[first!]!]!;
    return apart.has(lensKey(photos[first!]!)) ? { ...lens, prior: { focal: lens.focal, sigma: 0.4 } } : { ...lens };
  });
  const poses = shared.poses ?? (await quickPoses(task, shared.lenses));
  const cameras = camerasOf(shared);
  for (const [photo, camera] of cameras.flatMap((piece) => [...piece])) camera.lens = lensOf[photo]!;
  let found = await solve(own, start, (_, k) => poses[k], cameras, { isFinal: false });
  if (spreadOf(task, own, found) <= APART) return undefined;
  for (let round = 0; round < APART_ROUNDS; round++) {
    // Without the distortion that one lens for all had to take.
    const lenses = start.map((lens, k): Lens =>
      lens.fixed ? lens : { focal: found.lenses[k]!.focal, k1: 0, prior: lens.prior },
    );
    const anew = await quickPoses(own, lenses);
    found = await solve(own, lenses, (_, k) => anew[k], undefined, { isFinal: false });
    if (isAgreed(found)) break;
  }
  const isBetter = spreadOf(task, own, found) > APART && worth(found) > APART_GAIN * worth(shared);
  return isBetter ? { task: own, solution: found } : undefined;
}

/** The largest of the focals that photos of one lens got for themselves over the smallest, of the lens that spreads most. */
function spreadOf(shared: SurveyTask, own: SurveyTask, { pieces, lenses }: Solution): number {
  const focals = new Map<number, number[]>();
  for (const photo of pieces.flatMap(({ cameras }) => [...cameras.keys()])) {
    const list = focals.get(shared.lensOf[photo]!) ?? [];
    focals.set(shared.lensOf[photo]!, [...list, lenses[own.lensOf[photo]!]!.focal]);
  }
  return Math.max(1, ...[...focals.values()].map((list) => Math.max(...list) / Math.min(...list)));
}

/** Relative poses of all pairs after few samples; undefined where none is found. */
async function quickPoses(task: SurveyTask, lenses: readonly Lens[]): Promise<Candidate['result'][]> {
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
async function poseAll(
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

const isBelieved = ({ inlierCount, evidence }: TwoViewResult): boolean =>
  inlierCount >= LEAST_INLIERS && evidence >= LEAST_EVIDENCE;

/** The structure that pairs give under some lenses. */
async function solve(
  task: SurveyTask,
  start: readonly Lens[],
  resultOf: (candidate: Candidate, index: number) => Candidate['result'],
  known?: readonly ReadonlyMap<number, PlacedCamera>[],
  structure: Partial<StructureOptions> = {},
): Promise<Solution> {
  const rejected: Rejection[] = [];
  const plausible = plausiblePairs(task, resultOf, rejected);
  const sorted = [...task.pixels].sort((a, b) => a - b);
  const { photos, context } = task;
  const { pieces, lenses, contradictions } = await structureInThread(
    task.pool,
    {
      lensOf: task.lensOf,
      lenses: start,
      positions: task.positions,
      pairs: plausible,
      faces: photos.map(({ face }) => ({ face })),
      known,
      priors: posePriors(photos),
      options: {
        ...STRUCTURE_DEFAULTS,
        pixel: sorted[sorted.length >> 1] ?? STRUCTURE_DEFAULTS.pixel,
        ...structure,
      },
    },
    context,
  );
  contradictions.forEach((detail, k) => {
    const { a, b } = plausible[k]!;
    if (detail !== undefined) rejected.push({ pair: { a, b }, reason: 'inconsistent', detail });
  });
  return { lenses, pieces, verified: plausible.filter((_, k) => contradictions[k] === undefined), rejected };
}

/** Pairs that pass the tests on the pair alone. */
function plausiblePairs(
  { candidates }: SurveyTask,
  resultOf: (candidate: Candidate, index: number) => Candidate['result'],
  rejected: Rejection[],
): Verified {
  const plausible: Verified = [];
  candidates.forEach((candidate, index) => {
    const { pair, matches } = candidate;
    const result = resultOf(candidate, index);
    if (!result || !isBelieved(result)) {
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
  return plausible;
}

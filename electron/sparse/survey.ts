import { agreement, disagreeing, mayAgree } from './agreement.js';
import type { EarlierSurvey } from './earlier.js';
import type { PhotoReader, Rejection } from '../geometry/stage.js';
import type { Executor } from '../compute/execution.js';
import type { Pair, Photo } from '../geometry/types.js';
import type { Lens, PlacedCamera } from './bundle.js';
import { groupLenses, lensKey, type LensGroup } from './calibration.js';
import { FEATURE_SIDE, findAll, positionsIn, type SparseContext } from './correspondence.js';
import { bestHypothesis, lensesApart, usualFocals } from './lens-search.js';
import { poseAll, relatedUnder } from './relating.js';
import { JOINING_ROUNDS, Rounds } from './rounds.js';
import { SENSE_DEFAULTS, senseChecks } from './sense.js';
import {
  camerasOf,
  isAgreed,
  cutSigma,
  sigmasOf,
  solve,
  worth,
  type Solution,
  type SurveyTask,
  type Verified,
} from './solution.js';
import type { Piece, VerifiedPair } from './structure.js';

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
  verified: Verified;
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
  let focalSigmas = sigmasOf(task, best);
  const usual = await usualFocals(task, best, focalSigmas);
  if (usual) {
    best = usual;
    focalSigmas = sigmasOf(task, best);
    best.lenses.forEach(({ assumed, focal }, k) => {
      if (assumed) related[k] = focal;
    });
  }
  const doubted = contradictedPairs(best);
  if (doubted.size > 0)
    best = { ...best, verified: await relatedUnder(task, best.verified, (pair) => doubted.has(pair), best.lenses) };
  const cut = cutSigma(task, best);
  const { warnings, reasons, assumed } = senseChecks({
    photos,
    candidates,
    position,
    lensOf,
    focalSigmas,
    cut,
    ...best,
  });
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

/** Pairs for which a warning would be given. */
function contradictedPairs({ pieces, verified }: Solution): Set<VerifiedPair> {
  const isDoubted = ({ cameras }: Piece) => agreement(verified, cameras, mayAgree) < SENSE_DEFAULTS.agreement;
  return new Set(pieces.filter(isDoubted).flatMap(({ cameras }) => disagreeing(verified, cameras, mayAgree)));
}

function allPositions(photo: number, count: number, position: Survey['position']): Float64Array {
  const all = new Float64Array(new SharedArrayBuffer(16 * count));
  for (let feature = 0; feature < count; feature++) all.set(position(photo, feature), 2 * feature);
  return all;
}

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

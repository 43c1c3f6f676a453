import type { EarlierSurvey } from './earlier.js';
import type { PhotoReader, Rejection, StageContext } from '../geometry/stage.js';
import type { WorkerPool } from '../compute/pool.js';
import { sightId } from '../geometry/photo.js';
import type { Pair, Photo } from '../geometry/types.js';
import type { Lens, PlacedCamera } from './bundle.js';
import { DEFAULT_FOCAL, FOCAL_GRID, groupLenses, peakFocal, type LensGroup } from './calibration.js';
import { isConsistent, rotationDisagreement } from './consistency.js';
import { FEATURE_SIDE, findAll, matchAll, type Candidate } from './correspondence.js';
import { decodePose, encodePose } from './records.js';
import { buildStructure, type Piece, type VerifiedPair } from './structure.js';
import { buildTracks, type PairMatches } from './tracks.js';
import type { PoseAnswer, Request } from './worker.js';

/** Two pixels of the picture that features are found on, in long sides. */
const THRESHOLD = 2 / FEATURE_SIDE;
const LEAST_INLIERS = 20;
/** Share of the matches that must agree: chance alone makes a few dozen agree when there are many. */
const LEAST_AGREEMENT = 0.15;
const HYPOTHESES = 1200;
const CALIBRATION_PAIRS = 24;
const CALIBRATION_HYPOTHESES = 400;
/** Matches a pair, evenly drawn. */
const CALIBRATION_MATCHES = 300;

/** What the sparse half found out about the whole set. */
export interface Survey {
  lensOf: number[];
  lenses: Lens[];
  /** Per lens, the focal that the pairs were first related with, before the cameras were placed. */
  related: number[];
  pieces: Piece[];
  /** Pairs that hold, with the matches that do. */
  verified: (VerifiedPair & PairMatches)[];
  rejected: Rejection[];
  /** Number of features per photo. */
  features: number[];
  /** Position of a feature, in long sides relative to the photo's centre. */
  position(photo: number, feature: number): [number, number];
}

interface Correspondences {
  a: Float64Array;
  b: Float64Array;
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
  pool: WorkerPool,
  context: StageContext,
  earlier?: EarlierSurvey,
): Promise<Survey> {
  const features = await findAll(photos, reader, pool, context);
  const position = (photo: number, feature: number): [number, number] => {
    const { width, height } = photos[photo]!;
    const long = Math.max(width, height);
    const ratio = Math.min(1, FEATURE_SIDE / long);
    // Resizing maps pixel centres p to (p + 0.5) w / width - 0.5, each axis with its own rounded side (photos/reader.ts);
    // the photo's centre is at (side - 1) / 2.
    const { keypoints } = features[photo]!;
    return [
      ((keypoints[4 * feature]! + 0.5) / Math.round(width * ratio) - 0.5) * (width / long),
      ((keypoints[4 * feature + 1]! + 0.5) / Math.round(height * ratio) - 0.5) * (height / long),
    ];
  };
  const rejected: Rejection[] = [];
  const candidates = await matchAll(photos, pairs, features, pool, context, rejected);
  const place = ({ pair, matches }: Candidate): Correspondences => {
    const a = new Float64Array(matches.length);
    const b = new Float64Array(matches.length);
    for (let k = 0; k < matches.length; k += 2) {
      a.set(position(pair.a, matches[k]!), k);
      b.set(position(pair.b, matches[k + 1]!), k);
    }
    return { a, b };
  };
  const { lensOf, groups } = groupLenses(photos);
  const lenses = groups.map((group) => startLens(group, earlier));
  await calibrate(lenses, lensOf, groups, candidates, place, pool, context);
  const related = lenses.map(({ focal }) => focal);
  const before = groups.map(({ key }) => earlier?.photos.find(({ lensKey }) => lensKey === key)?.lens.related);
  await poseAll(photos, candidates, place, lensOf, related, before, pool, context);
  const verified = verify(photos.length, candidates, rejected);
  const pieces = await buildStructure({
    photoCount: photos.length,
    lensOf,
    lenses,
    tracks: buildTracks(
      features.map(({ count }) => count),
      verified,
    ),
    position,
    pairs: verified,
    known: earlier && knownPieces(photos, lensOf, earlier),
    signal: context.signal,
    pass: context.pass,
    onPlaced: (placed) => context.onProgress?.({ stage: 'placing cameras', done: placed, total: photos.length }),
  });
  return {
    lensOf,
    lenses,
    related: before.map((focal, k) => focal ?? related[k]!),
    pieces,
    rejected,
    verified,
    features: features.map(({ count }) => count),
    position,
  };
}

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
 * Focals of lenses about which nothing is known, by consensus over their richest pairs; the lens with most photos
 * first.
 */
async function calibrate(
  lenses: Lens[],
  lensOf: readonly number[],
  groups: readonly LensGroup[],
  candidates: readonly Candidate[],
  place: (candidate: Candidate) => Correspondences,
  pool: WorkerPool,
  context: StageContext,
): Promise<void> {
  const unknown = lenses.map((_, k) => k).filter((k) => lenses[k]!.focal === 0);
  unknown.sort((p, q) => groups[q]!.photos.length - groups[p]!.photos.length);
  for (const lens of unknown) {
    // The other photo of a pair has this lens too, or one already known.
    const focalIn = (photo: number, focal: number) => (lensOf[photo] === lens ? focal : lenses[lensOf[photo]!]!.focal);
    const own = candidates
      .filter(
        ({ pair: { a, b } }) => (lensOf[a] === lens || lensOf[b] === lens) && focalIn(a, 1) > 0 && focalIn(b, 1) > 0,
      )
      .sort((p, q) => q.matches.length - p.matches.length);
    // The very richest pairs are nearly identical photos, which say little about the focal: skip a fifth.
    const skip = own.length > 10 ? Math.floor(own.length / 5) : 0;
    const chosen = own.slice(skip, skip + CALIBRATION_PAIRS);
    const scores: number[][] = [];
    let done = 0;
    await Promise.all(
      chosen.map(async (candidate, k) => {
        const { a, b } = candidate.pair;
        const focals = FOCAL_GRID.map((focal): [number, number] => [focalIn(a, focal), focalIn(b, focal)]);
        const request: Request = {
          kind: 'pose',
          ...place(thinned(candidate)),
          focals,
          threshold: THRESHOLD,
          hypotheses: CALIBRATION_HYPOTHESES,
          seed: k + 1,
        };
        const answer = await pool.run<PoseAnswer>(request, { signal: context.signal, pass: context.pass });
        // A pair without parallax fits any focal.
        if (answer.some((result) => result && result.parallax > 1.5 && result.rotationShare < 0.5))
          scores[k] = answer.map((result) => result?.score ?? 0);
        context.onProgress?.({ stage: 'calibrating', done: ++done, total: chosen.length });
      }),
    );
    const told = scores.filter(Boolean);
    const { focal, prominence } = told.length ? peakFocal(told) : { focal: DEFAULT_FOCAL, prominence: 0 };
    lenses[lens] = { focal, k1: 0, prior: { focal, sigma: prominence > 0.03 ? 0.25 : 0.1 } };
  }
}

function thinned({ pair, matches }: Candidate): Candidate {
  const stride = Math.ceil(matches.length / 2 / CALIBRATION_MATCHES);
  return { pair, matches: matches.filter((_, k) => (k >> 1) % stride === 0) };
}

/**
 * @param focals per lens
 * @param before per lens, the focal that an earlier survey related its pairs with: what it found is used, not searched
 * again
 *   under a focal that has become a little better since
 */
async function poseAll(
  photos: readonly Photo[],
  candidates: readonly Candidate[],
  place: (candidate: Candidate) => Correspondences,
  lensOf: readonly number[],
  focals: readonly number[],
  before: readonly (number | undefined)[],
  pool: WorkerPool,
  context: StageContext,
): Promise<void> {
  let done = 0;
  await Promise.all(
    candidates.map(async (candidate, k) => {
      const { a, b } = candidate.pair;
      const [lensA, lensB] = [lensOf[a]!, lensOf[b]!];
      const keyOf = (focalA: number, focalB: number): string =>
        `geometric/pose/3/${FEATURE_SIDE}/${sightId(photos[a]!)}/${sightId(photos[b]!)}/${focalA.toFixed(6)}/${focalB.toFixed(6)}`;
      const key = keyOf(focals[lensA]!, focals[lensB]!);
      const count = candidate.matches.length / 2;
      const kept =
        decodePose(context.store.get(key), count) ??
        decodePose(context.store.get(keyOf(before[lensA] ?? focals[lensA]!, before[lensB] ?? focals[lensB]!)), count);
      if (kept) candidate.result = kept.result;
      else {
        const request: Request = {
          kind: 'pose',
          ...place(candidate),
          focals: [[focals[lensA]!, focals[lensB]!]],
          threshold: THRESHOLD * 1.5,
          hypotheses: HYPOTHESES,
          seed: k + 1,
        };
        [candidate.result] = await pool.run<PoseAnswer>(request, { signal: context.signal, pass: context.pass });
        context.store.put(key, encodePose(candidate.result));
      }
      context.onProgress?.({ stage: 'relating pairs', done: ++done, total: candidates.length });
    }),
  );
}

/** Pairs that hold, after the tests on the pair alone and against the others. */
function verify(count: number, candidates: readonly Candidate[], rejected: Rejection[]): Survey['verified'] {
  const plausible: Survey['verified'] = [];
  for (const { pair, matches, result } of candidates) {
    const total = matches.length / 2;
    if (!result || result.inlierCount < LEAST_INLIERS || result.inlierCount < LEAST_AGREEMENT * total) {
      rejected.push({
        pair,
        reason: 'no-overlap',
        detail: `only ${result?.inlierCount ?? 0} of ${total} matches agree with one geometry`,
      });
      continue;
    }
    const { rotation, translation, inlierCount, parallax, rotationShare, inliers } = result;
    const kept = matches.filter((_, k) => inliers[k >> 1]);
    plausible.push({
      a: pair.a,
      b: pair.b,
      rotation,
      translation,
      inlierCount,
      parallax,
      rotationShare,
      matches: kept,
    });
  }
  const disagreement = rotationDisagreement(
    count,
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

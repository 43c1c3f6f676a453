import type { Pair, Photo } from '../../geometry/types.js';
import { WorkerPool } from '../../compute/pool.js';
import type { EstimatorContext, PairRejection, PhotoReader } from '../estimator.js';
import { DEFAULT_FOCAL, FOCAL_GRID, groupLenses, peakFocal } from './calibration.js';
import type { Lens, PlacedCamera } from './bundle.js';
import { isConsistent, rotationDisagreement } from './consistency.js';
import type { Features } from './features.js';
import { decodeFeatures, decodeMatches, encodeFeatures, encodeMatches } from './records.js';
import { buildStructure, type Piece, type VerifiedPair } from './structure.js';
import { buildTracks, type PairMatches, type Track } from './tracks.js';
import type { TwoViewResult } from './two-view.js';
import type { PoseAnswer, Request } from './worker.js';

/** Long side of the picture that features are found on: Lowe's doubling of a smaller one costs more and finds less. */
export const FEATURE_SIDE = 1600;
const FEATURES = { maximum: 4000, contrast: 0.025 };
const THRESHOLD = 2 / FEATURE_SIDE;
const LEAST_MATCHES = 24;
const LEAST_INLIERS = 20;
const HYPOTHESES = 1200;
const CALIBRATION_PAIRS = 24;

export interface Rejection {
  pair: Pair;
  reason: PairRejection;
  detail: string;
}

/** What the sparse half found out about the whole set. */
export interface Survey {
  lensOf: number[];
  lenses: Lens[];
  pieces: Piece[];
  tracks: Track[];
  rejected: Rejection[];
  verified: VerifiedPair[];
  /** Long sides relative to the photo's centre. */
  position(photo: number, feature: number): [number, number];
}

interface Candidate {
  pair: Pair;
  matches: Uint32Array;
  result?: TwoViewResult | undefined;
}

/** Features, matches, calibration, consistency and structure of a photo set. Set-level results are cached in context.store. */
export async function surveySet(photos: readonly Photo[], pairs: readonly Pair[], reader: PhotoReader, pool: WorkerPool, context: EstimatorContext, known?: KnownStructure): Promise<Survey> {
  const features = await findAll(photos, reader, pool, context);
  const { lensOf, known: exif, sources } = groupLenses(photos);
  const halfWidth = photos.map(({ width, height }) => (width - 1) / 2 / Math.max(width, height));
  const halfHeight = photos.map(({ width, height }) => (height - 1) / 2 / Math.max(width, height));
  const scale = photos.map((photo) => Math.max(photo.width, photo.height) / Math.min(FEATURE_SIDE, Math.max(photo.width, photo.height)));
  const position = (photo: number, feature: number): [number, number] => {
    const long = Math.max(photos[photo]!.width, photos[photo]!.height);
    const s = scale[photo]!;
    // Resizing maps pixel centres p to s (p + 0.5) - 0.5.
    const x = (s * (features[photo]!.keypoints[4 * feature]! + 0.5) - 0.5) / long;
    const y = (s * (features[photo]!.keypoints[4 * feature + 1]! + 0.5) - 0.5) / long;
    return [x - halfWidth[photo]!, y - halfHeight[photo]!];
  };
  const rejected: Rejection[] = [];
  const candidates = await matchAll(photos, pairs, features, pool, context, rejected);
  const place = ({ pair, matches }: Candidate) => {
    const a = new Float64Array(matches.length);
    const b = new Float64Array(matches.length);
    for (let k = 0; k < matches.length; k += 2) {
      a.set(position(pair.a, matches[k]!), k);
      b.set(position(pair.b, matches[k + 1]!), k);
    }
    return { a, b };
  };
  const lenses: Lens[] = exif.map((focal, lens) => {
    const earlier = known?.lens(lensOf.indexOf(lens));
    if (earlier) return { focal: earlier.focal, k1: earlier.k1, prior: { focal: earlier.focal, sigma: 1e-3 } };
    if (focal !== undefined) return { focal, k1: 0, prior: { focal, sigma: sources[lens] === 'user' ? 1e-5 : 0.05 } };
    return { focal: 0, k1: 0 };
  });
  await calibrate(lenses, lensOf, candidates, place, pool, context);
  await poseAll(candidates, place, lensOf, lenses, pool, context);
  const verified = verify(photos.length, candidates, rejected);
  const inlierMatches: PairMatches[] = verified.map((entry) => {
    const candidate = candidates.find(({ pair }) => pair.a === entry.a && pair.b === entry.b)!;
    const kept: number[] = [];
    candidate.result!.inliers.forEach((inlier, k) => {
      if (inlier) kept.push(candidate.matches[2 * k]!, candidate.matches[2 * k + 1]!);
    });
    return { a: entry.a, b: entry.b, matches: Uint32Array.from(kept) };
  });
  const tracks = buildTracks(features.map(({ count }) => count), inlierMatches);
  const pieces = buildStructure({
    photoCount: photos.length, lensOf, lenses, tracks, position, pairs: verified, known: known?.cameras, signal: context.signal,
    onPlaced: (placed) => context.onProgress?.({ stage: 'placing cameras', done: placed, total: photos.length }),
  });
  return { lensOf, lenses, pieces, tracks, rejected, verified, position };
}

/** An earlier solution that new photos join. */
export interface KnownStructure {
  cameras: ReadonlyMap<number, PlacedCamera>;
  lens(photo: number): { focal: number; k1: number } | undefined;
}

/** Runs jobs with a bounded number under way, so that pictures don't pile up in memory. */
async function inParallel<T>(items: readonly T[], width: number, work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, async () => {
    while (next < items.length) {
      const index = next++;
      await work(items[index]!, index);
    }
  }));
}

async function findAll(photos: readonly Photo[], reader: PhotoReader, pool: WorkerPool, context: EstimatorContext): Promise<Features[]> {
  const features: Features[] = [];
  let done = 0;
  await inParallel(photos, pool.size + 1, async (photo, index) => {
    context.signal?.throwIfAborted();
    const key = `geometric/features/2/${FEATURE_SIDE}/${photo.id}`;
    const kept = context.store.get(key);
    if (kept) features[index] = decodeFeatures(kept);
    else {
      const { pixels, width, height } = await reader.read(photo, { longSide: FEATURE_SIDE });
      const grey = new Float32Array(width * height);
      for (let k = 0; k < grey.length; k++) grey[k] = (0.299 * pixels[3 * k]! + 0.587 * pixels[3 * k + 1]! + 0.114 * pixels[3 * k + 2]!) / 255;
      const request: Request = { kind: 'features', grey, width, height, options: FEATURES };
      const record = encodeFeatures(await pool.run<Features>(request, { transfer: [grey.buffer], signal: context.signal }));
      context.store.put(key, record);
      features[index] = decodeFeatures(record);
    }
    context.onProgress?.({ stage: 'finding features', done: ++done, total: photos.length });
  });
  return features;
}

async function matchAll(photos: readonly Photo[], pairs: readonly Pair[], features: readonly Features[], pool: WorkerPool, context: EstimatorContext, rejected: Rejection[]): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  let done = 0;
  await inParallel(pairs, pool.size + 1, async (pair, index) => {
    context.signal?.throwIfAborted();
    const key = `geometric/matches/2/${FEATURE_SIDE}/${photos[pair.a]!.id}/${photos[pair.b]!.id}`;
    const kept = context.store.get(key);
    let matches: Uint32Array;
    if (kept) matches = decodeMatches(kept);
    else {
      matches = await pool.run<Uint32Array>({ kind: 'match', a: features[pair.a]!, b: features[pair.b]! } satisfies Request, { signal: context.signal });
      context.store.put(key, encodeMatches(matches));
    }
    candidates[index] = { pair, matches };
    context.onProgress?.({ stage: 'matching', done: ++done, total: pairs.length });
  });
  return candidates.filter(({ pair, matches }) => {
    if (matches.length / 2 >= LEAST_MATCHES) return true;
    rejected.push({ pair, reason: 'no-overlap', detail: `${matches.length / 2} matches, at least ${LEAST_MATCHES} are needed` });
    return false;
  });
}

/** Focals of lenses about which nothing is known, by consensus over their richest pairs. */
async function calibrate(lenses: Lens[], lensOf: readonly number[], candidates: readonly Candidate[], place: (c: Candidate) => { a: Float64Array; b: Float64Array }, pool: WorkerPool, context: EstimatorContext): Promise<void> {
  for (let lens = 0; lens < lenses.length; lens++) {
    if (lenses[lens]!.focal > 0) continue;
    const own = candidates
      .filter(({ pair }) => lensOf[pair.a] === lens && lensOf[pair.b] === lens)
      .sort((p, q) => q.matches.length - p.matches.length);
    // The very richest pairs are nearly identical photos, which say little about the focal: skip a fifth.
    const skip = own.length > 10 ? Math.floor(own.length / 5) : 0;
    const chosen = own.slice(skip, skip + CALIBRATION_PAIRS);
    const scores: number[][] = [];
    let done = 0;
    await Promise.all(chosen.map(async (candidate, k) => {
      const answer = await pool.run<PoseAnswer>(
        { kind: 'pose', ...place(candidate), focals: FOCAL_GRID.map((f) => [f, f]), threshold: THRESHOLD, hypotheses: 400, seed: k + 1 } satisfies Request,
        { signal: context.signal },
      );
      if (answer.some((result) => result && result.parallax > 1.5 && result.rotationShare < 0.5)) scores.push(answer.map((result) => result?.score ?? 0));
      context.onProgress?.({ stage: 'calibrating', done: ++done, total: chosen.length });
    }));
    const { focal, prominence } = scores.length ? peakFocal(scores) : { focal: DEFAULT_FOCAL, prominence: 0 };
    lenses[lens]!.focal = focal;
    lenses[lens]!.prior = { focal, sigma: prominence > 0.03 ? 0.25 : 0.1 };
  }
}

async function poseAll(candidates: Candidate[], place: (c: Candidate) => { a: Float64Array; b: Float64Array }, lensOf: readonly number[], lenses: readonly Lens[], pool: WorkerPool, context: EstimatorContext): Promise<void> {
  let done = 0;
  await Promise.all(candidates.map(async (candidate, k) => {
    const focal = (photo: number) => lenses[lensOf[photo]!]!.focal;
    const [result] = await pool.run<PoseAnswer>(
      { kind: 'pose', ...place(candidate), focals: [[focal(candidate.pair.a), focal(candidate.pair.b)]], threshold: THRESHOLD * 1.5, hypotheses: HYPOTHESES, seed: k + 1 } satisfies Request,
      { signal: context.signal },
    );
    candidate.result = result;
    context.onProgress?.({ stage: 'relating pairs', done: ++done, total: candidates.length });
  }));
}

/** Pairs that hold, after the tests on the pair alone and against the others. */
function verify(count: number, candidates: readonly Candidate[], rejected: Rejection[]): VerifiedPair[] {
  const plausible: VerifiedPair[] = [];
  for (const { pair, matches, result } of candidates) {
    if (!result || result.inlierCount < LEAST_INLIERS || result.inlierCount < 0.15 * (matches.length / 2)) {
      rejected.push({ pair, reason: 'no-overlap', detail: `${result?.inlierCount ?? 0} of ${matches.length / 2} matches agree with one geometry` });
      continue;
    }
    const { rotation, translation, inlierCount, parallax, rotationShare } = result;
    plausible.push({ a: pair.a, b: pair.b, rotation, translation, inlierCount, parallax, rotationShare });
  }
  const disagreement = rotationDisagreement(count, plausible.map(({ a, b, rotation, inlierCount }) => ({ a, b, rotation, weight: inlierCount })));
  return plausible.filter(({ a, b }, k) => {
    if (isConsistent(disagreement[k]!)) return true;
    rejected.push({ pair: { a, b }, reason: 'inconsistent', detail: `its rotation is ${disagreement[k]!.toFixed(0)} degrees off what the other pairs say` });
    return false;
  });
}

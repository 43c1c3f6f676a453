import type { SparseLook } from '../geometry/sparse-model.js';
import type { PhotoReader, Rejection, StageContext } from '../geometry/stage.js';
import { sightId } from '../geometry/photo.js';
import type { Pair, Photo } from '../geometry/types.js';
import type { Executor } from '../compute/execution.js';
import type { FeatureFinder } from '../../native-models/matching/aliked.js';
import type { FeatureMatcher, MatchedFeatures } from '../../native-models/matching/lightglue.js';
import type { Features } from '../features/features.js';
import type { EpipolarFit } from './epipolar.js';
import {
  decodeFeatures,
  decodeFit,
  decodeLearned,
  decodeMatches,
  encodeFeatures,
  encodeFit,
  encodeLearned,
  encodeMatches,
} from './records.js';
import type { RetrievalContext } from './rounds.js';
import type { TwoViewResult } from './two-view.js';
import type { Picture, Request, UnreadPicture } from './worker.js';

/** Long side of the picture that features are found on. */
export const FEATURE_SIDE = 1600;
/**
 * A smaller picture is doubled first (Lowe 2004, section 3.3): on photos of 640 px that finds three times the features.
 * The contrast is low so that dark and hazy photos have features too; of well lit ones the strongest fill the number.
 */
export const FEATURE_OPTIONS = { maximum: 4000, contrast: 0.012, doubledSide: 1200 };
const LEAST_MATCHES = 12;
/** Largest distance of a match from its epipolar line before the lenses are known, pixels of that picture. */
const FIT_LIMIT = 4;
const FIT_HYPOTHESES = 2000;
/** Pairs whose agreement chance explains better than this are not believed (evidence.ts). */
const LEAST_EVIDENCE = 4;

/** What the sparse stage is given. */
export interface SparseContext extends StageContext {
  /** A learned matcher; the built-in one without. */
  matcher?: FeatureMatcher | undefined;
  /** Further pairs are looked for; without, those given are all. */
  retrieval?: RetrievalContext | undefined;
  /** Told while cameras are being placed, whenever there are more of them than were told before. */
  onLook?: ((look: SparseLook) => void) | undefined;
}

/** A pair and the features that seem to show the same things: [n, 2] indices. */
export interface Candidate {
  pair: Pair;
  matches: Uint32Array;
  /** What they have in common before anything is known of the lenses. */
  fit?: EpipolarFit | undefined;
  result?: TwoViewResult | undefined;
}

/** Runs jobs with a bounded number under way, so that pictures don't pile up in memory. */
async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(width, items.length) }, async () => {
      while (next < items.length) {
        const index = next++;
        await work(items[index]!, index);
      }
    }),
  );
}

/** What the built-in features of a photo are kept under. */
export const featuresKey = (photo: Photo): string => `geometric/features/5/${FEATURE_SIDE}/${sightId(photo)}`;

/** What the matches of two photos are kept under. */
export const matchesKey = (a: Photo, b: Photo): string =>
  `geometric/matches/6/${FEATURE_SIDE}/${sightId(a)}/${sightId(b)}`;

/** Features of every photo, kept per photo. */
export async function findAll(
  photos: readonly Photo[],
  reader: PhotoReader,
  pool: Executor,
  context: SparseContext,
): Promise<Features[]> {
  const finder = context.matcher?.finder;
  if (finder) return findLearned(photos, reader, finder, context);
  const features: Features[] = [];
  let done = 0;
  await inParallel(photos, pool.size + 1, async (photo, index) => {
    context.signal?.throwIfAborted();
    const key = featuresKey(photo);
    const kept = decodeFeatures(context.store.get(key));
    if (kept) features[index] = kept;
    else {
      const request = {
        kind: 'features',
        options: FEATURE_OPTIONS,
        ...(await pictureOf(photo, reader, pool)),
      } as const;
      const record = encodeFeatures(await pool.run<Features>(request, { signal: context.signal, pass: context.pass }));
      context.store.put(key, record);
      features[index] = decodeFeatures(record)!;
    }
    context.onProgress?.({ stage: 'finding features', done: ++done, total: photos.length });
  });
  return features;
}

/** The pixels that features are found on; only the photo where whoever finds them reads it. */
async function pictureOf(photo: Photo, reader: PhotoReader, pool: Executor): Promise<Picture | UnreadPicture> {
  const size = { longSide: FEATURE_SIDE };
  if (pool.readsPhotos) return { photo, size };
  const { pixels, width, height, keep } = await reader.read(photo, size);
  return { pixels, width, height, keep };
}

/** Features by a network, one photo after another: it uses all cores for one. */
async function findLearned(
  photos: readonly Photo[],
  reader: PhotoReader,
  finder: FeatureFinder,
  context: SparseContext,
): Promise<Features[]> {
  const features: Features[] = [];
  for (const photo of photos) {
    context.signal?.throwIfAborted();
    const key = `geometric/features/learned/${finder.id}/${FEATURE_SIDE}/${sightId(photo)}`;
    let kept = decodeLearned(context.store.get(key));
    if (!kept) {
      await context.pass?.();
      const record = encodeLearned(await finder.find(await reader.read(photo, { longSide: FEATURE_SIDE })));
      context.store.put(key, record);
      kept = decodeLearned(record)!;
    }
    features.push(kept);
    context.onProgress?.({ stage: 'finding features', done: features.length, total: photos.length });
  }
  return features;
}

/** Matches of every pair, kept per pair; pairs with too few are rejected. */
export async function matchAll(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  features: readonly Features[],
  pool: Executor,
  context: SparseContext,
  rejected: Rejection[],
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  let done = 0;
  const { matcher } = context;
  const picture = (photo: number): MatchedFeatures => {
    const { width, height } = photos[photo]!;
    const ratio = Math.min(1, FEATURE_SIDE / Math.max(width, height));
    return { ...features[photo]!, width: Math.round(width * ratio), height: Math.round(height * ratio) };
  };
  // A network uses all cores for one pair.
  await inParallel(pairs, matcher ? 1 : pool.size + 1, async (pair, index) => {
    context.signal?.throwIfAborted();
    const key = matchesKey(photos[pair.a]!, photos[pair.b]!);
    let matches = decodeMatches(context.store.get(key), [features[pair.a]!.count, features[pair.b]!.count]);
    if (!matches) {
      if (matcher) await context.pass?.();
      matches = matcher
        ? await matcher.match(picture(pair.a), picture(pair.b))
        : await pool.run<Uint32Array>({ kind: 'match', a: features[pair.a]!, b: features[pair.b]! } satisfies Request, {
            signal: context.signal,
            pass: context.pass,
          });
      context.store.put(key, encodeMatches(matches));
    }
    candidates[index] = { pair, matches };
    context.onProgress?.({ stage: 'matching', done: ++done, total: pairs.length });
  });
  return candidates.filter(({ pair, matches }) => {
    if (matches.length / 2 >= LEAST_MATCHES) return true;
    rejected.push({
      pair,
      reason: 'no-overlap',
      detail: `${matches.length / 2} matches, at least ${LEAST_MATCHES} are needed`,
    });
    return false;
  });
}

/** Where features lie in their photos: long sides relative to the photo's centre. */
export function positionsIn(
  photos: readonly Photo[],
  features: readonly Features[],
): (photo: number, feature: number) => [number, number] {
  return (photo, feature) => {
    const { width, height } = photos[photo]!;
    const long = Math.max(width, height);
    const ratio = Math.min(1, FEATURE_SIDE / long);
    // Resizing maps pixel centres p to (p + 0.5) w / width - 0.5, each axis with its own rounded side
    // (photos/reader.ts); the photo's centre is at (side - 1) / 2.
    const { keypoints } = features[photo]!;
    return [
      ((keypoints[4 * feature]! + 0.5) / Math.round(width * ratio) - 0.5) * (width / long),
      ((keypoints[4 * feature + 1]! + 0.5) / Math.round(height * ratio) - 0.5) * (height / long),
    ];
  };
}

/** Epipolar geometry of every pair, kept per pair; pairs without one are rejected. */
export async function fitAll(
  photos: readonly Photo[],
  candidates: readonly Candidate[],
  position: (photo: number, feature: number) => [number, number],
  pool: Executor,
  context: StageContext,
  rejected: Rejection[],
): Promise<Candidate[]> {
  let done = 0;
  const fitted: Candidate[] = [];
  await inParallel(candidates, pool.size + 1, async (candidate, index) => {
    context.signal?.throwIfAborted();
    const { pair, matches } = candidate;
    const [a, b] = [photos[pair.a]!, photos[pair.b]!];
    const key = `geometric/fit/3/${FEATURE_SIDE}/${sightId(a)}/${sightId(b)}`;
    let kept = decodeFit(context.store.get(key), matches.length / 2);
    if (!kept) {
      const x1 = new Float64Array(matches.length);
      const x2 = new Float64Array(matches.length);
      for (let k = 0; k < matches.length; k += 2) {
        x1.set(position(pair.a, matches[k]!), k);
        x2.set(position(pair.b, matches[k + 1]!), k);
      }
      const limit = FIT_LIMIT / Math.min(FEATURE_SIDE, Math.max(a.width, a.height, b.width, b.height, 1000));
      const request: Request = {
        kind: 'fit',
        x1,
        x2,
        options: { limit, hypotheses: FIT_HYPOTHESES, seed: index + 1 },
      };
      kept = { fit: await pool.run<EpipolarFit | undefined>(request, { signal: context.signal, pass: context.pass }) };
      context.store.put(key, encodeFit(kept.fit));
    }
    fitted[index] = { ...candidate, fit: kept.fit };
    context.onProgress?.({ stage: 'comparing photos', done: ++done, total: candidates.length });
  });
  return fitted.filter(({ pair, matches, fit }) => {
    if (fit && fit.evidence >= LEAST_EVIDENCE) return true;
    rejected.push({
      pair,
      reason: 'no-overlap',
      detail: `only ${fit?.inlierCount ?? 0} of ${matches.length / 2} matches agree with one geometry`,
    });
    return false;
  });
}

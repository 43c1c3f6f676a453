import type { PhotoReader, Rejection, StageContext } from '../geometry/stage.js';
import { sightId } from '../geometry/photo.js';
import type { Pair, Photo } from '../geometry/types.js';
import type { WorkerPool } from '../compute/pool.js';
import type { Features } from '../features/features.js';
import { decodeFeatures, decodeMatches, encodeFeatures, encodeMatches } from './records.js';
import type { TwoViewResult } from './two-view.js';
import type { Request } from './worker.js';

/** Long side of the picture that features are found on: Lowe's doubling of a smaller one costs more and finds less. */
export const FEATURE_SIDE = 1600;
const FEATURES = { maximum: 4000, contrast: 0.025 };
const LEAST_MATCHES = 24;

/** A pair and the features that seem to show the same things: [n, 2] indices. */
export interface Candidate {
  pair: Pair;
  matches: Uint32Array;
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

/** Features of every photo, kept per photo. */
export async function findAll(
  photos: readonly Photo[],
  reader: PhotoReader,
  pool: WorkerPool,
  context: StageContext,
): Promise<Features[]> {
  const features: Features[] = [];
  let done = 0;
  await inParallel(photos, pool.size + 1, async (photo, index) => {
    context.signal?.throwIfAborted();
    const key = `geometric/features/3/${FEATURE_SIDE}/${sightId(photo)}`;
    const kept = decodeFeatures(context.store.get(key));
    if (kept) features[index] = kept;
    else {
      const { pixels, width, height, keep } = await reader.read(photo, { longSide: FEATURE_SIDE });
      const request: Request = { kind: 'features', pixels, width, height, options: FEATURES, keep };
      const record = encodeFeatures(await pool.run<Features>(request, { signal: context.signal, pass: context.pass }));
      context.store.put(key, record);
      features[index] = decodeFeatures(record)!;
    }
    context.onProgress?.({ stage: 'finding features', done: ++done, total: photos.length });
  });
  return features;
}

/** Matches of every pair, kept per pair; pairs with too few are rejected. */
export async function matchAll(
  photos: readonly Photo[],
  pairs: readonly Pair[],
  features: readonly Features[],
  pool: WorkerPool,
  context: StageContext,
  rejected: Rejection[],
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  let done = 0;
  await inParallel(pairs, pool.size + 1, async (pair, index) => {
    context.signal?.throwIfAborted();
    const key = `geometric/matches/3/${FEATURE_SIDE}/${sightId(photos[pair.a]!)}/${sightId(photos[pair.b]!)}`;
    let matches = decodeMatches(context.store.get(key), [features[pair.a]!.count, features[pair.b]!.count]);
    if (!matches) {
      matches = await pool.run<Uint32Array>(
        { kind: 'match', a: features[pair.a]!, b: features[pair.b]! } satisfies Request,
        { signal: context.signal, pass: context.pass },
      );
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

import { threadExecution } from '../compute/execution.js';
import type { PhotoReader, StageContext } from '../geometry/stage.js';
import type { Pair, Photo } from '../geometry/types.js';
import { findAll, matchAll, positionsIn } from './correspondence.js';
import { flatMotion, type FlatMotion } from './flat-motion.js';
import { sparseWorker } from './worker-address.js';

/** Two photos that show a background which moves as one flat picture, and hardly. */
export interface StillPair extends Pair {
  /** From the first photo to the second, long sides relative to the centres. */
  motion: FlatMotion;
  matches: number;
}

/** Each photo is compared with so many others, spread over the set. */
const PARTNERS = 8;
/** Share of a pair's matches that must move as one. */
const LEAST_SHARE = 0.35;

/**
 * Pairs of photos whose background stands still, as when an object turns before a camera on a tripod: most of what they
 * have in common moves as one flat picture, though the photos may be crops of others.
 *
 * @throws the signal's reason
 */
export async function stillPairs(
  photos: readonly Photo[],
  reader: PhotoReader,
  context: StageContext,
  threads?: number,
): Promise<StillPair[]> {
  const pool = (context.execution ?? threadExecution).open('sparse', sparseWorker, threads);
  try {
    const features = await findAll(photos, reader, pool, context);
    const position = positionsIn(photos, features);
    const candidates = await matchAll(photos, spreadPairs(photos.length), features, pool, context, []);
    return candidates.flatMap(({ pair, matches }): StillPair[] => {
      const [from, to] = [new Float64Array(matches.length), new Float64Array(matches.length)];
      for (let k = 0; k < matches.length; k += 2) {
        from.set(position(pair.a, matches[k]!), k);
        to.set(position(pair.b, matches[k + 1]!), k);
      }
      const motion = flatMotion(from, to);
      const count = matches.length / 2;
      return motion && motion.inliers.length > LEAST_SHARE * count ? [{ ...pair, motion, matches: count }] : [];
    });
  } finally {
    await pool.close();
  }
}

/** Every photo with PARTNERS others at growing distances along the set, as a ring. */
export function spreadPairs(count: number): Pair[] {
  const distances = new Set<number>();
  const most = Math.floor(count / 2);
  for (let k = 1; k <= PARTNERS / 2; k++) distances.add(Math.max(1, Math.round((k * most) / (PARTNERS / 2))));
  const pairs = new Map<string, Pair>();
  for (let i = 0; i < count; i++)
    for (const distance of count <= PARTNERS + 1 ? Array.from({ length: most }, (_, k) => k + 1) : distances) {
      const [a, b] = [i, (i + distance) % count].sort((p, q) => p - q) as [number, number];
      if (a !== b) pairs.set(`${a}-${b}`, { a, b });
    }
  return [...pairs.values()];
}

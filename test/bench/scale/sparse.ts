import { createHash } from 'node:crypto';
import { randomNumbers } from '../../../electron/numerics/linear.js';
import { WorkerPool } from '../../../electron/compute/pool.js';
import { registerPoints } from '../../../electron/geometry/similarity.js';
import type { Photo } from '../../../electron/geometry/types.js';
import type { PlacedCamera } from '../../../electron/sparse/bundle.js';
import { FEATURE_SIDE, featuresKey, matchesKey } from '../../../electron/sparse/correspondence.js';
import { encodeFeatures, encodeMatches } from '../../../electron/sparse/records.js';
import { surveySet, type Survey } from '../../../electron/sparse/survey.js';
import type { PairMatches } from '../../../electron/sparse/tracks.js';
import { memoryStore } from '../../sparse/synthetic.js';
import {
  centreOf,
  overlaps,
  simulateFeatures,
  type LargeSet,
  type SimulationOptions,
} from '../../fixtures/large-set.js';

/** Features, pairs and raw matches of a set, as both programs get them. */
export interface Sparse {
  set: LargeSet;
  photos: Photo[];
  features: number[];
  position(photo: number, feature: number): [number, number];
  matches: PairMatches[];
  width: number;
  height: number;
  /** What EXIF would say, over the long side. */
  focal: number;
}

export interface MatchOptions extends Partial<SimulationOptions> {
  /** Pairs of each photo: with those that it shares most with. */
  partners: number;
  /** Of the features that both photos have, so many match. */
  found: number;
  /** Share of the matches that are of two different things. */
  wrong: number;
}

export const MATCH_DEFAULTS: MatchOptions = { partners: 10, found: 0.8, wrong: 0.12 };

export function simulate(set: LargeSet, options: Partial<MatchOptions> = {}): Sparse {
  const { partners, found, wrong, ...rest } = { ...MATCH_DEFAULTS, ...options };
  const { pointOf, at } = simulateFeatures(set, rest);
  const random = randomNumbers(7);
  const featureOf = pointOf.map((list) => new Map(Array.from(list, (point, feature) => [point, feature])));
  const keys = new Set<number>();
  overlaps(set, 0.15).forEach((list, a) => {
    for (const { photo } of list.slice(0, partners))
      keys.add(Math.min(a, photo) * set.cameras.length + Math.max(a, photo));
  });
  const matches = [...keys]
    .sort((p, q) => p - q)
    .map((key) => {
      const [a, b] = [Math.floor(key / set.cameras.length), key % set.cameras.length];
      const list: number[] = [];
      pointOf[a]!.forEach((point, feature) => {
        const other = featureOf[b]!.get(point);
        if (random() < wrong * found * 0.7) list.push(feature, Math.floor(random() * pointOf[b]!.length));
        else if (other !== undefined && random() < found) list.push(feature, other);
      });
      return { a, b, matches: Uint32Array.from(list) };
    });
  const focal = set.lens.focal * 1.02;
  return {
    set,
    photos: set.cameras.map((_, k) => ({
      id: createHash('sha256').update(`${set.name} ${k}`).digest('hex'),
      path: `/simulated/${k}.jpg`,
      name: `${String(k).padStart(5, '0')}.jpg`,
      width: set.width,
      height: set.height,
      size: 1,
      sharpness: 1,
      focal: { pixels: focal * set.width, source: 'exif-35mm' },
    })),
    features: pointOf.map((list) => list.length),
    position: (photo, feature) => [at[photo]![2 * feature]!, at[photo]![2 * feature + 1]!],
    matches,
    width: set.width,
    height: set.height,
    focal,
  };
}

export interface OurRun {
  survey: Survey;
  /** Of all threads, per step. */
  seconds: Record<string, number>;
  total: number;
}

/** The sparse stage from raw matches on: geometry of pairs, structure. */
export async function runOurs({ photos, features, position, matches, width, height }: Sparse): Promise<OurRun> {
  const store = memoryStore();
  const ratio = Math.min(1, FEATURE_SIDE / Math.max(width, height));
  photos.forEach((photo, k) => {
    const keypoints = new Float32Array(4 * features[k]!);
    for (let feature = 0; feature < features[k]!; feature++) {
      const [x, y] = position(k, feature);
      keypoints.set([ratio * (x * width + width / 2) - 0.5, ratio * (y * width + height / 2) - 0.5, 2, 0], 4 * feature);
    }
    const descriptors = new Uint8Array(128 * features[k]!);
    store.put(featuresKey(photo), encodeFeatures({ count: features[k]!, keypoints, descriptors }));
  });
  for (const { a, b, matches: list } of matches) store.put(matchesKey(photos[a]!, photos[b]!), encodeMatches(list));
  const pool = new WorkerPool(new URL('../../../electron/sparse/worker.ts', import.meta.url), 2);
  // Threads compile the sources when they start, which a package does not.
  const nothing = new Float64Array(40);
  const options = { limit: 1, hypotheses: 1, seed: 1 };
  await Promise.all([0, 1].map(() => pool.run({ kind: 'fit', x1: nothing, x2: nothing, options })));
  const seconds: Record<string, number> = {};
  const before = process.cpuUsage();
  let last = 0;
  const spent = (): number => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  const survey = await surveySet(
    photos,
    matches.map(({ a, b }) => ({ a, b })),
    { read: () => Promise.reject(new Error('there are no pictures')) },
    pool,
    {
      store,
      onProgress: ({ stage }) => {
        seconds[stage] = (seconds[stage] ?? 0) + spent() - last;
        last = spent();
      },
    },
  );
  seconds.rest = spent() - last;
  await pool.close();
  return { survey, seconds, total: spent() };
}

/** How far the camera centres are from the truth after the best similarity, of the extent. */
export function rmse(set: LargeSet, cameras: ReadonlyMap<number, Pick<PlacedCamera, 'rotation' | 'translation'>>) {
  const placed = [...cameras];
  const found = Float64Array.from(placed.flatMap(([, camera]) => centreOf(camera)));
  const truth = Float64Array.from(placed.flatMap(([photo]) => centreOf(set.cameras[photo]!)));
  const fit = registerPoints(found, truth, new Float64Array(placed.length).fill(1), 1);
  if (!fit) return NaN;
  return Math.sqrt(fit.residuals.reduce((sum, r) => sum + r * r, 0) / placed.length) / set.extent;
}

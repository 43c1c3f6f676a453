import type { PairInfo } from '../../electron/contract/api.js';
import type { Place } from './layout.js';
import { pairLook, type PairLook } from './strength.js';

/** Photos whose dots would cover each other, drawn as one; a photo alone is a cluster of one. */
export interface Cluster extends Place {
  photos: string[];
  /** Of the dot, pixels. */
  radius: number;
}

/** All pairs between two clusters, drawn as one line in the colour of the worst that are used. */
export interface Bundle {
  a: number;
  b: number;
  tone: PairLook['tone'];
  pairs: PairInfo[];
}

export interface Clustered {
  clusters: Cluster[];
  bundles: Bundle[];
  /** Pairs that both photos of lie in one cluster. */
  inside: number;
}

const DOT_RADIUS = 4;
/** Dots whose centres are nearer than this are drawn as one, pixels. */
const APART = 14;
const MOST_RADIUS = 18;

/** Grows with the number of photos, as an area does. */
const radiusOf = (count: number): number => Math.min(MOST_RADIUS, DOT_RADIUS * Math.sqrt(count));

const tones = ['none', 'good', 'fair', 'bad'] as const;

/**
 * What is drawn of a large graph at one zoom: photos gathered where their dots would cover each other, pairs gathered
 * between them.
 *
 * @param places pixels at zoom 1; the result's are pixels at this zoom
 */
export function clusterGraph(
  ids: readonly string[],
  used: readonly PairInfo[],
  places: ReadonlyMap<string, Place>,
  zoom: number,
): Clustered {
  const clusters: Cluster[] = [];
  const clusterOf = new Map<string, number>();
  const cells = new Map<string, number[]>();
  const cell = (value: number): number => Math.floor(value / APART);
  for (const id of ids) {
    const place = places.get(id);
    if (!place) continue;
    const [x, y] = [place.x * zoom, place.y * zoom];
    let nearest: number | undefined;
    let least = APART;
    for (let i = cell(x) - 1; i <= cell(x) + 1; i++)
      for (let j = cell(y) - 1; j <= cell(y) + 1; j++)
        for (const k of cells.get(`${i} ${j}`) ?? []) {
          const distance = Math.hypot(clusters[k]!.x - x, clusters[k]!.y - y);
          if (distance < least) [nearest, least] = [k, distance];
        }
    if (nearest === undefined) {
      nearest = clusters.push({ x, y, photos: [], radius: DOT_RADIUS }) - 1;
      const key = `${cell(x)} ${cell(y)}`;
      cells.set(key, [...(cells.get(key) ?? []), nearest]);
    }
    clusters[nearest]!.photos.push(id);
    clusterOf.set(id, nearest);
  }
  for (const cluster of clusters) cluster.radius = radiusOf(cluster.photos.length);
  return { clusters, ...bundlesOf(used, clusterOf, clusters.length) };
}

function bundlesOf(
  used: readonly PairInfo[],
  clusterOf: ReadonlyMap<string, number>,
  count: number,
): Pick<Clustered, 'bundles' | 'inside'> {
  const bundles = new Map<number, Bundle>();
  let inside = 0;
  for (const pair of used) {
    const [p, q] = [clusterOf.get(pair.a), clusterOf.get(pair.b)];
    if (p === undefined || q === undefined) continue;
    if (p === q) {
      inside++;
      continue;
    }
    const [a, b] = [Math.min(p, q), Math.max(p, q)];
    const { tone } = pairLook(pair);
    const bundle = bundles.get(a * count + b);
    if (!bundle) bundles.set(a * count + b, { a, b, tone, pairs: [pair] });
    else {
      bundle.pairs.push(pair);
      if (tones.indexOf(tone) > tones.indexOf(bundle.tone)) bundle.tone = tone;
    }
  }
  return { bundles: [...bundles.values()], inside };
}

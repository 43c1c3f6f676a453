import { UnionFind } from '../numerics/union-find.js';
import type { Piece } from './structure.js';

/** Photos that are tied to the rest of their piece by one photo alone. */
export interface Hinge {
  by: number;
  /** The smaller part, at least two photos. */
  part: number[];
}

/** Two photos are tied by so many points that both see. */
const LEAST_COMMON = 8;

/**
 * The photo without which a piece falls into two parts of at least two photos each, the most even one. What the parts have
 * in common is seen by that photo only: how large one is beside the other follows from a few of its points.
 *
 * @returns undefined where every two photos are tied by more than one way
 */
export function hingeOf({ cameras, points }: Piece): Hinge | undefined {
  const photos = [...cameras.keys()];
  if (photos.length < 5) return undefined;
  const ties = tiesOf(points);
  let best: Hinge | undefined;
  for (const by of photos) {
    const parts = partsWithout(by, photos, ties);
    // The rest is the largest part; each other one hangs by the photo.
    for (const part of parts.slice(1))
      if (part.length > 1 && part.length > (best?.part.length ?? 0)) best = { by, part };
  }
  return best;
}

function tiesOf(points: Piece['points']): [number, number][] {
  const most = points.reduce((highest, { photos }) => photos.reduce((k, photo) => Math.max(k, photo), highest), 0);
  // One number for two photos: keys of text took most of the time for hundreds of photos.
  const common = new Map<number, number>();
  for (const { photos } of points)
    for (const a of photos)
      for (const b of photos) {
        if (a >= b) continue;
        const key = a * (most + 1) + b;
        common.set(key, (common.get(key) ?? 0) + 1);
      }
  return [...common].flatMap(([key, count]) =>
    count < LEAST_COMMON ? [] : [[Math.floor(key / (most + 1)), key % (most + 1)] as [number, number]],
  );
}

/** The largest first. */
function partsWithout(by: number, photos: readonly number[], ties: readonly [number, number][]): number[][] {
  const index = new Map(photos.map((photo, k) => [photo, k]));
  const sets = new UnionFind(photos.length);
  for (const [a, b] of ties) if (a !== by && b !== by) sets.join(index.get(a)!, index.get(b)!);
  const parts = new Map<number, number[]>();
  for (const photo of photos) {
    if (photo === by) continue;
    const root = sets.root(index.get(photo)!);
    parts.set(root, [...(parts.get(root) ?? []), photo]);
  }
  return [...parts.values()].sort((p, q) => q.length - p.length);
}

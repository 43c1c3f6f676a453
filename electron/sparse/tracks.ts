import { UnionFind } from '../numerics/union-find.js';

/** Inlier matches of one pair: [n, 2] feature indices. */
export interface PairMatches {
  a: number;
  b: number;
  matches: Uint32Array;
}

/** One scene point as seen by several photos. */
export interface Track {
  photos: number[];
  features: number[];
}

/**
 * Joins matches into tracks. A match that would put two features of one photo into one track is wrong, or joins what a
 * wrong one led to: it is refused, and the tracks on both sides stay. Matches of the strongest pairs come first. With the
 * whole track left out instead, one wrong pair took the right tracks of repeating wallpaper with it. A track may be of any
 * length: what a camera that goes round an object looks at is seen by hundreds of photos.
 */
export function buildTracks(featureCounts: readonly number[], pairs: readonly PairMatches[]): Track[] {
  const offsets = [0];
  for (const count of featureCounts) offsets.push(offsets[offsets.length - 1]! + count);
  const photoOf = new Int32Array(offsets[offsets.length - 1]!);
  featureCounts.forEach((_, photo) => photoOf.fill(photo, offsets[photo], offsets[photo + 1]));
  const joined = new UnionFind(photoOf.length);
  /** Features of the sets of more than one, in order, by their roots. */
  const sets = new Map<number, number[]>();
  const strongest = [...pairs].sort((p, q) => q.matches.length - p.matches.length);
  for (const { a, b, matches } of strongest) {
    for (let k = 0; k < matches.length; k += 2) {
      const [p, q] = [joined.root(offsets[a]! + matches[k]!), joined.root(offsets[b]! + matches[k + 1]!)];
      if (p === q) continue;
      const [own, other] = [sets.get(p) ?? [p], sets.get(q) ?? [q]];
      const both = united(own, other, photoOf);
      if (!both) continue;
      const [root, leaf] = own.length < other.length ? [q, p] : [p, q];
      joined.join(leaf, root);
      sets.set(root, both);
      sets.delete(leaf);
    }
  }
  return [...sets.values()].map((members) => {
    const photos = members.map((k) => photoOf[k]!);
    return { photos, features: members.map((k, i) => k - offsets[photos[i]!]!) };
  });
}

/** Features of both, in order; undefined where they share a photo. Features of one photo have numbers that follow each other. */
function united(own: readonly number[], other: readonly number[], photoOf: Int32Array): number[] | undefined {
  const both: number[] = [];
  let [i, j] = [0, 0];
  while (i < own.length && j < other.length) {
    const [p, q] = [own[i]!, other[j]!];
    if (photoOf[p] === photoOf[q]) return undefined;
    if (p < q) i++;
    else j++;
    both.push(Math.min(p, q));
  }
  for (; i < own.length; i++) both.push(own[i]!);
  for (; j < other.length; j++) both.push(other[j]!);
  return both;
}

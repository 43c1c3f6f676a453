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

/** A longer track is a pattern that repeats. */
const LONGEST = 60;

/**
 * Joins matches into tracks. A match that would put two features of one photo into one track is wrong, or joins what a
 * wrong one led to: it is refused, and the tracks on both sides stay. Matches of the strongest pairs come first. With the
 * whole track left out instead, one wrong pair took the right tracks of repeating wallpaper with it.
 */
export function buildTracks(featureCounts: readonly number[], pairs: readonly PairMatches[]): Track[] {
  const offsets = [0];
  for (const count of featureCounts) offsets.push(offsets[offsets.length - 1]! + count);
  const photoOf = new Int32Array(offsets[offsets.length - 1]!);
  featureCounts.forEach((_, photo) => photoOf.fill(photo, offsets[photo], offsets[photo + 1]));
  const parent = Int32Array.from(photoOf, (_, k) => k);
  const find = (k: number): number => {
    while (parent[k] !== k) k = parent[k] = parent[parent[k]!]!;
    return k;
  };
  /** Features of the sets of more than one, by their roots. */
  const sets = new Map<number, number[]>();
  const strongest = [...pairs].sort((p, q) => q.matches.length - p.matches.length);
  for (const { a, b, matches } of strongest) {
    for (let k = 0; k < matches.length; k += 2) {
      const [p, q] = [find(offsets[a]! + matches[k]!), find(offsets[b]! + matches[k + 1]!)];
      if (p === q) continue;
      const [own, other] = [sets.get(p) ?? [p], sets.get(q) ?? [q]];
      if (own.length + other.length > LONGEST || sharePhoto(own, other, photoOf)) continue;
      const [large, small, root, leaf] = own.length < other.length ? [other, own, q, p] : [own, other, p, q];
      parent[leaf] = root;
      large.push(...small);
      sets.set(root, large);
      sets.delete(leaf);
    }
  }
  return [...sets.values()].map((members) => {
    const sorted = members.sort((p, q) => p - q);
    const photos = sorted.map((k) => photoOf[k]!);
    return { photos, features: sorted.map((k, i) => k - offsets[photos[i]!]!) };
  });
}

function sharePhoto(own: readonly number[], other: readonly number[], photoOf: Int32Array): boolean {
  for (const p of own) for (const q of other) if (photoOf[p] === photoOf[q]) return true;
  return false;
}

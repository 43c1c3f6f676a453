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

/** Joins matches into tracks; a track that holds two features of one photo is wrong somewhere and is left out. */
export function buildTracks(featureCounts: readonly number[], pairs: readonly PairMatches[]): Track[] {
  const offsets = [0];
  for (const count of featureCounts) offsets.push(offsets[offsets.length - 1]! + count);
  const parent = Int32Array.from({ length: offsets[offsets.length - 1]! }, (_, k) => k);
  // Most features match none: they need no entry.
  const matched = new Uint8Array(parent.length);
  const find = (k: number): number => {
    while (parent[k] !== k) k = parent[k] = parent[parent[k]!]!;
    return k;
  };
  for (const { a, b, matches } of pairs) {
    for (let k = 0; k < matches.length; k += 2) {
      const [p, q] = [offsets[a]! + matches[k]!, offsets[b]! + matches[k + 1]!];
      matched[p] = matched[q] = 1;
      parent[find(p)] = find(q);
    }
  }
  const members = new Map<number, Track>();
  featureCounts.forEach((count, photo) => {
    for (let feature = 0; feature < count; feature++) {
      if (!matched[offsets[photo]! + feature]) continue;
      const root = find(offsets[photo]! + feature);
      const track = members.get(root);
      if (track) {
        track.photos.push(photo);
        track.features.push(feature);
      } else members.set(root, { photos: [photo], features: [feature] });
    }
  });
  return [...members.values()].filter(
    ({ photos }) => photos.length > 1 && photos.length <= 60 && new Set(photos).size === photos.length,
  );
}

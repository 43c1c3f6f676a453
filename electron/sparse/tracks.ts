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
  const find = (k: number): number => {
    while (parent[k] !== k) k = parent[k] = parent[parent[k]!]!;
    return k;
  };
  for (const { a, b, matches } of pairs) {
    for (let k = 0; k < matches.length; k += 2)
      parent[find(offsets[a]! + matches[k]!)] = find(offsets[b]! + matches[k + 1]!);
  }
  const members = new Map<number, Track>();
  featureCounts.forEach((count, photo) => {
    for (let feature = 0; feature < count; feature++) {
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

import { describe, expect, it } from 'vitest';
import { buildTracks } from '../../electron/sparse/tracks.js';

const matches = (...list: [number, number][]) => Uint32Array.from(list.flat());
const described = (tracks: ReturnType<typeof buildTracks>) =>
  tracks.map(({ photos, features }) => photos.map((photo, k) => `${photo}:${features[k]}`).join(' ')).sort();

describe('buildTracks', () => {
  it('joins matches over any number of photos', () => {
    const tracks = buildTracks(
      [2, 2, 2, 2],
      [
        { a: 0, b: 1, matches: matches([0, 1]) },
        { a: 1, b: 2, matches: matches([1, 0]) },
        { a: 2, b: 3, matches: matches([0, 1]) },
        { a: 0, b: 3, matches: matches([1, 0]) },
      ],
    );
    expect(described(tracks)).toEqual(['0:0 1:1 2:0 3:1', '0:1 3:0']);
  });

  it('leaves out the match that puts two features of a photo into one track, not the track', () => {
    const tracks = buildTracks(
      [2, 2, 2],
      [
        // One place taken for the other, by a pair that has little in common.
        { a: 0, b: 2, matches: matches([0, 1]) },
        { a: 0, b: 1, matches: matches([0, 0], [1, 1]) },
        { a: 1, b: 2, matches: matches([0, 0], [1, 1]) },
      ],
    );
    expect(described(tracks)).toEqual(['0:0 1:0 2:0', '0:1 1:1 2:1']);
  });

  it('keeps a track over any number of photos, however its parts come together', () => {
    const photos = 150;
    const even = Array.from({ length: photos - 2 }, (_, k) => ({ a: k, b: k + 2, matches: matches([0, 0]) }));
    const tracks = buildTracks(new Array<number>(photos).fill(1), [...even, { a: 0, b: 1, matches: matches([0, 0]) }]);
    expect(tracks).toHaveLength(1);
    expect(tracks[0]!.photos).toEqual(Array.from({ length: photos }, (_, k) => k));
  });
});

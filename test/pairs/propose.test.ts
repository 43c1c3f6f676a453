import { describe, expect, it } from 'vitest';
import {
  alikePairs,
  furtherPairs,
  joiningPairs,
  knownNeighbours,
  PairSet,
  wellConnected,
} from '../../electron/pairs/propose.js';

const named = (pairs: readonly { a: number; b: number }[]) => pairs.map(({ a, b }) => `${a}-${b}`);
const ranked = (lists: number[][]) => lists.map((list) => list.map((photo, k) => ({ photo, score: 1 / (k + 1) })));

describe('knownNeighbours', () => {
  it('takes the next two in order where nothing else is known', () => {
    expect(named(knownNeighbours([undefined, undefined, undefined, undefined]))).toEqual([
      '0-1',
      '0-2',
      '1-2',
      '1-3',
      '2-3',
    ]);
  });

  it('takes the nearest by position, also those that were taken long after', () => {
    // Two strips flown there and back, 20 m apart: photo k and photo 19 - k are neighbours.
    const positions = Array.from({ length: 20 }, (_, k) => ({
      latitude: 48 + (k < 10 ? k : 19 - k) * 2e-4,
      longitude: 11 + (k < 10 ? 0 : 2.7e-4),
    }));
    const found = new Set(named(knownNeighbours(positions)));
    for (let k = 0; k < 8; k++) expect(found.has(`${k}-${19 - k}`)).toBe(true);
  });

  it('grows with the number of photos, not with its square', () => {
    const grid = (side: number) =>
      Array.from({ length: side * side }, (_, k) => ({
        latitude: 48 + Math.floor(k / side) * 2e-4,
        longitude: 11 + (k % side) * 3e-4,
      }));
    const [small, large] = [knownNeighbours(grid(10)), knownNeighbours(grid(30))];
    expect(large.length / small.length).toBeLessThan(11);
  });
});

describe('alikePairs', () => {
  it('asks for agreement beyond the first candidates', () => {
    const options = { mutual: 3, own: 1, sequence: 0, near: 0, further: 0, unplaced: 0, between: 0 };
    const pairs = named(alikePairs(ranked([[1, 2, 3], [0, 3], [4, 0], [1], [2]]), options));
    // 0 and 2 have each other among three; 0 has 3 but 3 has not 0.
    expect(pairs).toEqual(['0-1', '0-2', '1-3', '2-4']);
  });
});

describe('furtherPairs', () => {
  it('proposes what matches the same photo, and nothing that was tried', () => {
    const bonds = [
      { a: 0, b: 1, inliers: 100 },
      { a: 1, b: 2, inliers: 80 },
      { a: 1, b: 3, inliers: 50 },
    ];
    expect(named(furtherPairs(4, bonds, new PairSet([{ a: 2, b: 3 }])))).toEqual(['0-2', '0-3']);
  });
});

describe('wellConnected', () => {
  it('takes the photos that hold together, not those that have one good partner each', () => {
    const triangle = [
      { a: 3, b: 4, inliers: 100 },
      { a: 4, b: 5, inliers: 100 },
      { a: 3, b: 5, inliers: 100 },
    ];
    const bonds = [...triangle, { a: 0, b: 1, inliers: 150 }, { a: 2, b: 3, inliers: 60 }];
    expect([...wellConnected(bonds, 6, 3)].sort()).toEqual([3, 4, 5]);
    // What matches none of them tells nothing about the rest.
    expect([...wellConnected(bonds, 6, 10)].sort()).toEqual([2, 3, 4, 5]);
  });
});

describe('joiningPairs', () => {
  const similar = ranked([[1, 3, 2], [0, 2], [1, 3], [2, 0], [2]]);

  it('gives unplaced photos more candidates, and each two pieces their best ones', () => {
    const pieceOf = [0, 0, 1, 1, undefined];
    expect(named(joiningPairs(pieceOf, similar, new PairSet([{ a: 0, b: 3 }])))).toEqual(['0-2', '1-2', '2-4']);
  });

  it('has nothing to propose for one piece', () => {
    expect(joiningPairs([0, 0, 0, 0, 0], similar, new PairSet())).toEqual([]);
  });
});

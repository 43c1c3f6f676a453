import { expect, it } from 'vitest';
import { doubts, whyNothing, withReasons } from '../../../electron/engine/doubts.js';
import type { Placement } from '../../../electron/engine/placement.js';
import { emptySparseModel } from '../../../electron/geometry/sparse-model.js';
import type { ProjectPhoto } from '../../../electron/project/project.js';

const photos = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, name: `${id}.jpg` }) as ProjectPhoto);
const group = (...ids: string[]) =>
  ({
    cameras: ids.map((id) => ({ photo: id, name: `${id}.jpg` })),
    views: [],
  }) as unknown as Placement['components'][0];

it('every photo without a place is named with the reason that the sparse stage saw, every group apart by its photos', () => {
  const sparse = emptySparseModel(photos.map(({ id }) => id));
  sparse.warnings = ['mask the background'];
  sparse.cameras[4]!.reason = 'too dark';
  const unplaced = withReasons([{ photo: 'e', reason: 'not tied' }], sparse);
  expect(
    doubts({ components: [group('a', 'b'), group('c', 'd')], unplaced, warnings: ['two groups'] }, sparse, photos),
  ).toEqual([
    'mask the background',
    'two groups',
    'not in the largest group, so not in its scene: c.jpg, d.jpg',
    '1 of 5 photos could not be placed: e.jpg (too dark)',
  ]);
});

it('a whole result without doubts has no warning, with or without a sparse model', () => {
  const whole = { components: [group('a', 'b', 'c', 'd', 'e')], unplaced: [], warnings: [] };
  expect(doubts(whole, undefined, photos)).toEqual([]);
  expect(doubts(whole, emptySparseModel(photos.map(({ id }) => id)), photos)).toEqual([]);
});

it('where nothing was placed, the set has a reason, or else its first photo', () => {
  const sparse = emptySparseModel(photos.map(({ id }) => id));
  expect(whyNothing(sparse, photos)).toBeUndefined();
  sparse.cameras[1]!.reason = 'taken from the same spot as a.jpg';
  expect(whyNothing(sparse, photos)).toBe('b.jpg: taken from the same spot as a.jpg');
  sparse.warnings = ['mask the background'];
  expect(whyNothing(sparse, photos)).toBe('mask the background');
  expect(whyNothing(undefined, photos)).toBeUndefined();
});

import { describe, expect, test } from 'vitest';
import type { SparseModel } from '../../../electron/geometry/sparse-model.js';
import type { Pair } from '../../../electron/geometry/types.js';
import { planPairs } from '../../../electron/pointmaps/geometric/plan.js';

/** Cameras that look along z at a wall 4 before them, at the given places on the x axis; all see all points. */
function sideBySide(places: readonly number[]): SparseModel {
  const points = Array.from({ length: 60 }, (_, k) => [0.02 * (k % 10), 0.1 * Math.floor(k / 10) - 0.3, 4]);
  const sightings = points.flatMap(() => places.map((_, camera) => camera));
  return {
    cameras: places.map((x, k) => ({
      photo: `photo${k}`,
      lens: 0,
      features: new Float32Array(2 * points.length),
      pose: { piece: 0, rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), translation: Float64Array.of(-x, 0, 0) },
    })),
    lenses: [{ key: 'lens', focal: 1, k1: 0, related: 1 }],
    points: {
      positions: Float64Array.from(points.flat()),
      piece: new Uint16Array(points.length),
      offsets: Uint32Array.from({ length: points.length + 1 }, (_, k) => k * places.length),
      trackCamera: Uint32Array.from(sightings),
      trackFeature: Uint32Array.from(sightings, (_, k) => Math.floor(k / places.length)),
      trackAt: new Float32Array(2 * sightings.length),
      error: new Float32Array(points.length),
    },
    pairs: [],
    rejected: [],
    warnings: [],
  };
}

const pairsOf = (count: number): Pair[] =>
  Array.from({ length: count }, (_, a) => a).flatMap((a) =>
    Array.from({ length: count - a - 1 }, (_, k) => ({ a, b: a + 1 + k })),
  );
const observed = (places: readonly number[]) =>
  planPairs(sideBySide(places), pairsOf(places.length))
    .observe.map(({ pair: { a, b } }) => `${a}-${b}`)
    .sort();

describe('pairs for dense depth', () => {
  test('of two photos far apart are taken: there is nothing better', () => {
    // Rays meet at 45 degrees.
    expect(observed([-1.65, 1.65])).toEqual(['0-1']);
  });

  test('that are too wide are left out where photos between them tie them in', () => {
    expect(observed([-1.65, -0.55, 0.55, 1.65])).toEqual(['0-1', '0-2', '1-2', '1-3', '2-3']);
  });

  test('whose rays meet at more than 60 degrees, or hardly at all, are refused with the reason', () => {
    const [wide] = planPairs(sideBySide([-3, 3]), pairsOf(2)).rejected;
    expect(wide).toMatchObject({ reason: 'not-needed', detail: expect.stringContaining('too wide') });
    const [narrow] = planPairs(sideBySide([0, 0.01]), pairsOf(2)).rejected;
    expect(narrow!.reason).toBe('rotation-only');
  });
});

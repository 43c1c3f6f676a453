import { expect, test } from 'vitest';
import { projected } from '../../electron/geometry/rays.js';
import type { SparsePoints } from '../../electron/geometry/sparse-model.js';
import type { Camera } from '../../electron/geometry/types.js';
import { invertRigid } from '../../electron/numerics/linear.js';
import { reprojectionErrors } from '../../electron/scene/reprojection.js';

const camera = (photo: string, x: number): Camera => ({
  photo,
  name: photo,
  width: 800,
  height: 600,
  fx: 700,
  fy: 700,
  cx: 399.5,
  cy: 299.5,
  k1: -0.1,
  focalSource: 'calibrated',
  worldFromCamera: Float64Array.of(1, 0, 0, x, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
});

test('a photo is as far off as its sightings are, in its own pixels; one wrong match says nothing', () => {
  const cameras = [camera('a', 0), camera('b', 1), camera('c', 2)];
  const places = Array.from({ length: 9 }, (_, k) => [(k % 3) - 1, Math.floor(k / 3) - 1, 5 + 0.3 * k] as const);
  // The first exact, the second two pixels beside, the third without any.
  const off = [0, 2];
  const at: number[] = [];
  for (const [k, place] of places.entries())
    for (const view of [0, 1]) {
      const [x, y] = projected(cameras[view]!, invertRigid(cameras[view]!.worldFromCamera), place)!;
      const wrong = k === 4 && view === 0 ? 300 : 0;
      at.push((x + off[view]! + wrong - 399.5) / 800, (y - 299.5) / 800);
    }
  const points: SparsePoints = {
    positions: Float64Array.from(places.flat()),
    piece: new Uint16Array(9),
    offsets: Uint32Array.from({ length: 10 }, (_, k) => 2 * k),
    trackCamera: Uint32Array.from({ length: 18 }, (_, k) => k % 2),
    trackFeature: new Uint32Array(18),
    trackAt: Float32Array.from(at),
    error: new Float32Array(9),
  };
  const errors = reprojectionErrors(cameras, { points });
  expect(errors.get('a')).toBeLessThan(1e-3);
  expect(errors.get('b')).toBeCloseTo(2, 3);
  expect(errors.has('c')).toBe(false);
});

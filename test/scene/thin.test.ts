import { expect, test } from 'vitest';
import { thin } from '../../electron/scene/thin.js';

test('a voxel finer than the points can be told apart keeps them all, one for each place', () => {
  const count = 200_000;
  const positions = new Float32Array(3 * count);
  // Pairs of points in one place.
  for (let k = 0; k < count; k++) positions.set([(k >> 1) * 0.01, Math.sin(k >> 1), 3], 3 * k);
  const cloud = {
    positions,
    colors: new Uint8Array(3 * count),
    confidence: Float32Array.from({ length: count }, (_, k) => 1 + (k & 1)),
    source: new Uint16Array(count),
  };
  const thinned = thin(cloud, 1e-30);
  expect(thinned.confidence.length).toBe(count / 2);
  expect(Math.min(...thinned.confidence.subarray(0, 1000))).toBe(2);
});

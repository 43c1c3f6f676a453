import { expect, test } from 'vitest';
import { colmapModel } from '../../electron/export/colmap.js';
import { presetInput } from '../fixtures/preset-input.js';

test('points of tracks leave a model with the crop box and the deletions, and so do their sightings', async () => {
  const { scene } = await presetInput();
  const all = colmapModel(scene).points;
  const middle = all.map(({ position }) => position[0]).sort((a, b) => a - b)[all.length >> 1]!;
  const sparse = { ...scene.sparse!, keeps: (position: readonly number[]) => position[0]! < middle };
  const model = colmapModel({ ...scene, sparse });
  expect(model.points.length).toBe(all.filter(({ position }) => position[0] < middle).length);
  const seen = model.images.reduce((sum, { sightings }) => sum + sightings.length, 0);
  expect(seen).toBe(model.points.reduce((sum, { track }) => sum + track.length, 0));
});

import { afterAll, describe, expect, test } from 'vitest';
import { WorkerPool } from '../../../electron/compute/pool.js';
import { invertRigid, multiply4, rigid, rotationFromVector } from '../../../electron/numerics/linear.js';
import type { View } from '../../../electron/geometry/types.js';
import { depthRange, planGroups } from '../../../electron/pointmaps/geometric/dense/groups.js';
import {
  DenseMaps,
  denseWorker,
  unproject,
  type DenseDepth,
} from '../../../electron/pointmaps/geometric/dense/index.js';
import { Room, type RoomView } from '../../fixtures/room.js';

const pool = new WorkerPool(denseWorker, 2);
afterAll(() => pool.close());

const room = new Room(4);
const width = 160;
const height = 120;
const FOCAL = 145;
const shots = room.arc(3, 0.32).map((pose) => room.render(pose, FOCAL, width, height)) as [
  RoomView,
  RoomView,
  RoomView,
];
const [a, b] = shots;

/** Maps of rendered views, each matched against all others. */
function mapsOf(views: readonly RoomView[], pixelsOf = (view: RoomView) => view.pixels): DenseMaps {
  const sorted = Array.from(views[0]!.depth).sort((p, q) => p - q);
  return new DenseMaps(
    {
      view: async (index): Promise<View> => ({
        photo: String(index),
        width: views[index]!.width,
        height: views[index]!.height,
        pixels: pixelsOf(views[index]!),
        originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
      }),
      focal: (index) => views[index]!.focal,
      cameraFromWorld: (index) => invertRigid(views[index]!.worldFromCamera),
      group: (reference) => ({
        reference,
        neighbours: views.map((_, k) => k).filter((k) => k !== reference),
        range: depthRange(sorted),
      }),
    },
    pool,
  );
}

/** Relative depth errors of the confident pixels, sorted, and their share. */
function errorsOf({ depth, confidence }: DenseDepth, truth: Float32Array): { errors: number[]; share: number } {
  const errors: number[] = [];
  confidence.forEach((value, k) => {
    if (value > 1) errors.push(Math.abs(depth[k]! / truth[k]! - 1));
  });
  return { errors: errors.sort((p, q) => p - q), share: errors.length / confidence.length };
}

describe('dense depth along known geometry', () => {
  test.each([2, 3])('depths are right where it is confident, from %i views', async (count) => {
    const maps = mapsOf(shots.slice(0, count));
    for (const index of [0, 1]) {
      const { errors, share } = errorsOf(await maps.depth(index, {}), shots[index]!.depth);
      expect(share).toBeGreaterThan(0.5);
      expect(errors[errors.length >> 1]).toBeLessThan(0.01);
      expect(errors[Math.floor(errors.length * 0.9)]).toBeLessThan(0.05);
    }
  });

  test.each([1, 2, 3])('a photo rolled by %i quarter turns gives the same', async (quarters) => {
    const roll = rigid(rotationFromVector(0, 0, (quarters * Math.PI) / 2), [0, 0, 0]);
    const lying = quarters % 2 === 1;
    const pose = multiply4(b.worldFromCamera, invertRigid(roll));
    const rolled = room.render(pose, FOCAL, lying ? height : width, lying ? width : height);
    const maps = mapsOf([a, rolled]);
    for (const [index, truth] of [a.depth, rolled.depth].entries()) {
      const { errors, share } = errorsOf(await maps.depth(index, {}), truth);
      expect(share).toBeGreaterThan(0.4);
      expect(errors[errors.length >> 1]).toBeLessThan(0.01);
    }
  });

  test('a photo of half the light and another contrast is matched as well', async () => {
    const darker = (view: RoomView) => (view === b ? view.pixels.map((value) => 12 + 0.45 * value) : view.pixels);
    const { errors, share } = errorsOf(await mapsOf([a, b], darker).depth(0, {}), a.depth);
    expect(share).toBeGreaterThan(0.45);
    expect(errors[errors.length >> 1]).toBeLessThan(0.01);
  });

  test('what has no texture has no confidence', async () => {
    const blank = ({ pixels }: RoomView) => pixels.slice().fill(200, 0, width * 40 * 3);
    const { confidence } = await mapsOf([a, b], blank).depth(0, {});
    expect(confidence.subarray(0, width * 34).filter((value) => value > 1).length / (width * 34)).toBeLessThan(0.02);
  });

  test('a photo of something else has almost none', async () => {
    const other = new Room(77).render(b.worldFromCamera, FOCAL, width, height);
    const { share } = errorsOf(await mapsOf([a, other]).depth(0, {}), a.depth);
    expect(share).toBeLessThan(0.04);
  });

  test('an abort ends it', async () => {
    const controller = new AbortController();
    const running = mapsOf([a, b]).depth(0, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });

  test('points lie where the depth says, in any frame', () => {
    const points = unproject(a, FOCAL, a.depth, a.worldFromCamera);
    const k = 40 * width + 30;
    const z = a.depth[k]!;
    const at = [((30 - width / 2) / FOCAL) * z, ((40 - height / 2) / FOCAL) * z, z, 1];
    for (let i = 0; i < 3; i++)
      expect(points[3 * k + i]).toBeCloseTo(
        at.reduce((sum, value, j) => sum + value * a.worldFromCamera[4 * i + j]!, 0),
        4,
      );
  });
});

describe('groups', () => {
  const looking = (x: number) => ({
    rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    translation: [-x, 0, 0],
    focal: 100,
    width: 100,
    height: 100,
  });
  const cameras = [0, 0.4, 0.8, 30, 0.001].map(looking);
  const grid = Array.from({ length: 100 }, (_, k) => ({ position: [(k % 10) * 0.2 - 0.7, k * 0.01 - 0.5, 4] }));
  const points = grid.map(({ position }) => ({ position, cameras: [0, 1, 2, 4] }));

  test('take views that see the same points at a good angle, and none from the same spot or from elsewhere', () => {
    const groups = planGroups(cameras, points);
    const own = groups.find(({ reference }) => reference === 0)!;
    expect([...own.neighbours].sort()).toEqual([1, 2]);
    expect(own.range[0]).toBeLessThan(4);
    expect(own.range[1]).toBeGreaterThan(4);
    expect(groups.some(({ reference }) => reference === 3)).toBe(false);
  });

  test('take no view that may not be matched', () => {
    const groups = planGroups(cameras, points, (p, q) => !(p + q === 1));
    expect(groups.find(({ reference }) => reference === 0)!.neighbours).not.toContain(1);
  });
});

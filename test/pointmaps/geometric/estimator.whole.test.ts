import type { SparseLook } from '../../../electron/geometry/sparse-model.js';
import type { Progress } from '../../../electron/geometry/stage.js';
import type { SparseContext } from '../../../electron/sparse/correspondence.js';
import { describe, expect, it } from 'vitest';
import type { Pair } from '../../../electron/geometry/types.js';
import { createGeometricEstimator } from '../../../electron/pointmaps/geometric/index.js';
import { rotationOf } from '../../../electron/numerics/linear.js';
import { sparseModel } from '../../../electron/sparse/stage.js';
import { rotationDifference } from '../../../electron/sparse/two-view.js';
import {
  directionDifference,
  lookAt,
  memoryStore,
  photographRooms,
  relative,
  type SyntheticSet,
} from '../../sparse/synthetic.js';

const FOCAL = 0.9;
/** As small as tells where cameras are: the time is that of the features in a picture. */
const SIZE = [240, 180] as const;
/** Cameras side by side in front of the corner. */
const shot = (x: number, room = 1) => ({ camera: lookAt([x, 0.15 * Math.sin(5 * x), -1.5], [0.3 * x, 0, 1.2]), room });
const open = async (set: SyntheticSet, context: SparseContext, count = set.photos.length) => {
  const photos = set.photos.slice(0, count);
  const pairs = set.pairs.filter(({ a, b }) => a < count && b < count);
  const sparse = await sparseModel(photos, pairs, set.reader, context, 2);
  return createGeometricEstimator(set.reader, { threads: 2, viewLongSide: 160 }).open(photos, pairs, {
    ...context,
    sparse,
  });
};
const name = ({ a, b }: Pair) => `${a}-${b}`;

describe('the geometric estimator', () => {
  it('observes pairs with true poses, opens again without reading a photo, and keeps old observations when a photo joins', async () => {
    const set = photographRooms([shot(-0.6), shot(-0.3), shot(0), shot(0.3), shot(0.6)], FOCAL, ...SIZE, FOCAL * 1.02);
    const store = memoryStore();
    const stages = new Set<string>();
    const looks: SparseLook[] = [];
    const context = {
      store,
      onProgress: ({ stage }: Progress) => stages.add(stage),
      onLook: (look: SparseLook) => looks.push(look),
    };
    const session = await open(set, context, 4);
    // Cameras and points came from the thread that places them, before all were placed.
    expect(looks.length).toBeGreaterThan(0);
    expect(looks[0]!.cameras.map(({ photo }) => photo).every((id) => set.photos.some((photo) => photo.id === id))).toBe(
      true,
    );
    expect(looks[0]!.points.trackCamera.length).toBeGreaterThan(20);
    expect(stages).toEqual(
      new Set(['finding features', 'matching', 'comparing photos', 'calibrating', 'relating pairs', 'placing cameras']),
    );
    expect(Math.abs(session.focal(0)!.pixels / (FOCAL * SIZE[0]) - 1)).toBeLessThan(0.03);

    const { observe, rejected } = session.plan;
    expect([...observe, ...rejected.map(({ pair }) => pair)].map(name).sort()).toEqual(
      set.pairs
        .filter(({ b }) => b < 4)
        .map(name)
        .sort(),
    );
    expect(new Set(observe.flatMap(({ a, b }) => [a, b])).size).toBe(4);
    const pair = observe[0]!;
    const outcome = await session.observe(pair, { store });
    if (outcome.kind !== 'observation') throw new Error(`${outcome.reason}: ${outcome.detail}`);
    const { views, focal, firstFromCamera } = outcome.observation;
    expect(views.map(({ photo }) => photo)).toEqual([set.photos[pair.a]!.id, set.photos[pair.b]!.id]);
    expect(focal![0]).toBeCloseTo((session.focal(pair.a)!.pixels * 160) / SIZE[0], 3);
    const truth = relative(set.cameras[pair.b]!, set.cameras[pair.a]!);
    const found = firstFromCamera![1]!;
    expect(rotationDifference(rotationOf(found), truth.rotation)).toBeLessThan(0.5);
    expect(directionDifference([found[3]!, found[7]!, found[11]!], truth.translation)).toBeLessThan(3);
    for (const view of views)
      expect(view.confidence.filter((value) => value > 1).length / view.confidence.length).toBeGreaterThan(0.2);

    const reads = set.reads();
    const again = await open(set, { store }, 4);
    expect(set.reads()).toBe(reads);
    expect(again.plan).toEqual(session.plan);
    for (const planned of observe) expect(again.observationKey(planned)).toBe(session.observationKey(planned));
    await again.close();

    const joined = await open(set, { store });
    expect(set.reads()).toBe(reads + 1);
    expect(joined.plan.observe.some(({ b }) => b === 4)).toBe(true);
    for (const old of observe) {
      expect(joined.plan.observe.map(name)).toContain(name(old));
      expect(joined.observationKey(old)).toBe(session.observationKey(old));
    }
    await joined.close();
    await session.close();
  });

  it('begins nothing more while its run is paused, and goes on or ends from there', async () => {
    const set = photographRooms([shot(-0.6), shot(-0.3), shot(0)], FOCAL, ...SIZE, FOCAL * 1.02);
    const progress: string[] = [];
    let go: () => void;
    const opening = new Promise<void>((resolve) => {
      go = resolve;
    });
    let asked = 0;
    // The first two pieces of work are under way when it is paused.
    const pass = () => (++asked > 2 ? opening : Promise.resolve());
    const session = open(set, {
      store: memoryStore(),
      pass,
      onProgress: ({ stage, done }) => progress.push(`${stage} ${done}`),
    });
    await expect.poll(() => progress.length).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(progress).toEqual(['finding features 1', 'finding features 2']);
    go!();
    await (await session).close();
    expect(progress).toContain('placing cameras 3');

    const abort = new AbortController();
    const cancelled = open(set, {
      store: memoryStore(),
      signal: abort.signal,
      pass: () => new Promise(() => undefined),
    });
    abort.abort(new Error('cancelled'));
    await expect(cancelled).rejects.toThrow('cancelled');
  });

  it('finds the focal of a set without EXIF', async () => {
    const set = photographRooms(
      [-0.6, -0.25, 0.1, 0.45].map((x, k) => ({
        camera: lookAt([x, k % 2 ? 0.4 : -0.4, -1.5 + 0.2 * k], [-0.4 * x, 0, 1.2]),
        room: 2,
      })),
      FOCAL,
      ...SIZE,
    );
    const session = await open(set, { store: memoryStore() });
    expect(Math.abs(session.focal(0)!.pixels / (FOCAL * SIZE[0]) - 1)).toBeLessThan(0.08);
    await session.close();
  });

  it('plans nothing between two rooms, nor between photos from one place, and says why', async () => {
    const turned = { camera: lookAt([-0.3, 0.15 * Math.sin(-1.5), -1.5], [0.2, 0.1, 1.2]), room: 1 };
    const set = photographRooms([shot(-0.3), turned, shot(0, 3), shot(0.3, 3)], FOCAL, ...SIZE, FOCAL);
    const session = await open(set, { store: memoryStore() });
    expect(session.plan.observe.map(name)).toEqual(['2-3']);
    const reasons = new Map(session.plan.rejected.map(({ pair, reason }) => [name(pair), reason]));
    expect(reasons.get('0-1')).toBe('rotation-only');
    for (const pair of ['0-2', '0-3', '1-2', '1-3']) expect(reasons.get(pair)).toBe('no-overlap');
    expect(await session.observe({ a: 0, b: 1 }, { store: memoryStore() })).toMatchObject({
      kind: 'rejected',
      reason: 'rotation-only',
    });
    await session.close();
  });

  it('works anew when its records are damaged', async () => {
    const set = photographRooms([shot(-0.3), shot(0)], FOCAL, ...SIZE, FOCAL);
    const store = memoryStore();
    await (await open(set, { store })).close();
    for (const key of store.blobs.keys()) store.blobs.set(key, Uint8Array.of(123, 1, 2));
    await expect(open(set, { store }).then((session) => session.close())).resolves.toBeUndefined();
  });

  it('gives up at once when asked', async () => {
    const set = photographRooms([shot(-0.3), shot(0)], FOCAL, ...SIZE);
    const stop = new AbortController();
    const work = open(set, {
      store: memoryStore(),
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(work).rejects.toThrow('enough');
  });

  it('takes an empty set, one photo and a photo of one pixel', async () => {
    for (const set of [
      photographRooms([], FOCAL),
      photographRooms([shot(0)], FOCAL, 64, 48),
      photographRooms([shot(0), shot(1)], FOCAL, 1, 1),
    ]) {
      const session = await open(set, { store: memoryStore() });
      expect(session.plan.observe).toEqual([]);
      expect(session.plan.rejected).toHaveLength(set.pairs.length);
      if (set.photos.length) expect((await session.view(0)).pixels).not.toHaveLength(0);
      await session.close();
    }
  });
});

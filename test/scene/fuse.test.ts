import { describe, expect, test } from 'vitest';
import { fuse } from '../../electron/scene/fuse.js';
import { floatingTask, reliablePixels } from '../../electron/scene/masks.js';
import { relight } from '../../electron/scene/light.js';
import { previewPicture } from '../../electron/scene/preview.js';
import { Room } from '../fixtures/room.js';
import { cameraOf, depthMapOf, roomScene } from '../fixtures/scene.js';

const room = new Room(4);
const views = room.arc(3, 0.5).map((pose) => room.render(pose, 60, 64, 48));
const cameras = views.map(cameraOf);
const pixels = views.map((view) => view.pixels);
const pixelsOf = (k: number): Uint8Array => pixels[k]!;
const options = { minConfidence: 2, removeFloating: true };

/** Distance of a point to the nearest wall or box, by asking the depth maps: z against the first view's depth there. */
function wallDistance([x, y, z]: [number, number, number]): number {
  return Math.min(Math.abs(Math.abs(x) - 4), Math.abs(Math.abs(y) - 2), Math.abs(Math.abs(z) - 4));
}

describe('fusion', () => {
  test('points lie on the surfaces, with their colours and sources', async () => {
    const cloud = await fuse(cameras, views.map(depthMapOf), pixelsOf, options);
    expect(cloud.confidence.length).toBeGreaterThan(0.8 * 3 * 64 * 48);
    let onWalls = 0;
    for (let k = 0; k < cloud.confidence.length; k++)
      if (wallDistance([...cloud.positions.subarray(3 * k, 3 * k + 3)] as [number, number, number]) < 1e-3) onWalls++;
    expect(onWalls / cloud.confidence.length).toBeGreaterThan(0.5);
    expect(new Set(cloud.source)).toEqual(new Set([0, 1, 2]));
    expect(cloud.colors.subarray(0, 3)).toEqual(pixels[0]!.subarray(0, 3));
  });

  test('points of one place have one colour although a photo was darker, and say where they are inferred', async () => {
    const darker = [pixels[0]!, relight(pixels[1]!, [0.4, 0.4, 0.4]), pixels[2]!];
    const maps = views.map(depthMapOf);
    maps[2] = { ...maps[2]!, inferred: new Uint8Array(64 * 48).fill(1, 0, 64 * 24) };
    const brightness = (cloud: Awaited<ReturnType<typeof fuse>>, photo: number) => {
      const levels = Array.from(cloud.source.keys()).filter((k) => cloud.source[k] === photo);
      return levels.reduce((sum, k) => sum + cloud.colors[3 * k]!, 0) / levels.length;
    };
    const lit = await fuse(cameras, maps, (k) => darker[k]!, options);
    const plain = await fuse(cameras, maps, (k) => darker[k]!, { ...options, balanceLight: false });
    expect(brightness(plain, 1) / brightness(plain, 0)).toBeLessThan(0.75);
    expect(Math.abs(brightness(lit, 1) / brightness(lit, 0) - 1)).toBeLessThan(0.1);
    for (let k = 0; k < lit.source.length; k++)
      expect(lit.inferred![k]).toBe(lit.source[k] === 2 && lit.pixel![k]! < 64 * 24 ? 1 : 0);
  });

  test('the confidence threshold acts', async () => {
    const maps = views.map(depthMapOf);
    maps[1]!.confidence.fill(1.5);
    const cloud = await fuse(cameras, maps, pixelsOf, options);
    expect(new Set(cloud.source)).toEqual(new Set([0, 2]));
    expect((await fuse(cameras, maps, pixelsOf, { ...options, minConfidence: 9 })).confidence).toHaveLength(0);
  });

  test('in threads gives the same cloud', async () => {
    const maps = views.map(depthMapOf);
    for (let k = 0; k < 64 * 10; k++) maps[0]!.depth[k] = 0.5 * maps[0]!.depth[k]!;
    const [here, apart] = [
      await fuse(cameras, maps, pixelsOf, options),
      await fuse(cameras, maps, pixelsOf, { ...options, threadsFrom: 0, threads: 2 }),
    ];
    expect(apart).toEqual(here);
  });

  test('asks only the photos that can see some of its points', () => {
    const maps = views.map(depthMapOf);
    const masks = maps.map((map) => reliablePixels(map, 2));
    expect(floatingTask(0, cameras, maps, (k) => masks[k]!).others).toHaveLength(2);
    // Turned about: its back is to what the first sees.
    const about = Float64Array.from(cameras[0]!.worldFromCamera);
    for (const at of [0, 2, 4, 6, 8, 10]) about[at] = -about[at]!;
    const others = floatingTask(
      0,
      [cameras[0]!, { ...cameras[1]!, worldFromCamera: about }, cameras[2]!],
      maps,
      (k) => masks[k]!,
    ).others;
    expect(others.map(({ mask }) => masks.indexOf(mask))).toEqual([2]);
  });

  test('asks no more photos than it may, spread from near to far', () => {
    const count = 30;
    const beside = Array.from({ length: count }, (_, k) => {
      const worldFromCamera = Float64Array.from(cameras[0]!.worldFromCamera);
      worldFromCamera[3] = worldFromCamera[3]! + 0.001 * k;
      return { ...cameras[0]!, worldFromCamera };
    });
    const maps = beside.map(() => depthMapOf(views[0]!, 0));
    const masks = maps.map((map) => reliablePixels(map, 2));
    const asked = (most?: number) =>
      floatingTask(0, beside, maps, (k) => masks[k]!, { most }).others.map(({ mask }) => masks.indexOf(mask));
    expect(asked()).toHaveLength(count - 1);
    const few = asked(10);
    expect(few).toHaveLength(10);
    expect(few[0]).toBe(1);
    expect(few[9]).toBeGreaterThan(0.8 * count);
  });

  test('what others see nothing but the sky through is removed', async () => {
    const maps = views.map(depthMapOf);
    // The other two see the sky where the first has a wall.
    for (const map of maps.slice(1)) {
      map.sky = new Uint8Array(64 * 48).fill(1, 0, 64 * 30);
      map.depth.fill(0, 0, 64 * 30);
    }
    const upper = ({ source, pixel }: Awaited<ReturnType<typeof fuse>>) =>
      source.filter((photo, k) => photo === 0 && pixel![k]! < 64 * 20 && pixel![k]! % 64 < 32).length;
    const kept = await fuse(cameras, maps, pixelsOf, options);
    for (const map of maps) delete map.sky;
    const without = await fuse(cameras, maps, pixelsOf, options);
    expect(upper(without)).toBeGreaterThan(400);
    expect(upper(kept)).toBeLessThan(0.2 * upper(without));
  });

  test('a veil in front of surfaces that the others see is removed, the surfaces stay', async () => {
    const maps = views.map(depthMapOf);
    for (let y = 10; y < 30; y++)
      for (let x = 20; x < 44; x++) maps[0]!.depth[y * 64 + x] = 0.5 * maps[0]!.depth[y * 64 + x]!;
    const kept = await fuse(cameras, maps, pixelsOf, options);
    const all = await fuse(cameras, maps, pixelsOf, { ...options, removeFloating: false });
    const ofFirst = (cloud: typeof kept) => cloud.source.filter((source) => source === 0).length;
    expect(ofFirst(all) - ofFirst(kept)).toBeGreaterThan(0.8 * 20 * 24);
    expect(ofFirst(kept)).toBeGreaterThan(0.75 * (64 * 48 - 20 * 24));
  });

  test('pixels between a near and a far surface are removed', async () => {
    const maps = views.map(depthMapOf);
    const at = 24 * 64 + 32;
    maps[0]!.depth[at] = 1.3 * maps[0]!.depth[at]!;
    const before = await fuse(cameras, views.map(depthMapOf), pixelsOf, { ...options, removeFloating: false });
    const after = await fuse(cameras, maps, pixelsOf, { ...options, removeFloating: false });
    expect(after.confidence.length).toBeLessThan(before.confidence.length);
  });

  test('normals are unit vectors across the surface, towards the camera', async () => {
    const cloud = await fuse(cameras, views.map(depthMapOf), pixelsOf, options);
    let checked = 0;
    let right = 0;
    for (let k = 0; k < cloud.confidence.length; k++) {
      const [nx, ny, nz] = cloud.normals!.subarray(3 * k, 3 * k + 3) as unknown as [number, number, number];
      expect(Math.hypot(nx, ny, nz)).toBeCloseTo(1, 4);
      // The far wall z = 4 faces -z.
      if (Math.abs(cloud.positions[3 * k + 2]! - 4) > 1e-3 || wallDistance([0, cloud.positions[3 * k + 1]!, 0]) < 0.2)
        continue;
      checked++;
      if (nz < -0.95) right++;
    }
    expect(checked).toBeGreaterThan(100);
    expect(right / checked).toBeGreaterThan(0.9);
  });

  test('thinning keeps one point per cube', async () => {
    const cloud = await fuse(cameras, views.map(depthMapOf), pixelsOf, { ...options, voxelSize: 0.25 });
    const cubes = new Set<string>();
    for (let k = 0; k < cloud.confidence.length; k++)
      cubes.add([0, 1, 2].map((i) => Math.floor(cloud.positions[3 * k + i]! / 0.25)).join());
    expect(cubes.size).toBe(cloud.confidence.length);
    expect(cloud.confidence.length).toBeGreaterThan(300);
  });

  test('an abort ends it', async () => {
    await expect(
      fuse(cameras, views.map(depthMapOf), pixelsOf, { ...options, signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
  });
});

test('the preview shows the cloud in both halves', async () => {
  const { scene } = await roomScene();
  const picture = previewPicture(scene, 200, 100);
  const lit = (from: number, to: number) => {
    let count = 0;
    for (let y = 0; y < 100; y++) for (let x = from; x < to; x++) if (picture.pixels[3 * (y * 200 + x)] !== 24) count++;
    return count / ((to - from) * 100);
  };
  expect(lit(0, 100)).toBeGreaterThan(0.2);
  expect(lit(100, 200)).toBeGreaterThan(0.1);
});

import { describe, expect, test } from 'vitest';
import { wholeCells } from '../../electron/contract/mask.js';
import { las } from '../../electron/export/las.js';
import { ply } from '../../electron/export/ply.js';
import type { ExportFile } from '../../electron/export/types.js';
import { pointCount, pointsAbout } from '../../electron/geometry/cloud.js';
import type { DepthMap, Scene } from '../../electron/geometry/types.js';
import { cleaned } from '../../electron/scene/cleaning.js';
import { sceneInFrame } from '../../electron/scene/frame.js';
import { fuse, fuseScene } from '../../electron/scene/fuse.js';
import { hillFlight } from '../fixtures/hills.js';

const [WIDTH, HEIGHT] = [64, 48];
const flight = hillFlight(4, { width: WIDTH, height: HEIGHT });
const maps: DepthMap[] = flight.cameras.map((_, k) => flight.view(k));
const pixelsOf = (k: number): Uint8Array => flight.view(k).pixels;
const options = { minConfidence: 2, removeFloating: true };

const held = await fuse(flight.cameras, maps, pixelsOf, options);
const scene = (points: Pick<Scene, 'cloud' | 'whole'>): Scene => ({
  cameras: flight.cameras,
  depthMaps: maps,
  ...points,
});
const small = scene({ cloud: held });
const large = scene(await fuseScene(flight.cameras, maps, pixelsOf, { ...options, mostHeld: held.source.length / 8 }));

async function bytesOf([file]: readonly ExportFile[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file!.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a cloud with more points than may be held', () => {
  test('is whole photo by photo, and an even part of it is at hand', async () => {
    expect(small.whole).toBeUndefined();
    const { whole, cloud } = large;
    expect(whole!.cell).toBe(3);
    expect([await pointCount(large), pointsAbout(large)]).toEqual([held.source.length, held.source.length]);
    const all = Array.from({ length: whole!.length }, (_, k) => whole!.part(k));
    expect(Float32Array.from(all.flatMap(({ positions }) => [...positions]))).toEqual(held.positions);
    expect(Uint32Array.from(all.flatMap(({ pixel }) => [...pixel!]))).toEqual(held.pixel);
    // One point of each square, and one of each square that has any.
    const cellOf = (source: number, pixel: number): string =>
      [source, Math.floor((pixel % WIDTH) / 3), Math.floor(pixel / WIDTH / 3)].join();
    const cells = [...cloud.source].map((source, k) => cellOf(source, cloud.pixel![k]!));
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(cells)).toEqual(new Set([...held.source].map((source, k) => cellOf(source, held.pixel![k]!))));
  });

  test('is written as one that is held, to the byte', async () => {
    expect(await bytesOf(ply.write(large))).toEqual(await bytesOf(ply.write(small)));
    const how = { offset: [10, 20, 30] as const, step: 1e-4, date: new Date(0), software: 'test' };
    expect(await bytesOf([las(large, 'a.las', how)])).toEqual(await bytesOf([las(small, 'a.las', how)]));
  });

  test('loses all points of the squares of which the shown one is deleted, and what lies outside the region', async () => {
    const bits = new Uint8Array((WIDTH * HEIGHT + 7) >> 3);
    // As a viewer names them: pixels of the points at hand, of the first photo's upper half.
    large.cloud.pixel!.forEach((pixel, k) => {
      if (large.cloud.source[k] === 0 && pixel < (WIDTH * HEIGHT) / 2) bits[pixel >> 3]! |= 1 << (pixel & 7);
    });
    const { photo } = maps[0]!;
    const mask = wholeCells({ photo, width: WIDTH, height: HEIGHT, bits }, large.whole!.cell);
    const cleaning = { region: undefined, deleted: new Map([[photo, mask]]) };
    const left = cleaned(large, cleaning);
    const lost = [...held.source].filter((source, k) => source === 0 && held.pixel![k]! < (WIDTH * HEIGHT) / 2);
    expect(await pointCount(left)).toBe(held.source.length - lost.length);
    expect(await pointCount(left)).toBe(await pointCount(cleaned(small, cleaning)));
    const region = { centre: [0, 0, 0], size: [2, 2, 9], rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as never;
    const cropped = { region, deleted: new Map() };
    const inside = await pointCount(cleaned(small, cropped));
    expect(inside).toBeLessThan(held.source.length / 2);
    expect(await pointCount(cleaned(large, cropped))).toBe(inside);
  });

  test('is turned and scaled as one that is held', async () => {
    const similarity = {
      scale: 2,
      rotation: Float64Array.of(0, -1, 0, 1, 0, 0, 0, 0, 1),
      translation: Float64Array.of(1, 2, 3),
    };
    const frame = { sceneFromAlignment: similarity } as never;
    expect(await bytesOf(ply.write(sceneInFrame(large, frame)))).toEqual(
      await bytesOf(ply.write(sceneInFrame(small, frame))),
    );
  });
});

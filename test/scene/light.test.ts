import { describe, expect, test } from 'vitest';
import type { Camera, DepthMap } from '../../electron/geometry/types.js';
import { lightGains, relight, solveGains } from '../../electron/scene/light.js';
import { Room } from '../fixtures/room.js';

const room = new Room(5);
const [width, height, focal] = [96, 72, 80];
const views = room.arc(4, 0.5).map((pose) => room.render(pose, focal, width, height));
const cameras = views.map(({ worldFromCamera }) => ({ worldFromCamera }) as Camera);
const maps = views.map(({ depth }, k): DepthMap => ({
  photo: String(k),
  width,
  height,
  depth,
  confidence: new Float32Array(depth.length).fill(9),
  originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
  focal,
  centreX: width / 2,
  centreY: height / 2,
}));
const mean = (pixels: Uint8Array, channel: number) =>
  pixels.filter((_, k) => k % 3 === channel).reduce((sum, value) => sum + value, 0) / (pixels.length / 3);

describe('light of photos', () => {
  test('photos of one light keep their pixels, nearly', async () => {
    for (const gain of await lightGains(cameras, maps, (k) => views[k]!.pixels))
      for (const value of gain) expect(Math.abs(value - 1)).toBeLessThan(0.03);
  });

  test('brightness and white balance that were changed are found, and undone', async () => {
    const changed = views.map(({ pixels }, k) => {
      if (k === 1) return relight(pixels, [0.5, 0.5, 0.5]);
      return k === 2 ? relight(pixels, [0.9, 0.7, 0.5]) : pixels;
    });
    const gains = await lightGains(cameras, maps, (k) => changed[k]!);
    for (let i = 0; i < 3; i++) {
      expect(gains[1]![i]! / gains[0]![i]!).toBeCloseTo(2, 0.8);
      expect(gains[2]![i]! / gains[0]![i]!).toBeCloseTo([1 / 0.9, 1 / 0.7, 2][i]!, 0.8);
    }
    // Beside each other they have one brightness again, up to what dark levels lost.
    const lit = changed.map((pixels, k) => relight(pixels, gains[k]!));
    const before = Math.abs(mean(changed[0]!, 2) - mean(changed[2]!, 2));
    const truth = Math.abs(mean(views[0]!.pixels, 2) - mean(views[2]!.pixels, 2));
    expect(Math.abs(mean(lit[0]!, 2) - mean(lit[2]!, 2))).toBeLessThan(truth + 0.15 * before);
  });

  test('a photo that shares nothing is left alone, and one wrong ratio does not turn the rest', () => {
    const ratio = (a: number, b: number, value: number) => ({
      a,
      b,
      ratio: [value, value, value] as const,
      weight: 20,
    });
    const right = [
      ratio(0, 1, 0.4),
      ratio(1, 2, -0.4),
      ratio(0, 2, 0),
      ratio(0, 3, 0),
      ratio(1, 3, -0.4),
      ratio(2, 3, 0),
    ];
    const gains = solveGains(5, [...right, ratio(2, 3, 1.5)]);
    expect(gains[4]).toEqual([1, 1, 1]);
    expect(gains[1]![0] / gains[0]![0]).toBeCloseTo(Math.exp(0.4), 1);
    expect(gains[2]![0] / gains[0]![0]).toBeCloseTo(1, 1);
  });
});

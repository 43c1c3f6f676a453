import { describe, expect, test } from 'vitest';
import { randomNumbers } from '../../../electron/numerics/linear.js';
import { dropFringes } from '../../../electron/pointmaps/geometric/dense/plain.js';
import { segments } from '../../../electron/pointmaps/geometric/dense/segments.js';
import { emptySky, skyOf, withMixed } from '../../../electron/pointmaps/geometric/dense/sky.js';

const [width, height] = [120, 90];
const size = { width, height };
const ROOF = 50;
/** Two chimneys on the roof, and a gap between them that is closed at its upper end. */
const isHouse = (x: number, y: number): boolean =>
  y >= ROOF || (y >= 30 && ((x >= 48 && x < 51) || (x >= 54 && x < 57) || (y < 33 && x >= 48 && x < 57)));

function pictures(colour: (x: number, y: number) => readonly [number, number, number]) {
  const pixels = new Uint8Array(3 * width * height);
  const grey = new Uint8Array(width * height);
  for (let k = 0; k < grey.length; k++) {
    const rgb = colour(k % width, Math.floor(k / width));
    pixels.set(rgb, 3 * k);
    grey[k] = rgb[1];
  }
  return { pixels, grey };
}
const random = randomNumbers(3);
const stone = Uint8Array.from({ length: width * height }, () => 60 + 90 * random());
const outside = pictures((x, y) =>
  isHouse(x, y) ? [stone[y * width + x]! + 20, stone[y * width + x]!, 40] : [232, 236, 240],
);
const house = Uint8Array.from({ length: width * height }, (_, k) =>
  isHouse(k % width, Math.floor(k / width)) ? 1 : 0,
);
/** Depth of the house, and of the sky within some pixels of it, on the same plane: what matching by an edge gives. */
const FRINGE = 5;
const near = Uint8Array.from(house, (_, k) => {
  for (let dy = -FRINGE; dy <= FRINGE; dy++)
    for (let dx = -FRINGE; dx <= FRINGE; dx++) {
      const [x, y] = [(k % width) + dx, Math.floor(k / width) + dy];
      if (x >= 0 && y >= 0 && x < width && y < height && house[y * width + x] === 1) return 1;
    }
  return 0;
});
const matched = {
  inverseDepth: Float32Array.from(near, (flag) => 0.2 * flag),
  texture: Float32Array.from(near, (_, k) => (house[k] === 1 ? 20 : 3)),
};
const told = (): Float32Array => Float32Array.from(near, (flag) => 1 + 9 * flag);

describe('the sky', () => {
  const flags = skyOf({ ...size, pixels: outside.pixels })!;

  test('is found above a roof and between chimneys', () => {
    const wrong = flags.filter((flag, k) => flag === house[k]).length;
    expect(wrong).toBeLessThan(30);
    expect(flags[40 * width + 52]).toBe(1);
  });

  test('is found below a wire that crosses a gap', () => {
    const isWall = (x: number, y: number): boolean => y >= ROOF || (y >= 20 && (x < 56 || x >= 64));
    const isWire = (x: number, y: number): boolean => y === 44 && x >= 56 && x < 64;
    const wired = pictures((x, y) => (isWall(x, y) || isWire(x, y) ? [90, 70, 40] : [232, 236, 240]));
    expect(skyOf({ ...size, pixels: wired.pixels })![47 * width + 60]).toBe(1);
  });

  test('has no depth, whatever fringe of the roof reaches into it; the house keeps its own', () => {
    const confidence = told();
    const sky = emptySky(size, flags, matched, confidence);
    for (const k of sky) confidence[k] = 1;
    const labels = segments(outside.grey, width, height);
    const open = dropFringes({ ...size, grey: outside.grey }, labels, matched, confidence, sky);
    const between = Array.from(flags.keys()).filter((k) => flags[k] === 1);
    expect(between.filter((k) => confidence[k]! > 1)).toHaveLength(0);
    expect(between.every((k) => open[k] === 1)).toBe(true);
    const kept = Array.from(house.keys()).filter((k) => house[k] === 1 && confidence[k]! > 1);
    expect(kept.length).toBeGreaterThan(0.9 * house.filter((flag) => flag === 1).length);
  });

  test('takes in the pixels that a blur mixed with it, and nothing of a roof that ends sharply', () => {
    /** Share of the sky in a row, over a pole three pixels wide. */
    const isPole = (x: number): boolean => x >= 60 && x < 63;
    const share = (x: number, y: number): number =>
      !isPole(x) && y < ROOF - 2 ? 1 : isPole(x) || y >= ROOF + 1 ? 0 : (ROOF + 1 - y) / 4;
    const blurred = pictures((x, y) => {
      const part = share(x, y);
      return [232, 236, 240].map((far, i) => Math.round(part * far + (1 - part) * [90, 60, 40][i]!)) as never;
    });
    const found = skyOf({ ...size, pixels: blurred.pixels })!;
    const mixed = withMixed({ ...size, pixels: blurred.pixels }, found);
    // The row at a half, of which neither the flags nor a depth may say that it is a roof.
    expect(found[(ROOF - 1) * width + 20]).toBe(0);
    expect(mixed[(ROOF - 1) * width + 20]).toBe(1);
    expect(mixed[(ROOF + 1) * width + 20]).toBe(0);
    expect(mixed[20 * width + 61]).toBe(0);
    const sharp = withMixed({ ...size, pixels: outside.pixels }, flags);
    const taken = Array.from(sharp.keys()).filter((k) => sharp[k] === 1 && flags[k] === 0 && house[k] === 1);
    expect(taken.length).toBeLessThan(30);
  });

  test('is no white wall: one with faint texture keeps all that was measured of it', () => {
    const wall = pictures((x, y) => {
      const value = 228 + 2 * Math.round(random());
      return y < 60 ? [value, value, value] : [stone[y * width + x]!, 70, 40];
    });
    const white = skyOf({ ...size, pixels: wall.pixels })!;
    expect(white.filter((flag) => flag === 1).length).toBeGreaterThan(0.5 * white.length);
    const measured = {
      inverseDepth: new Float32Array(white.length).fill(0.3),
      texture: new Float32Array(white.length).fill(2.5),
    };
    expect(emptySky(size, white, measured, new Float32Array(white.length).fill(8))).toHaveLength(0);
  });

  test('is not found where nothing bright or blue reaches the upper edge', () => {
    const room = pictures((x, y) => (y < 20 ? [stone[y * width + x]!, 90, 60] : [230, 230, 230]));
    expect(skyOf({ ...size, pixels: room.pixels })).toBeUndefined();
  });
});

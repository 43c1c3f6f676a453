import { describe, expect, test } from 'vitest';
import { describe as describePhoto } from '../../../electron/pairs/descriptor.js';
import { parseStrategy, selectPairs } from '../../../electron/pairs/strategy.js';
import type { Pair } from '../../../electron/geometry/types.js';

const select = (count: number, text: string) => selectPairs(count, parseStrategy(text)).map(({ a, b }) => `${a}-${b}`);

describe('strategies', () => {
  test.each([
    [4, 'complete', ['0-1', '0-2', '0-3', '1-2', '1-3', '2-3']],
    [4, 'auto', ['0-1', '0-2', '0-3', '1-2', '1-3', '2-3']],
    [5, 'window:1', ['0-1', '1-2', '2-3', '3-4']],
    [5, 'cyclic-window:1', ['0-1', '0-4', '1-2', '2-3', '3-4']],
    [3, 'window:9', ['0-1', '0-2', '1-2']],
    [3, 'cyclic-window:2', ['0-1', '0-2', '1-2']],
    [6, 'log-window:3', ['0-1', '0-2', '0-4', '1-2', '1-3', '1-5', '2-3', '2-4', '3-4', '3-5', '4-5']],
    [4, 'reference:2', ['0-2', '1-2', '2-3']],
    [1, 'complete', []],
  ])('%i photos, %s', (count, text, expected) => expect(select(count, text)).toEqual(expected));

  test.each(['every', 'window', 'window:0', 'window:-1', 'reference:x'])('%s is refused', (text) =>
    expect(() => parseStrategy(text)).toThrow(/unknown pair graph/),
  );
  test('a reference that does not exist is refused', () =>
    expect(() => select(3, 'reference:3')).toThrow(/count from 0 to 2/));
});

describe('auto on a large set', () => {
  /** A strip of random tiles, seen through a window that moves along it: neighbours overlap by two thirds. */
  const world = Array.from({ length: 4000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 8) & 255);
  const seen = (place: number): Float32Array => {
    const pixels = new Uint8Array(64 * 48 * 3);
    for (let y = 0; y < 48; y++)
      for (let x = 0; x < 64; x++) {
        const tile = Math.floor((x + place * 16) / 8) * 6 + Math.floor(y / 8);
        pixels.fill(world[tile % world.length]!, (y * 64 + x) * 3, (y * 64 + x) * 3 + 3);
      }
    return describePhoto(pixels, 64, 48);
  };
  const connected = (count: number, pairs: readonly Pair[]): boolean => {
    const reached = new Set([0]);
    for (let grew = true; grew;) {
      grew = false;
      for (const { a, b } of pairs)
        if (reached.has(a) !== reached.has(b)) {
          reached.add(a).add(b);
          grew = true;
        }
    }
    return reached.size === count;
  };

  test('pairs grow with the number of photos, not its square, and stay connected', () => {
    for (const count of [30, 60, 120]) {
      const pairs = selectPairs(
        count,
        { kind: 'auto' },
        Array.from({ length: count }, (_, k) => seen(k)),
      );
      expect(pairs.length).toBeLessThanOrEqual(11 * count);
      expect(connected(count, pairs)).toBe(true);
    }
  });

  test('finds photos of one place taken far apart in the sequence', () => {
    const places = [...Array.from({ length: 30 }, (_, k) => k * 3), 0.2, 30.2];
    const pairs = selectPairs(places.length, { kind: 'auto' }, places.map(seen));
    expect(pairs).toContainEqual({ a: 0, b: 30 });
    expect(pairs).toContainEqual({ a: 10, b: 31 });
  });
});

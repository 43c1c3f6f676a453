import { describe, expect, test } from 'vitest';
import { ArrayCache, withLazyArrays } from '../../electron/compute/lazy-arrays.js';
import type { StoredView } from '../../electron/project/alignments.js';
import { fuse } from '../../electron/scene/fuse.js';
import { alongSpace } from '../../electron/scene/kept-pixels.js';
import { hillFlight } from '../fixtures/hills.js';

const flight = hillFlight(9, { width: 64, height: 48 });
const options = { minConfidence: 2, removeFloating: true };

/** The views behind a cache, and how many arrays were read. */
function behind(bytes: number): { views: StoredView[]; reads: () => number } {
  let reads = 0;
  const cache = new ArrayCache(() => bytes);
  const views = flight.cameras.map((_, k) => {
    const read =
      <K extends 'depth' | 'confidence' | 'pixels'>(name: K) =>
      () => {
        reads++;
        return flight.view(k)[name];
      };
    return withLazyArrays<StoredView>(cache, flight.summary(k), {
      depth: read('depth'),
      confidence: read('confidence'),
      pixels: read('pixels'),
    });
  });
  return { views, reads: () => reads };
}

describe('depth maps behind a budget', () => {
  test('give the same cloud to the bit, whatever fits', async () => {
    const here = flight.cameras.map((_, k) => flight.view(k));
    const expected = await fuse(flight.cameras, here, (k) => here[k]!.pixels, options);
    expect(expected.confidence.length).toBeGreaterThan(9 * 64 * 48 * 0.7);
    for (const bytes of [1, 3 * 64 * 48 * 11, Infinity]) {
      const { views, reads } = behind(bytes);
      expect(await fuse(flight.cameras, views, (k) => views[k]!.pixels, options)).toEqual(expected);
      if (bytes === Infinity) expect(reads()).toBe(9 * 3);
      // Nothing is read pixel by pixel: each view asks its neighbours, twice at most for light and free space.
      else expect(reads()).toBeLessThan(9 * 9 * 3 * 3);
    }
  });

  test('are asked in an order in which neighbours follow one another', () => {
    const order = alongSpace(flight.cameras);
    expect([...order].sort((p, q) => p - q)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const centre = (k: number): number[] => [3, 7].map((i) => flight.cameras[k]!.worldFromCamera[i]!);
    const steps = order.slice(1).map((k, i) => {
      const [a, b] = [centre(k), centre(order[i]!)];
      return Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!);
    });
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
    expect(mean).toBeLessThan(1.2 * 1.8);
  });
});

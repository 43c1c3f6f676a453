import { describe, expect, test } from 'vitest';
import { randomNumbers } from '../../../electron/numerics/linear.js';
import { inferPlanes } from '../../../electron/pointmaps/geometric/dense/infer.js';
import { segments } from '../../../electron/pointmaps/geometric/dense/segments.js';

const [width, height] = [80, 60];
/** Left of the edge one brightness, right of it another, with a little noise. */
const EDGE = 45;
const random = randomNumbers(7);
const grey = Uint8Array.from({ length: width * height }, (_, k) => (k % width < EDGE ? 90 : 180) + 3 * random());
const plane = (k: number) => 0.4 + 0.001 * (k % width) - 0.0015 * Math.floor(k / width);
/** The left surface is known round its edges, as texture there would make it. */
const known = Uint8Array.from({ length: width * height }, (_, k) => {
  const [x, y] = [k % width, Math.floor(k / width)];
  return x < EDGE && (x < 5 || x > EDGE - 6 || y < 5 || y >= height - 5) ? 1 : 0;
});
const depths = (at: (k: number) => number) => Float32Array.from(known, (one, k) => (one ? at(k) : 0));
const middle = 30 * width + 22;

describe('plain surfaces', () => {
  test('segments end at edges and not at noise', () => {
    const labels = segments(grey, width, height);
    expect(labels[middle]).toBe(labels[2 * width + 2]);
    expect(labels[middle]).not.toBe(labels[middle + 50]);
    expect(new Set(labels).size).toBeLessThan(6);
  });

  test('are completed where a plane is known around them, and only there', () => {
    const found = inferPlanes(grey, width, height, depths(plane), known);
    expect(found.inverseDepth[middle]).toBeCloseTo(plane(middle), 4);
    expect(found.surface[middle]).toBeGreaterThan(0);
    // Nothing is known of the right surface; known pixels stay as they are.
    expect(found.surface[middle + 50]).toBe(0);
    expect(found.surface[2 * width + 2]).toBe(0);
  });

  test('one wrong border in four does not tilt them', () => {
    const found = inferPlanes(
      grey,
      width,
      height,
      depths((k) => (Math.floor(k / width) < 5 ? 0.9 : plane(k))),
      known,
    );
    expect(found.inverseDepth[middle]).toBeCloseTo(plane(middle), 3);
  });

  test('are left alone when what is known of them is no plane, little, or on one side only', () => {
    const none = (found: ReturnType<typeof inferPlanes>) => expect(found.surface[middle]).toBe(0);
    none(
      inferPlanes(
        grey,
        width,
        height,
        depths((k) => 0.3 + 0.3 * ((k * 7919) % 100) * 0.01),
        known,
      ),
    );
    const few = known.map((one, k) => (k % 37 === 0 ? one : 0));
    none(inferPlanes(grey, width, height, depths(plane), few));
    const noisy = depths((k) => plane(k) * (1 + 0.01 * (((k * 7919) % 100) / 50 - 1)));
    const side = known.map((one, k) => (k % width < 4 ? one : 0));
    none(inferPlanes(grey, width, height, noisy, side));
  });
});

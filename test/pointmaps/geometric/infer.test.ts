import { describe, expect, test } from 'vitest';
import { randomNumbers } from '../../../electron/numerics/linear.js';
import { inferPlanes } from '../../../electron/pointmaps/geometric/dense/infer.js';
import { dropFringes } from '../../../electron/pointmaps/geometric/dense/plain.js';
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
const labels = segments(grey, width, height);
const middle = 30 * width + 22;

describe('plain surfaces', () => {
  test('segments end at edges and not at noise', () => {
    expect(labels[middle]).toBe(labels[2 * width + 2]);
    expect(labels[middle]).not.toBe(labels[middle + 50]);
    expect(new Set(labels).size).toBeLessThan(6);
  });

  test('are completed where a plane is known around them, and only there', () => {
    const found = inferPlanes(labels, width, depths(plane), known);
    expect(found.inverseDepth[middle]).toBeCloseTo(plane(middle), 4);
    expect(found.surface[middle]).toBeGreaterThan(0);
    // Nothing is known of the right surface; known pixels stay as they are.
    expect(found.surface[middle + 50]).toBe(0);
    expect(found.surface[2 * width + 2]).toBe(0);
  });

  test('one wrong border in four does not tilt them', () => {
    const found = inferPlanes(
      labels,
      width,
      depths((k) => (Math.floor(k / width) < 5 ? 0.9 : plane(k))),
      known,
    );
    expect(found.inverseDepth[middle]).toBeCloseTo(plane(middle), 3);
  });

  test('are left alone when what is known of them is no plane, little, or on one side only', () => {
    const none = (found: ReturnType<typeof inferPlanes>) => expect(found.surface[middle]).toBe(0);
    none(
      inferPlanes(
        labels,
        width,
        depths((k) => 0.3 + 0.3 * ((k * 7919) % 100) * 0.01),
        known,
      ),
    );
    const few = known.map((one, k) => (k % 37 === 0 ? one : 0));
    none(inferPlanes(labels, width, depths(plane), few));
    const noisy = depths((k) => plane(k) * (1 + 0.01 * (((k * 7919) % 100) / 50 - 1)));
    const side = known.map((one, k) => (k % width < 4 ? one : 0));
    none(inferPlanes(labels, width, noisy, side));
  });

  test('are left alone between a fringe on one side and a speckle far from it', () => {
    const fringe = Uint8Array.from(known, (_, k) => {
      const [x, y] = [k % width, Math.floor(k / width)];
      return x < 4 || (x >= 40 && x < 43 && y >= 2 && y < 5) ? 1 : 0;
    });
    const found = inferPlanes(
      labels,
      width,
      Float32Array.from(known, (_, k) => plane(k)),
      fringe,
    );
    expect(found.inverseDepth[30 * width + 20]).toBe(0);
    // With a border above it the surface is bounded well enough.
    const bounded = fringe.map((one, k) => (k < 4 * width && k % width < EDGE ? 1 : one));
    const better = inferPlanes(
      labels,
      width,
      Float32Array.from(known, (_, k) => plane(k)),
      bounded,
    );
    expect(better.inverseDepth[20 * width + 15]).toBeCloseTo(plane(20 * width + 15), 4);
  });
});

describe('fringes', () => {
  // A thing in the middle before a plain wall, and pixels of the wall beside it that have the thing's depth.
  const [left, right, top, bottom] = [30, 50, 20, 40];
  const isThing = (x: number, y: number) => x >= left && x < right && y >= top && y < bottom;
  const isBeside = (x: number, y: number) => x >= left - 5 && x < right + 5 && y >= top - 5 && y < bottom + 5;
  const each = <T>(value: (x: number, y: number) => T) =>
    Array.from({ length: width * height }, (_, k) => value(k % width, Math.floor(k / width)));
  const apart = Int32Array.from(each((x, y) => (isThing(x, y) ? 1 : 0)));
  const two = Uint8Array.from(each((x, y) => (isThing(x, y) ? 60 : 200)));
  const texture = Float32Array.from(each((x, y) => (isThing(x, y) ? 20 : 1)));
  const told = (also: (x: number, y: number) => boolean = () => false) =>
    Float32Array.from(each((x, y) => (isBeside(x, y) || also(x, y) ? 10 : 1)));
  interface Given {
    confidence?: Float32Array;
    plain?: Float32Array;
    brightness?: Uint8Array;
  }
  const drop = (depth: (x: number, y: number) => number, given: Given = {}) => {
    const { confidence = told(), plain = texture, brightness = two } = given;
    const maps = { inverseDepth: Float32Array.from(each(depth)), texture: plain };
    const open = dropFringes({ grey: brightness, width, height }, apart, maps, confidence);
    return { confidence, open };
  };
  const wallsLeft = (depth: (x: number, y: number) => number, given: Given = {}) => {
    const { confidence } = drop(depth, given);
    expect(confidence.filter((value, k) => value > 1 && apart[k] === 1)).toHaveLength(400);
    return confidence.filter((value, k) => value > 1 && apart[k] === 0).length;
  };
  const all = told().filter((value) => value > 1).length - 400;
  /** A ball's depth goes on beside it: no plane. */
  const ball = (x: number, y: number) => 0.5 - 0.0004 * ((x - 40) ** 2 + (y - 30) ** 2);
  const wall = (x: number, y: number) => 0.3 + 0.001 * x - 0.002 * y;

  test('of what stands before a plain surface are taken away, and nothing is completed there', () => {
    expect(wallsLeft(ball)).toBe(0);
    const { open } = drop(ball);
    expect(open.filter((one, k) => one === 1 && apart[k] === 0)).toHaveLength(width * height - 400);
  });

  test('are taken away on one plane too, unless known pixels of it lie all around', () => {
    // A flat thing, or a facade below the sky.
    expect(wallsLeft(wall)).toBe(0);
    // Posters along the borders of the picture.
    const around = told((x, y) => x < 8 || y < 8 || x >= width - 8 || y >= height - 8);
    const before = around.filter((value) => value > 1).length - 400;
    expect(wallsLeft(wall, { confidence: around })).toBe(before);
  });

  test('stay where there is texture, but for the pixels that mix both sides', () => {
    const near = (x: number, y: number) => x >= left - 3 && x < right + 3 && y >= top - 3 && y < bottom + 3;
    const mixed = each((x, y) => near(x, y) && !isThing(x, y)).filter(Boolean).length;
    expect(wallsLeft(ball, { plain: texture.map(() => 20) })).toBe(all - mixed);
  });

  test('go where the surface has depths of its own with texture, which stay', () => {
    const own = { confidence: told((x) => x < 15), plain: Float32Array.from(each((x) => (x < 15 ? 20 : 1))) };
    const depth = (x: number, y: number) => (x < 15 ? 0.2 : ball(x, y));
    expect(wallsLeft(depth, own)).toBe(15 * height);
    // A gradient without texture correlates at any depth: that alone makes no surface its own.
    expect(wallsLeft(depth, { confidence: told((x) => x < 15) })).toBe(0);
  });

  test('take a rim of the plain surface in the other segment with them', () => {
    const blurred = Uint8Array.from(each((x, y) => (isThing(x, y) && x >= left + 2 ? 60 : 200)));
    const { confidence } = drop(ball, { brightness: blurred });
    const rim = confidence.filter((value, k) => value > 1 && apart[k] === 1);
    expect(rim).toHaveLength(400 - 2 * (bottom - top));
  });
});

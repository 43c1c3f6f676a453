import { expect, test } from 'vitest';
import {
  confidenceAt,
  confidenceHistogram,
  confidenceScale,
  percentileOf,
} from '../../../electron/contract/confidence.js';
import { decodeMaps, encodeMaps } from '../../../electron/contract/photo-maps.js';

/** Crowded at one end, as networks' numbers are: half of them lie within an eighth of the range. */
const crowded = Float32Array.from({ length: 10_000 }, (_, k) => 1 + 99 * (k / 9999) ** 3).sort();

test('a scale takes equal shares of the depths at equal steps, wherever the numbers crowd', () => {
  const scale = confidenceScale(crowded)!;
  for (const percent of [5, 25, 50, 75, 95]) {
    const limit = confidenceAt(scale, percent);
    const below = crowded.filter((value) => value < limit).length / crowded.length;
    expect(below).toBeCloseTo(percent / 100, 2);
    expect(percentileOf(scale, limit)).toBeCloseTo(percent, 3);
  }
  expect(percentileOf(scale, 0.5)).toBe(0);
  expect(percentileOf(scale, 1000)).toBe(100);
  expect(confidenceScale(new Float32Array(0))).toBeUndefined();
});

test('where many depths have one confidence, its percentage is of those that are less sure', () => {
  const scale = confidenceScale(Float32Array.from({ length: 1000 }, (_, k) => (k < 300 ? 1 + k / 300 : 5)))!;
  expect(percentileOf(scale, 5)).toBeGreaterThan(28);
  expect(percentileOf(scale, 5)).toBeLessThanOrEqual(31);
  expect(confidenceScale(new Float32Array(10).fill(3))!.every((value) => value === 3)).toBe(true);
});

test('the histogram holds every depth once', () => {
  for (const values of [crowded, new Float32Array(10).fill(3), Float32Array.from([1, 2, 3, 4])]) {
    const bins = confidenceHistogram(confidenceScale(values)!, 40);
    expect(bins.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
    expect(bins.every(({ share, from }) => share >= 0 && Number.isFinite(from))).toBe(true);
  }
});

test('maps come back as they were', () => {
  const maps = {
    width: 3,
    height: 2,
    range: [1, 4] as const,
    originalFromView: { scaleX: 2, scaleY: 2, offsetX: 0.5, offsetY: 0.5 },
    depth: Float32Array.from([0, 1, 2, 3, 4, 5]),
    confidence: Float32Array.from([1, 1.5, 2, 3, 4, 5]),
    normals: Int8Array.from({ length: 18 }, (_, k) => k - 9),
    inferred: Uint8Array.from([0, 0, 1, 0, 0, 1]),
  };
  const buffer = encodeMaps(maps).buffer as ArrayBuffer;
  expect(decodeMaps(buffer)).toEqual(maps);
  expect(() => decodeMaps(buffer.slice(0, -1))).toThrow(RangeError);
});

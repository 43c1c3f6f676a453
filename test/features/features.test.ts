import { describe, expect, it } from 'vitest';
import { DESCRIPTOR, findFeatures } from '../../electron/features/features.js';
import { matchFeatures } from '../../electron/sparse/matching.js';
import { texture } from '../sparse/synthetic.js';

const paint = texture(1);
const SIDE = 260;
/** Texture units a pixel. */
const UNIT = 1 / 130;
const OPTIONS = { maximum: 1500, contrast: 0.02 };

/** The texture seen turned (degrees) and enlarged about the centre, in another light. */
function picture(degrees: number, zoom: number, gain = 1): Float32Array {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return Float32Array.from({ length: SIDE * SIDE }, (_, k) => {
    const [x, y] = [((k % SIDE) - SIDE / 2) / zoom, (Math.floor(k / SIDE) - SIDE / 2) / zoom];
    return gain * paint((c * x + s * y) * UNIT + 9, (-s * x + c * y) * UNIT + 9);
  });
}

describe('features', () => {
  const reference = findFeatures(picture(0, 1), SIDE, SIDE, OPTIONS);

  it.each([
    [0, 1, 0.7],
    [35, 1, 1],
    [90, 1, 1],
    [180, 1.3, 1],
    [20, 1.6, 0.8],
    [-50, 0.7, 1],
  ])('match when turned by %d degrees, enlarged %d times, lit %d times', (degrees, zoom, gain) => {
    const other = findFeatures(picture(degrees, zoom, gain), SIDE, SIDE, OPTIONS);
    const matches = matchFeatures(reference, other);
    const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    let right = 0;
    for (let k = 0; k < matches.length; k += 2) {
      const [x, y] = [
        reference.keypoints[4 * matches[k]!]! - SIDE / 2,
        reference.keypoints[4 * matches[k]! + 1]! - SIDE / 2,
      ];
      const expected = [zoom * (c * x - s * y) + SIDE / 2, zoom * (s * x + c * y) + SIDE / 2];
      const found = other.keypoints.subarray(4 * matches[k + 1]!);
      if (Math.hypot(found[0]! - expected[0]!, found[1]! - expected[1]!) < 1.5 * Math.max(1, zoom)) right++;
    }
    expect(matches.length / 2).toBeGreaterThan(60);
    expect(right / (matches.length / 2)).toBeGreaterThan(0.9);
  });

  it('have descriptors of one length, which matching by product needs', () => {
    for (let k = 0; k < reference.count; k++) {
      const squared = reference.descriptors
        .subarray(k * DESCRIPTOR, (k + 1) * DESCRIPTOR)
        .reduce((sum, value) => sum + value * value, 0);
      expect(Math.abs(Math.sqrt(squared) / 512 - 1)).toBeLessThan(0.02);
    }
  });

  it('are found at sub-pixel positions', () => {
    const blob = Float32Array.from({ length: 64 * 64 }, (_, k) =>
      Math.exp(-(((k % 64) - 30.3) ** 2 + (Math.floor(k / 64) - 33.6) ** 2) / 32),
    );
    const { keypoints, count } = findFeatures(blob, 64, 64, OPTIONS);
    expect(count).toBeGreaterThan(0);
    expect(Math.hypot(keypoints[0]! - 30.3, keypoints[1]! - 33.6)).toBeLessThan(0.1);
  });

  it('are spread: a busy quarter cannot take them all', () => {
    const busy = picture(0, 1).map((value, k) =>
      k % SIDE < SIDE / 2 && k < (SIDE * SIDE) / 2 ? value : 0.5 + 0.25 * (value - 0.5),
    );
    const { keypoints, count } = findFeatures(busy, SIDE, SIDE, { maximum: 200, contrast: 0.004 });
    let inside = 0;
    for (let k = 0; k < count; k++) if (keypoints[4 * k]! < SIDE / 2 && keypoints[4 * k + 1]! < SIDE / 2) inside++;
    expect(inside / count).toBeLessThan(0.85);
  });

  it('are none on a plain wall and in a picture of one pixel', () => {
    expect(findFeatures(new Float32Array(100 * 100).fill(0.5), 100, 100, OPTIONS).count).toBe(0);
    expect(findFeatures(Float32Array.of(0.5), 1, 1, OPTIONS).count).toBe(0);
    const none = { count: 0, keypoints: new Float32Array(), descriptors: new Uint8Array() };
    expect(matchFeatures(none, reference)).toHaveLength(0);
  });

  it('never lie on masked pixels', () => {
    const keep = Uint8Array.from({ length: SIDE * SIDE }, (_, k) => (k % SIDE < 100 ? 1 : 0));
    const { count, keypoints } = findFeatures(picture(0, 1), SIDE, SIDE, OPTIONS, keep);
    expect(count).toBeGreaterThan(50);
    for (let k = 0; k < count; k++) expect(Math.round(keypoints[4 * k]!)).toBeLessThan(100);
  });
});

import { describe, expect, it } from 'vitest';
import { multiply3, randomNumbers, transpose3 } from '../../electron/numerics/linear.js';
import { times3 } from '../../electron/numerics/vector.js';
import { placeByPairs } from '../../electron/sparse/pair-placement.js';
import { lookAt, scatter, see } from './synthetic.js';

const LENS = { focal: 0.9, k1: 0 };
const PLACED = lookAt([0, 0, -6], [0, 0, 0]);
const TRUTH = lookAt([2, -1, -5], [0.2, 0, 0]);
const OPTIONS = { limit: 4 / 1600, leastEvidence: 6 };

/** Their true geometry; the way from camera to camera is of length one. */
function pair() {
  const rotation = multiply3(TRUTH.rotation, transpose3(PLACED.rotation));
  const moved = times3(rotation, PLACED.translation);
  const way = TRUTH.translation.map((value, k) => value - moved[k]!);
  const translation = way.map((value) => value / Math.hypot(...way));
  return { a: 0, b: 1, rotation, translation, inlierCount: 50, parallax: 9, rotationShare: 0 };
}

/** Points that the photo sees, this share of them elsewhere. */
function sight(count: number, wrong: number) {
  const random = randomNumbers(3);
  const points = scatter(count, 4);
  const at = see(TRUTH, LENS, points, 0.5 / 1600, random);
  const visible = points.map((_, k) => k).filter((k) => at[k]);
  const told = visible.flatMap((k) => (random() < wrong ? [random() - 0.5, 0.7 * (random() - 0.5)] : at[k]!));
  return { points: Float64Array.from(visible.flatMap((k) => points[k]!)), at: Float64Array.from(told) };
}

const place = (count: number, wrong: number) =>
  placeByPairs(1, [pair()], () => PLACED, sight(count, wrong), LENS, OPTIONS);

describe('a photo that its pair places', () => {
  it.each([
    [20, 0.3],
    [4000, 0.8],
  ])('stands where most of %i known points want it, of which %f are wrong', (count, wrong) => {
    const found = place(count, wrong)!;
    const off = found.translation.map((value, k) => value - TRUTH.translation[k]!);
    expect(Math.hypot(...off)).toBeLessThan(0.02);
    expect(found.count).toBeGreaterThan(0.8 * (1 - wrong) * count * 0.9);
  });

  it('stands nowhere when all of them are wrong', () => {
    expect(place(300, 1)).toBeUndefined();
  });
});

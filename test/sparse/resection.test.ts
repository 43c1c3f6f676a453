import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { resect } from '../../electron/sparse/resection.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { lookAt, scatter, see } from './synthetic.js';

const TRUTH = lookAt([2, -1, -5], [0.2, 0, 0]);
const OPTIONS = { limit: 8 / 1600, hypotheses: 300, seed: 1 };

/** What a camera sees of 200 points, this share of it elsewhere. */
function sight(focal: number, wrong: number, noise = 0) {
  const random = randomNumbers(6);
  const points = scatter(200, 5);
  const seen = see(TRUTH, { focal, k1: -0.1 }, points, noise, random);
  const visible = points.map((_, k) => k).filter((k) => seen[k]);
  return {
    points: Float64Array.from(visible.flatMap((k) => points[k]!)),
    at: Float64Array.from(
      visible.flatMap((k) => (random() < wrong ? [random() - 0.5, 0.7 * (random() - 0.5)] : seen[k]!)),
    ),
    count: visible.length,
  };
}

const apart = (u: ArrayLike<number>, v: ArrayLike<number>) => Math.hypot(u[0]! - v[0]!, u[1]! - v[1]!, u[2]! - v[2]!);

describe('resect', () => {
  it('finds the camera exactly, distortion and all', () => {
    const found = resect(sight(0.9, 0), [{ focal: 0.9, k1: -0.1 }], OPTIONS)!;
    expect(rotationDifference(found.rotation, TRUTH.rotation)).toBeLessThan(1e-4);
    expect(apart(found.translation, TRUTH.translation)).toBeLessThan(1e-5);
  });

  it('finds it among 60 % wrong sightings and tells which are', () => {
    const seen = sight(0.9, 0.6, 0.5 / 1600);
    const found = resect(seen, [{ focal: 0.9, k1: -0.1 }], OPTIONS)!;
    expect(rotationDifference(found.rotation, TRUTH.rotation)).toBeLessThan(0.2);
    expect(apart(found.translation, TRUTH.translation)).toBeLessThan(0.03);
    expect(found.inlierCount / seen.count).toBeGreaterThan(0.33);
    expect(found.inlierCount / seen.count).toBeLessThan(0.47);
    expect(found.evidence).toBeGreaterThan(50);
  });

  it('takes the focal that fits of those that a photo of an unknown camera may have', () => {
    const lenses = [0.6, 0.9, 1.4].map((focal) => ({ focal, k1: -0.1 }));
    expect(resect(sight(0.9, 0.3, 0.5 / 1600), lenses, OPTIONS)!.focal).toBe(0.9);
  });

  it('believes nothing where every sighting is wrong', () => {
    const found = resect(sight(0.9, 1), [{ focal: 0.9, k1: -0.1 }], OPTIONS);
    expect(found?.evidence ?? 0).toBeLessThan(15);
  });
});

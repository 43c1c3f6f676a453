import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { relativePose, rotationDifference } from '../../electron/sparse/two-view.js';
import type { PlacedCamera } from '../../electron/sparse/bundle.js';
import { arc, directionDifference, lookAt, relative, scatter, see, turn, type Vector } from './synthetic.js';

const LENS = { focal: 1, k1: 0 };
const PIXEL = 1 / 1600;
const OPTIONS = { threshold: 3 * PIXEL, hypotheses: 1200, seed: 1 };

/** Correspondences of two cameras, `outliers` of them at random places. */
function correspondences(a: PlacedCamera, b: PlacedCamera, points: Vector[], outliers: number, seed = 3) {
  const random = randomNumbers(seed);
  const [inA, inB] = [see(a, LENS, points, 0.5 * PIXEL, random), see(b, LENS, points, 0.5 * PIXEL, random)];
  const both = points.map((_, k) => k).filter((k) => inA[k] && inB[k]);
  const x1 = Float64Array.from(both.flatMap((k) => inA[k]!));
  const x2 = Float64Array.from(
    both.flatMap((k) => (random() < outliers ? [random() - 0.5, 0.75 * random() - 0.375] : inB[k]!)),
  );
  return { x1, x2 };
}

describe('relativePose', () => {
  it('finds the pose among 45 % wrong matches', () => {
    const [a, b] = arc(2, 15) as [PlacedCamera, PlacedCamera];
    const truth = relative(a, b);
    const { x1, x2 } = correspondences(a, b, scatter(300, 1), 0.45);
    const found = relativePose(x1, x2, OPTIONS)!;
    expect(rotationDifference(found.rotation, truth.rotation)).toBeLessThan(0.3);
    expect(directionDifference(found.translation, truth.translation)).toBeLessThan(1.5);
    expect(found.inlierCount).toBeGreaterThan(0.45 * (x1.length / 2));
    expect(found.inlierCount).toBeLessThan(0.7 * (x1.length / 2));
    expect(found.parallax).toBeGreaterThan(10);
  });

  it('finds the pose from a plane, where a general essential matrix is ambiguous', () => {
    const [a, b] = arc(2, 20) as [PlacedCamera, PlacedCamera];
    const wall = scatter(300, 2, 0).map(([x, y]): Vector => [x, y, 0.3 * x]);
    const truth = relative(a, b);
    const { x1, x2 } = correspondences(a, b, wall, 0.2);
    const found = relativePose(x1, x2, OPTIONS)!;
    expect(rotationDifference(found.rotation, truth.rotation)).toBeLessThan(1);
    expect(directionDifference(found.translation, truth.translation)).toBeLessThan(4);
  });

  it('finds a camera on its side', () => {
    const a = lookAt([-0.6, 0, -6], [0, 0, 0]);
    const upright = lookAt([0.6, 0, -6], [0, 0, 0]);
    const roll = turn(0, 0, 90);
    const b = {
      ...upright,
      rotation: Float64Array.from(
        [...roll.slice(0, 9)].map((_, k) =>
          [0, 1, 2].reduce((sum, j) => sum + roll[3 * Math.floor(k / 3) + j]! * upright.rotation[3 * j + (k % 3)]!, 0),
        ),
      ),
    };
    b.translation = Float64Array.from([0, 1, 2], (i) =>
      [0, 1, 2].reduce((sum, j) => sum + roll[3 * i + j]! * upright.translation[j]!, 0),
    );
    const { x1, x2 } = correspondences(a, b, scatter(300, 4), 0.2);
    expect(rotationDifference(relativePose(x1, x2, OPTIONS)!.rotation, relative(a, b).rotation)).toBeLessThan(0.3);
  });

  it('says when a rotation alone explains all', () => {
    const a = lookAt([0, 0, -6], [0, 0, 0]);
    const b = lookAt([0, 0, -6], [0.7, 0.1, 0]);
    const { x1, x2 } = correspondences(a, b, scatter(300, 5), 0.1);
    const found = relativePose(x1, x2, OPTIONS)!;
    expect(found.rotationShare).toBeGreaterThan(0.9);
    expect(found.parallax).toBeLessThan(0.5);
    expect(rotationDifference(found.rotation, relative(a, b).rotation)).toBeLessThan(0.5);
  });

  it('lets few matches agree when all are random', () => {
    const random = randomNumbers(6);
    const anywhere = () => Float64Array.from({ length: 400 }, () => random() - 0.5);
    expect(relativePose(anywhere(), anywhere(), OPTIONS)!.inlierCount).toBeLessThan(0.15 * 200);
  });

  it('gives nothing for fewer than eight matches', () => {
    expect(relativePose(new Float64Array(14), new Float64Array(14), OPTIONS)).toBeUndefined();
  });
});

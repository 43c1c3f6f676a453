import { describe, expect, it } from 'vitest';
import { multiply3, randomNumbers, rotationFromVector } from '../../electron/numerics/linear.js';
import { chanceOfLine, evidence } from '../../electron/sparse/evidence.js';
import { fitEpipolar } from '../../electron/sparse/epipolar.js';
import { fivePoint } from '../../electron/sparse/solvers/five-point.js';
import { eightPoint, fourPoint, planeAndTwo, sevenPoint } from '../../electron/sparse/solvers/fundamental.js';
import { nullSpace } from '../../electron/sparse/solvers/null-space.js';
import { threePoint } from '../../electron/sparse/solvers/p3p.js';
import { realRoots } from '../../electron/sparse/solvers/polynomial.js';

const TRIALS = 100;

/** Two calibrated cameras and what they see; the first `planar` points lie in one plane. */
function twoViews(seed: number, count: number, planar = 0) {
  const random = randomNumbers(seed);
  const R = rotationFromVector(random() - 0.5, random() - 0.5, random() - 0.5);
  const raw = [random() - 0.5, random() - 0.5, random() - 0.5];
  const t = raw.map((value) => value / Math.hypot(...raw));
  const points: number[][] = [];
  const rays: number[][] = [];
  const x1 = new Float64Array(2 * count);
  const x2 = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    const z = k < planar ? 5 : 4 + 4 * random();
    const p = [(random() - 0.5) * z, (random() - 0.5) * z, z];
    const q = [0, 1, 2].map((i) => R[3 * i]! * p[0]! + R[3 * i + 1]! * p[1]! + R[3 * i + 2]! * p[2]! + t[i]!);
    x1.set([p[0]! / z, p[1]! / z], 2 * k);
    x2.set([q[0]! / q[2]!, q[1]! / q[2]!], 2 * k);
    points.push(p);
    rays.push(q.map((value) => value / Math.hypot(...q)));
  }
  const E = multiply3([0, -t[2]!, t[1]!, t[2]!, 0, -t[0]!, -t[1]!, t[0]!, 0], R);
  return { R, t, E, points, rays, x1, x2 };
}

/** 0 for matrices that are equal up to scale. */
function apart(A: Float64Array, B: Float64Array): number {
  const dot = (u: Float64Array, v: Float64Array) => u.reduce((sum, value, k) => sum + value * v[k]!, 0);
  return 1 - Math.abs(dot(A, B)) / Math.sqrt(dot(A, A) * dot(B, B));
}

describe('minimal solvers, on exact data', () => {
  it('finds the essential matrix of five points', () => {
    let missed = 0;
    for (let seed = 1; seed <= TRIALS; seed++) {
      const { x1, x2, E } = twoViews(seed, 5);
      if (!fivePoint(x1, x2, [0, 1, 2, 3, 4]).some((found) => apart(found, E) < 1e-7)) missed++;
    }
    expect(missed).toBeLessThanOrEqual(1);
  });

  it('finds the fundamental matrix of seven points, of eight, and of a plane with two points off it', () => {
    for (let seed = 1; seed <= TRIALS; seed++) {
      const { x1, x2, E } = twoViews(seed, 12, 4);
      expect(sevenPoint(x1, x2, [0, 1, 4, 5, 6, 7, 8]).some((found) => apart(found, E) < 1e-6)).toBe(true);
      expect(apart(eightPoint(x1, x2, new Float64Array(12).fill(1))!, E)).toBeLessThan(1e-6);
      const H = fourPoint(x1, x2, [0, 1, 2, 3])!;
      expect(apart(planeAndTwo(H, x1, x2, 6, 9)!, E)).toBeLessThan(1e-6);
    }
  });

  it('finds the pose of a camera from three points', () => {
    let missed = 0;
    for (let seed = 1; seed <= TRIALS; seed++) {
      const { R, t, points, rays } = twoViews(seed, 3);
      const right = threePoint(points, rays).some(
        ({ rotation, translation }) =>
          rotation.every((value, k) => Math.abs(value - R[k]!) < 1e-5) &&
          translation.every((value, k) => Math.abs(value - t[k]!) < 1e-4),
      );
      if (!right) missed++;
    }
    expect(missed).toBeLessThanOrEqual(1);
  });

  it('finds all real roots, near and far', () => {
    // (x - 1) (x + 2) (x - 300) (x^2 + 1)
    const product = (p: number[], q: number[]) =>
      p.reduce((sum, a, i) => (q.forEach((b, j) => (sum[i + j] = (sum[i + j] ?? 0) + a * b)), sum), [] as number[]);
    const polynomial = [
      [-1, 1],
      [2, 1],
      [-300, 1],
      [1, 0, 1],
    ].reduce(product);
    const found = realRoots(polynomial);
    expect(found).toHaveLength(3);
    [-2, 1, 300].forEach((root, k) => expect(found[k]).toBeCloseTo(root, 8));
  });

  it('gives an orthonormal null space', () => {
    const random = randomNumbers(4);
    const A = Float64Array.from({ length: 45 }, () => random() - 0.5);
    const basis = nullSpace(A, 5, 9);
    const row = (M: Float64Array, k: number) => M.subarray(9 * k, 9 * k + 9);
    const dot = (u: Float64Array, v: Float64Array) => u.reduce((sum, value, k) => sum + value * v[k]!, 0);
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) expect(dot(row(basis, i), row(basis, j))).toBeCloseTo(i === j ? 1 : 0, 10);
      for (let r = 0; r < 5; r++) expect(dot(row(basis, i), row(A, r))).toBeCloseTo(0, 10);
    }
  });
});

describe('evidence', () => {
  const errors = (good: number, all: number, limit: number) => {
    const random = randomNumbers(7);
    return Float64Array.from({ length: all }, (_, k) => (k < good ? 0.5 * limit * random() : 0.3 * random()));
  };

  it('is strong for a few of few, and none for as many among very many', () => {
    const limit = 3 / 1600;
    expect(evidence(errors(15, 30, limit), limit, chanceOfLine, 5)).toBeGreaterThan(8);
    expect(evidence(errors(15, 900, limit), limit, chanceOfLine, 5)).toBeLessThan(0);
    expect(evidence(errors(0, 300, limit), limit, chanceOfLine, 5)).toBeLessThan(1);
  });
});

describe('fitEpipolar', () => {
  it('tells right matches from wrong ones without knowing the lens, mostly on a plane', () => {
    const random = randomNumbers(11);
    const { x1, x2 } = twoViews(5, 150, 90);
    const wrong = Uint8Array.from({ length: 150 }, (_, k) => (k % 3 === 2 ? 1 : 0));
    for (let k = 0; k < 150; k++) {
      for (const at of [2 * k, 2 * k + 1]) x2[at] = wrong[k] ? random() - 0.5 : x2[at]! + 0.0006 * (random() - 0.5);
    }
    const fit = fitEpipolar(x1, x2, { limit: 4 / 1600, hypotheses: 2000, seed: 1 })!;
    let [missed, taken] = [0, 0];
    fit.inliers.forEach((inlier, k) => {
      if (!wrong[k] && !inlier) missed++;
      if (wrong[k] && inlier) taken++;
    });
    expect(missed).toBeLessThan(5);
    expect(taken).toBeLessThan(5);
    expect(fit.evidence).toBeGreaterThan(50);
    expect(fit.planarShare).toBeGreaterThan(0.5);
    expect(fit.planarShare).toBeLessThan(0.75);
  });
});

import { expect, it } from 'vitest';
import type { Features } from '../../electron/features/features.js';
import { randomNumbers, rotationFromVector } from '../../electron/numerics/linear.js';
import { guidedMatches } from '../../electron/sparse/guided.js';
import { matchFeatures } from '../../electron/sparse/matching.js';
import { essential } from '../../electron/sparse/two-view.js';
import { arc, relative, scatter, see } from './synthetic.js';

const LENS = { focal: 1, k1: 0 };

/** Unit vectors as RootSIFT times 512, each a pattern with noise. */
function described(patterns: readonly number[], noise: number, random: () => number): Features {
  const descriptors = new Uint8Array(128 * patterns.length);
  patterns.forEach((pattern, k) => {
    const own = randomNumbers(pattern + 1);
    const vector = Array.from({ length: 128 }, () => own() ** 2 + noise * random());
    const length = Math.hypot(...vector);
    vector.forEach((value, i) => (descriptors[128 * k + i] = Math.round((512 * value) / length)));
  });
  const keypoints = Float32Array.from({ length: 4 * patterns.length }, random);
  return { count: patterns.length, keypoints, descriptors };
}

it('matches what looks alike in many places where the geometry leads to one of them', () => {
  const random = randomNumbers(3);
  const [first, second] = arc(2, 25);
  const points = scatter(200, 4);
  const seen = [first!, second!].map((camera) => see(camera, LENS, points, 1e-4, random));
  const both = points.map((_, k) => k).filter((k) => seen[0]![k] && seen[1]![k]);
  // Ten patterns over all points: window after window of a facade.
  const patterns = both.map((k) => k % 10);
  const [a, b] = [described(patterns, 0.2, random), described(patterns, 0.2, random)];
  expect(matchFeatures(a, b).length / 2).toBeLessThan(0.1 * both.length);
  const { rotation, translation } = relative(first!, second!);
  const [x1, x2] = seen.map((own) => Float64Array.from(both.flatMap((k) => own[k]!))) as [Float64Array, Float64Array];
  const taken = Uint32Array.of(0, 0, 1, 1);
  const found = guidedMatches(a, b, x1, x2, essential(rotation, translation), taken, { threshold: 1e-3 });
  const pairs = Array.from({ length: found.length / 2 }, (_, k) => [found[2 * k]!, found[2 * k + 1]!] as const);
  expect(pairs.length).toBeGreaterThan(0.7 * both.length);
  expect(pairs.filter(([i, j]) => i !== j).length).toBeLessThan(0.03 * pairs.length);
  expect(pairs.some(([i]) => i < 2)).toBe(false);
});

it('finds nothing along a geometry that is wrong', () => {
  const random = randomNumbers(7);
  const [first, second, other] = arc(3, 50);
  const points = scatter(900, 4);
  const seen = [first!, second!].map((camera) => see(camera, LENS, points, 1e-4, random));
  const both = points.map((_, k) => k).filter((k) => seen[0]![k] && seen[1]![k]);
  const [x1, x2] = seen.map((own) => Float64Array.from(both.flatMap((k) => own[k]!))) as [Float64Array, Float64Array];
  // Every point alone of its kind, seen under so much noise that few stand out from all others.
  const [a, b] = [described(both, 1.2, random), described(both, 1.2, random)];
  const search = (to: typeof first) => {
    const { rotation, translation } = relative(first!, to!);
    const found = guidedMatches(a, b, x1, x2, essential(rotation, translation), new Uint32Array(0), {
      threshold: 3e-3,
    });
    return Array.from({ length: found.length / 2 }, (_, k) => found[2 * k] === found[2 * k + 1]);
  };
  const right = search(second);
  expect(right.filter(Boolean).length).toBeGreaterThan(0.2 * both.length);
  expect(right.filter((isRight) => !isRight).length).toBeLessThan(0.15 * right.length);
  // The third camera's place instead of the second's.
  expect(search(other).length).toBeLessThan(0.02 * both.length);
});

it('finds what every feature compared with every other along the lines finds', () => {
  const random = randomNumbers(11);
  const count = 400;
  const [a, b] = [0, 1].map(() =>
    described(
      Array.from({ length: count }, () => Math.floor(60 * random())),
      0.6,
      random,
    ),
  );
  const [x1, x2] = [0, 1].map(() => Float64Array.from({ length: 2 * count }, () => random() - 0.5));
  for (const turned of [0, Math.PI / 2]) {
    // Lines across the picture, and down it.
    const E = essential(rotationFromVector(0.02, 0.05, turned), [Math.cos(turned), Math.sin(turned), 0.1]);
    const options = { threshold: 0.01, likeness: 0.5, ratio: 0.99, chance: Infinity };
    const found = guidedMatches(a!, b!, x1!, x2!, E, new Uint32Array(0), options);
    const products = Array.from({ length: count }, (_, i) =>
      Array.from({ length: count }, (__, j) => (isNear(E, x1!, i, x2!, j, 0.01) ? product(a!, i, b!, j) : 0)),
    );
    const columns = products.map((_, j) => products.map((row) => row[j]!));
    const expected = products.flatMap((row, i) => {
      const first = Math.max(...row);
      const j = row.indexOf(first);
      const isBest = first >= 0.5 * 512 ** 2 && columns[j]!.indexOf(Math.max(...columns[j]!)) === i;
      return isBest && standsOut(row, 0.99) && standsOut(columns[j]!, 0.99) ? [i, j] : [];
    });
    expect(expected.length).toBeGreaterThan(100);
    expect([...found]).toEqual(expected);
  }
});

function isNear(E: Float64Array, x1: Float64Array, i: number, x2: Float64Array, j: number, limit: number): boolean {
  const l = [0, 3, 6].map((k) => E[k]! * x1[2 * i]! + E[k + 1]! * x1[2 * i + 1]! + E[k + 2]!) as [
    number,
    number,
    number,
  ];
  return Math.abs(l[0] * x2[2 * j]! + l[1] * x2[2 * j + 1]! + l[2]) <= limit * Math.sqrt(l[0] ** 2 + l[1] ** 2);
}

function product(a: Features, i: number, b: Features, j: number): number {
  let sum = 0;
  for (let k = 0; k < 128; k++) sum += a.descriptors[128 * i + k]! * b.descriptors[128 * j + k]!;
  return sum;
}

function standsOut(products: readonly number[], ratio: number): boolean {
  const [first, second] = [...products].sort((p, q) => q - p) as [number, number];
  return 512 ** 2 - first < ratio ** 2 * (512 ** 2 - second);
}

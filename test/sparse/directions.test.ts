import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { agreeingDirections, type RelativeDirection } from '../../electron/sparse/directions.js';

const unit = (v: number[]) => Float64Array.from(v, (value) => value / Math.hypot(...v));

/** Cameras along a bent wall. */
const wall = (count: number): number[][] =>
  Array.from({ length: count }, (_, k) => [k * (1 + (k % 3) / 3), Math.sin(k / 3), 2 * Math.cos(k / 5)]);
/** Cameras round an object, at two heights. */
const ring = (count: number): number[][] =>
  Array.from({ length: count }, (_, k) => [
    Math.cos((2 * Math.PI * k) / count),
    (k % 2) / 4,
    Math.sin((2 * Math.PI * k) / count),
  ]);

/** Each camera with its next neighbours; every direction up to three degrees off. */
function walk(centres: number[][], far: number) {
  const count = centres.length;
  const random = randomNumbers(4);
  const pairs: RelativeDirection[] = [];
  for (let a = 0; a < count; a++)
    for (let b = a + 1; b <= Math.min(count - 1, a + far); b++) {
      const way = unit([0, 1, 2].map((i) => centres[b]![i]! - centres[a]![i]!));
      pairs.push({ a, b, direction: unit(Array.from(way, (value) => value + 0.06 * (random() - 0.5))), weight: 10 });
    }
  return pairs;
}

const wrongOnes = (pairs: RelativeDirection[]) => agreeingDirections(pairs).flatMap((agrees, k) => (agrees ? [] : [k]));

describe('agreeingDirections', () => {
  it.each([7, 30, 200])('keeps every pair of %d cameras that are right', (count) => {
    expect(wrongOnes(walk(wall(count), 3))).toEqual([]);
  });

  it('keeps the pairs of a straight walk', () => {
    const pairs = walk(wall(20), 3).map((pair) => ({
      ...pair,
      direction: unit([1, 0.04 * Math.sin(7 * pair.a + pair.b), 0]),
    }));
    expect(wrongOnes(pairs)).toEqual([]);
  });

  it('finds the pairs that a repeated pattern moved', () => {
    const pairs = walk(ring(16), 5);
    const moved = [4, 19, 33, 47, 58];
    for (const k of moved) {
      const [x, y, z] = Array.from(pairs[k]!.direction) as [number, number, number];
      pairs[k]!.direction = unit([z, y + 0.2, -x]);
    }
    expect(wrongOnes(pairs)).toEqual(moved);
  });

  it('takes the weaker of two pairs that one triangle blames', () => {
    const three = [
      [0, 1, 100],
      [1, 2, 100],
      [0, 2, 20],
    ].map(([a, b, weight], k): RelativeDirection => ({
      a: a!,
      b: b!,
      weight: weight!,
      direction: unit(
        [
          [1, 0, 0],
          [1, 1, 0],
          [0, -1, 1],
        ][k]!,
      ),
    }));
    expect(wrongOnes(three)).toEqual([2]);
  });

  it('has nothing against pairs that no triangle checks', () => {
    const pairs = [0, 1, 2].map((a): RelativeDirection => ({ a, b: a + 1, direction: unit([1, a, 0]), weight: 1 }));
    expect(wrongOnes(pairs)).toEqual([]);
  });
});

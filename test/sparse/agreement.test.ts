import { expect, it } from 'vitest';
import { agreement, disagreeing, mayAgree } from '../../electron/sparse/agreement.js';
import { multiply3 } from '../../electron/numerics/linear.js';
import { arc, exactPairs, turn } from './synthetic.js';

const cameras = arc(5, 60);
const pairs = exactPairs(cameras);
const placed = new Map(cameras.map((camera, k) => [k, camera] as const));

it('is whole where cameras stand as the pairs say', () => {
  expect(agreement(pairs, placed)).toBe(1);
});

it('names the pairs of a camera that stands elsewhere', () => {
  const moved = { ...cameras[4]!, translation: cameras[4]!.translation.map((t, i) => t + [0, 8, 0][i]!) };
  const wrong = new Map([...placed, [4, moved] as const]);
  expect(disagreeing(pairs, wrong).map(({ a, b }) => [a, b])).toEqual([0, 1, 2, 3].map((a) => [a, 4]));
  expect(agreement(pairs, wrong)).toBeCloseTo(0.6);
});

it('asks no pair that was taken from one place, nor one that is not placed', () => {
  const still = pairs.map((pair) => ({ ...pair, translation: Float64Array.of(0, 1, 0), parallax: 0.3 }));
  expect(agreement(still, placed)).toBe(1);
  expect(agreement(pairs, new Map([[0, cameras[0]!]]))).toBe(1);
});

it('lets a pair of small parallax trade a turn for a step aside, and no other', () => {
  const [first] = pairs;
  // Sixty degrees off in its direction, and two in its rotation: at so little parallax one explains the other.
  const length = Math.hypot(...first!.translation);
  const translation = first!.translation.map((t, i) => (0.5 * t) / length + [0, 0.866, 0][i]!);
  const off = { ...first!, rotation: multiply3(turn(2, 0, 0), first!.rotation), translation };
  const others = pairs.slice(1);
  expect(disagreeing([{ ...off, parallax: 1.5 }, ...others], placed, mayAgree)).toEqual([]);
  // Placing cameras asks more.
  expect(disagreeing([{ ...off, parallax: 1.5 }, ...others], placed)).toHaveLength(1);
  expect(disagreeing([{ ...off, parallax: 20 }, ...others], placed, mayAgree)).toHaveLength(1);
  expect(disagreeing([{ ...off, rotation: first!.rotation, parallax: 1.5 }, ...others], placed, mayAgree)).toHaveLength(
    1,
  );
});

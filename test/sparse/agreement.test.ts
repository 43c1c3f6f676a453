import { expect, it } from 'vitest';
import { agreement, disagreeing } from '../../electron/sparse/agreement.js';
import { arc, exactPairs } from './synthetic.js';

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

import { expect, it } from 'vitest';
import { multiply3, randomNumbers, transpose3 } from '../../electron/numerics/linear.js';
import {
  averageRotations,
  isConsistent,
  rotationDisagreement,
  type RelativeRotation,
} from '../../electron/sparse/consistency.js';
import { turn } from './synthetic.js';

it('finds the pairs that contradict the others, though they have more inliers', () => {
  const random = randomNumbers(1);
  const absolute = Array.from({ length: 10 }, (_, k) => turn(5 * random(), 8 * k, 5 * random()));
  const wrong = new Set([3, 11, 17, 25, 30, 38, 41]);
  const pairs: RelativeRotation[] = [];
  for (let a = 0; a < 10; a++) {
    for (let b = a + 1; b < 10; b++) {
      const isWrong = wrong.has(pairs.length);
      const noise = isWrong ? turn(0, 30 + 40 * random(), 10) : turn(random() - 0.5, random() - 0.5, random() - 0.5);
      pairs.push({
        a,
        b,
        rotation: multiply3(noise, multiply3(absolute[b]!, transpose3(absolute[a]!))),
        weight: isWrong ? 150 : 100,
      });
    }
  }
  const found = [...rotationDisagreement(averageRotations(10, pairs), pairs)].flatMap((degrees, k) =>
    isConsistent(degrees) ? [] : [k],
  );
  expect(found).toEqual([...wrong]);
});

it('keeps pairs of two sets that nothing connects', () => {
  const pairs = [
    [0, 1],
    [2, 3],
  ].map(([a, b]) => ({ a: a!, b: b!, rotation: turn(0, 50, 0), weight: 30 }));
  expect([...rotationDisagreement(averageRotations(4, pairs), pairs)].every(isConsistent)).toBe(true);
});

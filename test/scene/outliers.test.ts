import { expect, it } from 'vitest';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { outliers } from '../../electron/scene/outliers.js';

it('points off a surface are outliers; a far part of it, where points lie farther apart, is not', () => {
  const random = randomNumbers(11);
  const positions: number[] = [];
  const pitch: number[] = [];
  // A near wall and a far one: ten times as far, ten times as sparse.
  for (const [size, spacing] of [
    [1, 0.01],
    [10, 0.1],
  ] as const)
    for (let k = 0; k < 10_000; k++) {
      positions.push(spacing * (k % 100), spacing * Math.floor(k / 100), size + 0.1 * spacing * random());
      pitch.push(spacing);
    }
  const walls = pitch.length;
  for (let k = 0; k < 60; k++) {
    positions.push(random(), random(), 1.3 + 2 * random());
    pitch.push(0.015);
  }
  const marks = outliers({ positions: Float32Array.from(positions), pitch: Float32Array.from(pitch) });
  const share = (from: number, to: number): number =>
    marks.subarray(from, to).reduce((sum, mark) => sum + mark, 0) / (to - from);
  expect(share(0, walls)).toBeLessThan(0.005);
  expect(share(walls, marks.length)).toBeGreaterThan(0.9);
});

import { expect, test } from 'vitest';
import { BLOCKS, FrameTally, lookedAtSize } from '../../electron/video/analyse.js';
import { CHOOSE_DEFAULTS, chooseFrames } from '../../electron/video/choose.js';

const { width, height } = lookedAtSize(1920, 1080);

/** Brighter towards one side of each cell, so that a step to the left costs another sum than one to the right. */
function frame(left: number): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, k) => {
    const [x, y] = [(k % width) + left, Math.floor(k / width)];
    const cell = (Math.imul(Math.floor(x / 40) * 7919 + Math.floor(y / 40), 2654435761) >>> 0) % 97;
    return cell + (x % 40) ** 2 / 16 + (y % 40) / 2;
  });
}

function tallied(lefts: readonly number[]) {
  const tally = new FrameTally(width, height);
  const frames = new Map([...new Set(lefts)].map((left) => [left, frame(left)]));
  for (const left of lefts) tally.add(frames.get(left)!);
  return tally.result();
}

test('one picture that is shown for seconds goes nowhere', () => {
  const lefts = Array.from({ length: 60 }, () => 0);
  const times = lefts.map((_, k) => k / 30);
  expect(chooseFrames(tallied(lefts), times, { ...CHOOSE_DEFAULTS, frames: 12 })).toHaveLength(1);
});

test('a camera that moves by a sixth of a searched pixel a frame arrives where it went', () => {
  const lefts = Array.from({ length: 31 }, (_, k) => k);
  const { shift, count } = tallied(lefts);
  const middle = 5;
  let moved = 0;
  for (let k = 0; k < count; k++) moved += shift[2 * (k * BLOCKS + middle)]!;
  expect(moved * Math.max(width, height)).toBeGreaterThan(-33);
  expect(moved * Math.max(width, height)).toBeLessThan(-27);
});

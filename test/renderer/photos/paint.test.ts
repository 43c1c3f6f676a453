import { describe, expect, it } from 'vitest';
import {
  brushStroke,
  fillPolygon,
  floodColour,
  paintRuns,
  runLengths,
  wholeMask,
} from '../../../renderer/photos/masks/paint.js';

const kept = (keep: Uint8Array): number => keep.reduce((sum, flag) => sum + flag, 0);

describe('painting masks', () => {
  it('a stroke hides a capsule, and shows it again', () => {
    const mask = wholeMask(60, 40);
    brushStroke(mask, [10, 20], [40, 20], 5, 0);
    // 30 x 11 pixels and the two half discs.
    expect(Math.abs(60 * 40 - kept(mask.keep) - (30 * 11 + Math.PI * 25))).toBeLessThan(20);
    brushStroke(mask, [10, 20], [40, 20], 5.1, 1);
    expect(kept(mask.keep)).toBe(60 * 40);
  });

  it('a stroke beyond the edge hides what is inside', () => {
    const mask = wholeMask(20, 20);
    brushStroke(mask, [-3, -3], [-3, 30], 5, 0);
    expect([...mask.keep.subarray(0, 4)]).toEqual([0, 0, 0, 1]);
  });

  it('a polygon hides its inside, not its notch', () => {
    const mask = wholeMask(40, 40);
    fillPolygon(
      mask,
      [
        [5, 5],
        [35, 5],
        [20, 20],
        [35, 35],
        [5, 35],
      ],
      0,
    );
    const at = (x: number, y: number): number => mask.keep[y * 40 + x]!;
    expect([at(10, 20), at(30, 20), at(30, 6), at(30, 33), at(2, 20)]).toEqual([0, 1, 0, 0, 1]);
  });

  it('a flood stops where the colour changes', () => {
    const mask = wholeMask(30, 10);
    const pixels = new Uint8ClampedArray(30 * 10 * 4);
    for (let p = 0; p < 300; p++) pixels.fill(p % 30 < 12 ? 200 + (p % 5) : 90, 4 * p, 4 * p + 3);
    floodColour(mask, pixels, [3, 3], 10, 0);
    expect(kept(mask.keep)).toBe(18 * 10);
  });

  it('runs begin with hidden pixels', () => {
    expect(runLengths(Uint8Array.of(1, 1, 0, 0, 0, 1))).toEqual([0, 2, 3, 1]);
    expect(runLengths(Uint8Array.of(0, 1))).toEqual([1, 1]);
  });

  it('takes over an object that was found, and nothing beside it', () => {
    const mask = wholeMask(4, 2);
    paintRuns(mask, [1, 2, 3, 2], 0);
    expect([...mask.keep]).toEqual([1, 0, 0, 1, 1, 1, 0, 0]);
    paintRuns(mask, [0, 2, 6], 1);
    expect([...mask.keep]).toEqual([1, 1, 0, 1, 1, 1, 0, 0]);
  });
});

import { describe, expect, it } from 'vitest';
import { partOf, PointBudget } from '../../../renderer/viewer/budget.js';

/** A graphics processor that draws so many points a millisecond, and needs some milliseconds for a frame of none. */
function drive(
  budget: PointBudget,
  total: number,
  frames: number,
  moving: boolean,
  rate: number,
  fixed = 2,
): { points: number; milliseconds: number }[] {
  return Array.from({ length: frames }, () => {
    if (moving) budget.restart();
    const { from, to, clear } = budget.next(total);
    const milliseconds = fixed + (to - from) / rate;
    budget.adapt(clear, to - from, milliseconds);
    return { points: to - from, milliseconds };
  });
}

describe('the point budget', () => {
  it('draws every point once at rest, the first frame on an empty picture', () => {
    const budget = new PointBudget();
    let at = 0;
    for (let frame = 0; ; frame++) {
      const { from, to, clear, complete } = budget.next(2_345_678);
      expect([from, clear]).toEqual([at, frame === 0]);
      at = to;
      if (complete) break;
    }
    expect(at).toBe(2_345_678);
    expect(budget.next(2_345_678)).toEqual({ from: at, to: at, clear: false, complete: true });
  });

  it('starts anew when the view moves', () => {
    const budget = new PointBudget();
    budget.next(3_000_000);
    budget.restart();
    expect(budget.next(3_000_000)).toMatchObject({ from: 0, clear: true });
  });

  it.each([5_000, 20_000, 400_000])('holds the frame rate of a moving view at %i points a millisecond', (rate) => {
    const frames = drive(new PointBudget(), 10_000_000, 80, true, rate);
    const settled = frames.slice(40);
    expect(Math.max(...settled.map(({ milliseconds }) => milliseconds))).toBeLessThanOrEqual(40);
    // And draws as much as that allows.
    expect(settled.at(-1)!.points).toBeGreaterThanOrEqual(Math.min(10_000_000, rate * 18));
    // One density, not two that flicker.
    expect(new Set(settled.slice(-10).map(({ points }) => points)).size).toBe(1);
  });

  it('never falls below what can be made out, however slow the machine', () => {
    const frames = drive(new PointBudget(), 10_000_000, 40, true, 100, 60);
    expect(frames.at(-1)!.points).toBe(100_000);
  });

  it('fills in at rest by more a frame than it moves with, and soon enough to be interrupted', () => {
    const frames = drive(new PointBudget(), 100_000_000, 60, false, 20_000).slice(30);
    expect(Math.min(...frames.map(({ points }) => points))).toBeGreaterThan(20_000 * 40);
    expect(Math.max(...frames.map(({ milliseconds }) => milliseconds))).toBeLessThanOrEqual(100);
  });

  it('does not take a short last frame for a fast machine', () => {
    const budget = new PointBudget();
    for (let k = 0; k < 20; k++) budget.adapt(true, 10, 1);
    expect(budget.next(10_000_000).to).toBe(500_000);
  });

  it('of a chunk draws the part that is meant', () => {
    expect([0, 1, 2, 3].map((chunk) => partOf(chunk, 100, 150, 250))).toEqual([
      { start: 150, count: 0 },
      { start: 50, count: 50 },
      { start: 0, count: 50 },
      { start: 0, count: 0 },
    ]);
  });
});

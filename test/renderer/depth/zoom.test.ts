import { expect, test } from 'vitest';
import { fitting, moved, pictureAt, whole, zoomed } from '../../../renderer/depth/zoom.js';

test('what lies under the pointer stays there while it is zoomed, and the picture fills its window', () => {
  const near = zoomed(whole, 4, 0.75, 0.5);
  expect(pictureAt(near, 0.75, 0.5)).toEqual({ x: 0.75, y: 0.5 });
  const far = zoomed(moved(near, -5, 0), 0.3, 0.9, 0.9);
  expect(far.left + 1 / far.scale).toBeLessThanOrEqual(1 + 1e-12);
  expect(zoomed(far, 1e-3)).toEqual(whole);
  expect(moved(near, 100, 100)).toMatchObject({ left: 0, top: 0 });
});

test('pictures keep their shape and take the room there is', () => {
  const room = { caption: 20, gap: 12 };
  for (const [width, height, aspect] of [
    [1240, 200, 4 / 3],
    [600, 700, 4 / 3],
    [1000, 240, 3 / 4],
    [300, 80, 16 / 9],
  ] as const) {
    const found = fitting({ width, height }, 4, aspect, room);
    expect(found.width / found.height).toBeCloseTo(aspect, 1);
    const rows = Math.ceil(4 / found.columns);
    expect(found.columns * found.width + (found.columns - 1) * room.gap).toBeLessThanOrEqual(width);
    expect(rows * (found.height + room.caption) + (rows - 1) * room.gap).toBeLessThanOrEqual(height + rows);
  }
  expect(fitting({ width: 1240, height: 200 }, 4, 4 / 3, room).columns).toBe(4);
  expect(fitting({ width: 0, height: 0 }, 4, 4 / 3, room)).toMatchObject({ width: 0 });
});

import { expect, test, vi } from 'vitest';
import type { CameraInfo, PairInfo, PhotoInfo } from '../../../electron/contract/api.js';

vi.mock('../../../renderer/transport/index.js', () => ({ api: {}, desktop: undefined }));
vi.stubGlobal('matchMedia', () => ({ matches: false }));
vi.stubGlobal('navigator', { platform: 'Linux' });
const { layoutGraph, nodeLook } = await import('../../../renderer/graph/layout.js');
const { cellAfter } = await import('../../../renderer/graph/MatrixPanel.js');

const photos = (count: number): PhotoInfo[] =>
  Array.from({ length: count }, (_, k) => ({ id: `p${k}`, name: `photo-${k}.jpg` }) as PhotoInfo);
const all = (count: number): PairInfo[] =>
  Array.from({ length: count }, (_, a) =>
    Array.from(
      { length: count - a - 1 },
      (_, b) => ({ a: `p${a}`, b: `p${a + b + 1}`, state: 'observed', enabled: true }) as PairInfo,
    ),
  ).flat();
/** A walk along a wall, with a group of cameras that stand almost in one place. */
const cameras = (count: number): CameraInfo[] =>
  Array.from({ length: count }, (_, k) => {
    const x = k < count / 2 ? k * 0.01 : k;
    return { photo: `p${k}`, worldFromCamera: [1, 0, 0, x, 0, 1, 0, 0, 0, 0, 1, k % 3, 0, 0, 0, 1] } as CameraInfo;
  });
const sizes = {
  '1280x800': { width: 1280, height: 187 },
  '1024x700': { width: 1024, height: 187 },
  wide: { width: 1920, height: 300 },
};

test.each(Object.entries(sizes))('no picture of the graph covers another, in the drawer of %s', (_, size) => {
  for (const count of [2, 7, 11, 21]) {
    const look = nodeLook(count, size);
    expect(look.dot).toBe(false);
    const places = [...layoutGraph(photos(count), all(count), cameras(count), size, look).values()];
    places.forEach((a, k) => {
      expect(Math.abs(a.x) + look.width / 2).toBeLessThanOrEqual(size.width / 2);
      expect(Math.abs(a.y) + (look.height + look.label) / 2).toBeLessThanOrEqual(size.height / 2);
      for (const b of places.slice(k + 1)) {
        const apart = { x: Math.abs(a.x - b.x) - look.width, y: Math.abs(a.y - b.y) - look.height - look.label };
        expect(Math.max(apart.x, apart.y)).toBeGreaterThanOrEqual(0);
      }
    });
  }
});

test('many photos are dots, laid out soon, each inside', () => {
  const look = nodeLook(500, sizes['1280x800']);
  expect(look.dot).toBe(true);
  const places = layoutGraph(photos(500), [], cameras(500), sizes['1280x800'], look);
  expect(places.size).toBe(500);
  for (const { x, y } of places.values()) {
    expect(Math.abs(x)).toBeLessThan(640);
    expect(Math.abs(y)).toBeLessThan(94);
  }
});

test('arrow keys go through the matrix by row and column, over the photo against itself, and stay inside', () => {
  expect(cellAfter('ArrowDown', { row: 0, column: 3 }, 5)).toEqual({ row: 1, column: 3 });
  expect(cellAfter('ArrowRight', { row: 2, column: 1 }, 5)).toEqual({ row: 2, column: 3 });
  expect(cellAfter('ArrowUp', { row: 0, column: 3 }, 5)).toEqual({ row: 0, column: 3 });
  expect(cellAfter('ArrowLeft', { row: 0, column: 1 }, 5)).toEqual({ row: 0, column: 1 });
  expect(cellAfter('a', { row: 0, column: 1 }, 5)).toBeUndefined();
});

import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../electron/numerics/linear.js';
import type { Photo } from '../../electron/geometry/types.js';
import { FOCAL_GRID, groupLenses, peakFocal } from '../../electron/sparse/calibration.js';
import { relativePose } from '../../electron/sparse/two-view.js';
import { arc, lookAt, scatter, see } from './synthetic.js';

describe('focal by consensus over pairs', () => {
  it.each([40, 65, 90])('finds a field of view of %d degrees along the long side', (degrees) => {
    const focal = 0.5 / Math.tan((degrees * Math.PI) / 360);
    const random = randomNumbers(1);
    // Filling the picture whatever the lens.
    const cameras = arc(4, 60, 4 * Math.max(1, focal)).map((camera, k) =>
      k === 1 ? lookAt([0.6, -1.2, -3.5 * Math.max(1, focal)], [0, 0, 0]) : camera,
    );
    const points = scatter(140, 3);
    const seen = cameras.map((camera) => see(camera, { focal, k1: 0 }, points, 0.4 / 1600, random));
    const scores: number[][] = [];
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [1, 3],
    ] as const) {
      const both = points.map((_, k) => k).filter((k) => seen[a]![k] && seen[b]![k]);
      const [x, y] = [a, b].map((camera) =>
        Float64Array.from(both.flatMap((k) => (random() < 0.1 ? [random() - 0.5, random() - 0.5] : seen[camera]![k]!))),
      ) as [Float64Array, Float64Array];
      scores.push(
        FOCAL_GRID.map(
          (f) =>
            relativePose(
              x.map((v) => v / f),
              y.map((v) => v / f),
              { threshold: 2 / 1600 / f, hypotheses: 200, seed: 1 },
            )?.score ?? 0,
        ),
      );
    }
    const found = peakFocal(scores);
    // Bundle adjustment does the rest: its start must lie within a grid step.
    expect(Math.abs(Math.log(found.focal / focal))).toBeLessThan(0.09);
    expect(found.prominence).toBeGreaterThan(0);
  });
});

describe('groupLenses', () => {
  const photo = (width: number, height: number, rest: Partial<Photo> = {}): Photo => ({
    id: '',
    path: '',
    name: '',
    size: 0,
    sharpness: 1,
    width,
    height,
    ...rest,
  });

  it('shares a lens between portrait and landscape photos of one camera', () => {
    expect(groupLenses([photo(400, 300), photo(300, 400)]).lensOf).toEqual([0, 0]);
  });

  it('tells cameras, sizes, zoom settings and typed-in focals apart', () => {
    const focal = (pixels: number, source: 'exif-35mm' | 'user') => ({ focal: { pixels, source } });
    const { lensOf, groups } = groupLenses([
      photo(400, 300),
      photo(400, 300, { camera: 'X' }),
      photo(800, 600),
      photo(400, 300, focal(400, 'exif-35mm')),
      photo(400, 300, focal(500, 'exif-35mm')),
      photo(400, 300, focal(400, 'user')),
    ]);
    expect(new Set(lensOf).size).toBe(6);
    expect(groups.map(({ known }) => known)).toEqual([undefined, undefined, undefined, 1, 1.25, 1]);
  });
});

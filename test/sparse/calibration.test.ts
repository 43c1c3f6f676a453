import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../electron/numerics/linear.js';
import type { Photo } from '../../electron/geometry/types.js';
import { FOCAL_GRID, groupLenses, namelessKeys, peakFocals } from '../../electron/sparse/calibration.js';
import { scoreFocals } from '../../electron/sparse/focal-scores.js';
import { arc, lookAt, scatter, see } from './synthetic.js';

describe('focal by consensus over pairs', () => {
  it.each([24, 40, 65, 90])('finds a field of view of %d degrees along the long side', (degrees) => {
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
      const focals = FOCAL_GRID.map((each): [number, number] => [each, each]);
      const { scores: own, hasParallax } = scoreFocals({ x1: x, x2: y, focals, limit: 3 / 1600, seed: 1 });
      expect(hasParallax).toBe(true);
      scores.push(own);
    }
    // Bundle adjustment does the rest: its start must lie within a grid step.
    expect(Math.abs(Math.log(peakFocals(scores)[0]! / focal))).toBeLessThan(0.14);
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

  it('gives photos of a key that is apart a lens each', () => {
    const photos = [photo(400, 300, { id: 'a' }), photo(800, 600), photo(300, 400, { id: 'b' })];
    expect(groupLenses(photos, namelessKeys(photos)).lensOf).toEqual([0, 1, 2]);
  });

  it('counts as nameless what several photos share by their size alone', () => {
    const frame = { video: 'v.mp4', videoId: 'v', seconds: 0 };
    const pairs = [{}, { camera: 'X' }, { frame }, { focal: { pixels: 400, source: 'exif-35mm' as const } }].map(
      (rest, k) => [photo(400 + k, 300, rest), photo(400 + k, 300, rest)],
    );
    expect(pairs.map((photos) => namelessKeys(photos).size)).toEqual([1, 0, 0, 0]);
    expect(namelessKeys([photo(400, 300), photo(800, 600)]).size).toBe(0);
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

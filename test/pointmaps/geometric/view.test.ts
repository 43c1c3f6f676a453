import type { PhotoReader } from '../../../electron/geometry/stage.js';
import { describe, expect, it } from 'vitest';
import type { Photo } from '../../../electron/geometry/types.js';
import { createGeometricEstimator } from '../../../electron/pointmaps/geometric/index.js';
import { originalOf } from '../../../electron/pointmaps/resample.js';
import { viewFromOriginal } from '../../../electron/scene/points.js';
import type { Lens } from '../../../electron/sparse/bundle.js';
import { undistort } from '../../../electron/sparse/triangulate.js';
import { undistortedView } from '../../../electron/pointmaps/geometric/view.js';

const photo: Photo = { id: 'a', path: '', name: '', width: 320, height: 240, size: 1, sharpness: 1 };
const FOCAL = 300;
const [CX, CY] = [159.5, 119.5];
/** What a pinhole camera would see at normalised (x, y): smooth, so that interpolation is nearly exact. */
const scene = (x: number, y: number): number => 128 + 60 * Math.sin(9 * x + 1) + 60 * Math.cos(11 * y);

/** A lens bends the picture: pixel (px, py) of the photo shows the direction that it undistorts to. */
const readerThrough = (terms: Omit<Lens, 'focal'>): PhotoReader => ({
  read(_, { longSide = photo.width }) {
    const ratio = Math.min(1, longSide / photo.width);
    const [width, height] = [Math.round(photo.width * ratio), Math.round(photo.height * ratio)];
    const pixels = Uint8Array.from({ length: width * height * 3 }, (__, k) => {
      const at = Math.floor(k / 3);
      const [px, py] = [((at % width) + 0.5) / ratio - 0.5, (Math.floor(at / width) + 0.5) / ratio - 0.5];
      return Math.round(scene(...undistort({ focal: FOCAL, ...terms }, px - CX, py - CY)));
    });
    return Promise.resolve({ width, height, pixels });
  },
});

describe('undistortedView', () => {
  it.each<[Omit<Lens, 'focal'>, number]>([
    [{ k1: -0.2 }, 320],
    [{ k1: -0.2 }, 160],
    [{ k1: 0.1 }, 160],
    [{ k1: 0 }, 320],
    [{ k1: 0 }, 999],
    [{ k1: -0.25, k2: 0.2 }, 320],
    [{ k1: 0.05, cx: 9, cy: -6 }, 160],
  ])('is what a pinhole camera sees, lens %j, long side %d', async (terms, longSide) => {
    const { k1, k2 = 0, cx = 0, cy = 0 } = terms;
    const lens = { focal: FOCAL, ...terms };
    const { width, height, pixels, originalFromView } = await undistortedView(
      photo,
      longSide,
      lens,
      readerThrough(terms),
    );
    expect(width).toBe(Math.min(320, longSide));
    const { scaleX, scaleY, offsetX, offsetY, radial } = originalFromView;
    expect(scaleX).toBe(scaleY);
    let [worst, there, andBack] = [0, 0, 0];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        // The middle of the view looks straight ahead.
        const [u, v] = [(scaleX * (x - width / 2)) / FOCAL, (scaleY * (y - height / 2)) / FOCAL];
        const bend = 1 + k1 * (u * u + v * v) + k2 * (u * u + v * v) ** 2;
        const [px, py] = [bend * u * FOCAL + CX + cx, bend * v * FOCAL + CY + cy];
        // What the lens left out of the photo can't be seen.
        if (px < 2 || py < 2 || px > 2 * CX - 2 || py > 2 * CY - 2) continue;
        worst = Math.max(worst, Math.abs(pixels[3 * (y * width + x)]! - scene(u, v)));
        const original = originalOf(originalFromView, x, y);
        there = Math.max(there, Math.abs(original[0] - px), Math.abs(original[1] - py));
        const back = viewFromOriginal(originalFromView, px, py);
        andBack = Math.max(andBack, Math.abs(back[0] - x), Math.abs(back[1] - y));
      }
    }
    expect(worst).toBeLessThan(3);
    expect(there).toBeLessThan(1e-6);
    expect(andBack).toBeLessThan(1e-5);
    expect(offsetX + (scaleX * width) / 2).toBeCloseTo(CX + cx, 9);
    expect(offsetY + (scaleY * height) / 2).toBeCloseTo(CY + cy, 9);
    expect(radial).toEqual({ focal: FOCAL, centreX: CX + cx, centreY: CY + cy, k1, ...(k2 && { k2 }) });
  });
});

it('computes on larger views for higher quality, and says so in its settings', () => {
  const settings = (['draft', 'normal', 'high'] as const).map(
    (quality) => createGeometricEstimator(readerThrough({ k1: 0 }), { quality }).settingsKey,
  );
  expect(settings).toEqual(['view=384', 'view=512', 'view=640']);
  const cost = (quality: 'draft' | 'high') =>
    createGeometricEstimator(readerThrough({ k1: 0 }), { quality }).estimateCost([photo, photo], [{ a: 0, b: 1 }]);
  expect(cost('high').seconds).toBeGreaterThan(cost('draft').seconds);
  expect(cost('high').memory).toBeGreaterThan(cost('draft').memory);
});

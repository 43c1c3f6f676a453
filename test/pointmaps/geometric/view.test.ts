import type { PhotoReader } from '../../../electron/geometry/stage.js';
import { describe, expect, it } from 'vitest';
import type { Photo } from '../../../electron/geometry/types.js';
import { createGeometricEstimator } from '../../../electron/pointmaps/geometric/index.js';
import { undistort } from '../../../electron/sparse/triangulate.js';
import { undistortedView } from '../../../electron/pointmaps/geometric/view.js';

const photo: Photo = { id: 'a', path: '', name: '', width: 320, height: 240, size: 1, sharpness: 1 };
const FOCAL = 300;
const [CX, CY] = [159.5, 119.5];
/** What a pinhole camera would see at normalised (x, y): smooth, so that interpolation is nearly exact. */
const scene = (x: number, y: number): number => 128 + 60 * Math.sin(9 * x + 1) + 60 * Math.cos(11 * y);

/** A lens bends the picture: pixel (px, py) of the photo shows the direction that it undistorts to. */
const readerThrough = (k1: number): PhotoReader => ({
  read(_, { longSide = photo.width }) {
    const ratio = Math.min(1, longSide / photo.width);
    const [width, height] = [Math.round(photo.width * ratio), Math.round(photo.height * ratio)];
    const pixels = Uint8Array.from({ length: width * height * 3 }, (__, k) => {
      const at = Math.floor(k / 3);
      const [px, py] = [((at % width) + 0.5) / ratio - 0.5, (Math.floor(at / width) + 0.5) / ratio - 0.5];
      return Math.round(scene(...undistort({ focal: FOCAL, k1 }, px - CX, py - CY)));
    });
    return Promise.resolve({ width, height, pixels });
  },
});

describe('undistortedView', () => {
  it.each([
    [-0.2, 320],
    [-0.2, 160],
    [0.1, 160],
    [0, 320],
    [0, 999],
  ])('is what a pinhole camera sees, k1 %d, long side %d', async (k1, longSide) => {
    const { width, height, pixels, originalFromView } = await undistortedView(
      photo,
      longSide,
      FOCAL,
      k1,
      readerThrough(k1),
    );
    expect(width).toBe(Math.min(320, longSide));
    const { scaleX, scaleY, offsetX, offsetY, radial } = originalFromView;
    expect(scaleX).toBe(scaleY);
    let worst = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [u, v] = [(offsetX + scaleX * x - CX) / FOCAL, (offsetY + scaleY * y - CY) / FOCAL];
        const bend = 1 + k1 * (u * u + v * v);
        // What the lens left out of the photo can't be seen.
        if (Math.abs(bend * u * FOCAL) > CX - 2 || Math.abs(bend * v * FOCAL) > CY - 2) continue;
        worst = Math.max(worst, Math.abs(pixels[3 * (y * width + x)]! - scene(u, v)));
      }
    }
    expect(worst).toBeLessThan(3);
    expect(radial).toEqual({ focal: FOCAL, centreX: CX, centreY: CY, k1 });
  });
});

it('computes on larger views for higher quality, and says so in its settings', () => {
  const settings = (['draft', 'normal', 'high'] as const).map(
    (quality) => createGeometricEstimator(readerThrough(0), { quality }).settingsKey,
  );
  expect(settings).toEqual(['view=384', 'view=512', 'view=640']);
  const cost = (quality: 'draft' | 'high') =>
    createGeometricEstimator(readerThrough(0), { quality }).estimateCost([photo, photo], [{ a: 0, b: 1 }]);
  expect(cost('high').seconds).toBeGreaterThan(cost('draft').seconds);
  expect(cost('high').memory).toBeGreaterThan(cost('draft').memory);
});

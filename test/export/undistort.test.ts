import { describe, expect, test } from 'vitest';
import { undistorted, undistortedCameras, PICTURE_DEFAULTS } from '../../electron/export/pictures.js';
import { photoFromPicture, pinholeOf } from '../../electron/export/undistort.js';
import { distort, largestRadius, undistort } from '../../electron/geometry/lens.js';
import type { Camera } from '../../electron/geometry/types.js';
import { rayColor, rayPhotos } from '../fixtures/preset-input.js';

const camera = (lens: Partial<Camera> & { k2?: number }): Camera => ({
  photo: 'a',
  name: 'a.jpg',
  width: 240,
  height: 160,
  fx: 200,
  fy: 200,
  cx: 125,
  cy: 77,
  k1: 0,
  focalSource: 'aligned',
  worldFromCamera: Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
  ...lens,
});

describe('lens', () => {
  test.each([{ k1: -0.16 }, { k1: 0.2 }, { k1: -0.3, k2: 0.12 }, { k1: 0.1, k2: -0.05 }])(
    'undistort is the inverse of distort: %o',
    (lens) => {
      const most = Math.min(0.9 * largestRadius(lens), 1.5);
      for (const [x, y] of [
        [0, 0],
        [0.3, -0.2],
        [0.6 * most, 0.6 * most],
      ] as const) {
        const [u, v] = distort(lens, x, y);
        const [a, b] = undistort(lens, u, v);
        expect(a).toBeCloseTo(x, 9);
        expect(b).toBeCloseTo(y, 9);
      }
    },
  );

  test('beyond the largest picture of a strong barrel lens there is its rim', () => {
    const lens = { k1: -0.5 };
    const rim = largestRadius(lens);
    expect(rim).toBeCloseTo(Math.sqrt(1 / 1.5), 9);
    expect(Math.hypot(...undistort(lens, 3, 4))).toBeCloseTo(rim, 6);
  });
});

describe('the pinhole camera of an undistorted picture', () => {
  const sampleEdges = (picture: Camera): [number, number][] =>
    Array.from({ length: 101 }, (_, k) => k / 100).flatMap((t): [number, number][] => [
      [t * (picture.width - 1), 0],
      [t * (picture.width - 1), picture.height - 1],
      [0, t * (picture.height - 1)],
      [picture.width - 1, t * (picture.height - 1)],
    ]);
  const outside = (photo: Camera, picture: Camera): number =>
    sampleEdges(picture).filter(([x, y]) => {
      const [u, v] = photoFromPicture(photo, picture, x, y);
      return u < -0.5 || v < -0.5 || u > photo.width - 0.5 || v > photo.height - 0.5;
    }).length;

  test.each([{ k1: -0.25 }, { k1: 0.25 }, { k1: -0.3, k2: 0.2 }])(
    '%o, inside: no empty pixel, one more would be',
    (lens) => {
      const photo = camera(lens);
      const picture = pinholeOf(photo, 'inside');
      expect([picture.fx, picture.fy, picture.k1]).toEqual([200, 200, 0]);
      expect(outside(photo, picture)).toBe(0);
      // The optical axis stays in the middle of what is around it: the principal point is kept, not re-centred.
      expect(photoFromPicture(photo, picture, picture.cx, picture.cy)).toEqual([photo.cx, photo.cy]);
      for (const [dx, dy] of [
        [-2.5, 0],
        [2.5, 0],
        [0, -2.5],
        [0, 2.5],
      ] as const) {
        const wider = {
          ...picture,
          width: picture.width + Math.abs(dx),
          height: picture.height + Math.abs(dy),
          cx: picture.cx + (dx < 0 ? -dx : 0),
          cy: picture.cy + (dy < 0 ? -dy : 0),
        };
        expect(outside(photo, wider)).toBeGreaterThan(0);
      }
    },
  );

  test('all holds every pixel of the photo; photo keeps its size', () => {
    const photo = camera({ k1: -0.25 });
    const all = pinholeOf(photo, 'all');
    for (const [x, y] of [
      [0, 0],
      [239, 0],
      [0, 159],
      [239, 159],
      [120, 0],
    ] as const) {
      const [u, v] = undistort(photo, (x - photo.cx) / 200, (y - photo.cy) / 200);
      const [px, py] = [u * 200 + all.cx, v * 200 + all.cy];
      expect(px).toBeGreaterThan(-1);
      expect(py).toBeGreaterThan(-1);
      expect(px).toBeLessThan(all.width);
      expect(py).toBeLessThan(all.height);
    }
    expect(pinholeOf(photo, 'photo')).toMatchObject({ width: 240, height: 160, cx: 125, cy: 77 });
  });

  test('pixels become square where the photo has others', () => {
    expect(pinholeOf(camera({ fy: 190 }), 'inside')).toMatchObject({ fx: 200, fy: 200, height: 168 });
  });

  test('a nonsensical lens still gives a picture of some size', () => {
    const picture = pinholeOf(camera({ k1: -8 }), 'all');
    expect(picture.width).toBeGreaterThan(0);
    expect(picture.width).toBeLessThanOrEqual(480);
  });
});

test.each([8, 16] as const)('an undistorted picture shows what a pinhole would have, %i bits', async (bits) => {
  const photo = camera({ k1: -0.2 });
  const picture = undistortedCameras([photo], PICTURE_DEFAULTS)[0]!.camera;
  const { width, height, samples } = await undistorted(await rayPhotos.pixels(photo, bits), photo, picture);
  expect([width, height]).toEqual([picture.width, picture.height]);
  const scale = bits === 16 ? 257 : 1;
  let worst = 0;
  for (let k = 0; k < width * height; k++) {
    const color = rayColor(((k % width) - picture.cx) / picture.fx, (Math.floor(k / width) - picture.cy) / picture.fy);
    color.forEach((value, c) => {
      worst = Math.max(worst, Math.abs(samples[3 * k + c]! / scale - value));
    });
  }
  expect(worst).toBeLessThan(1.5);
});

test('a photo that was replaced by one of another size is refused in words', async () => {
  const photo = camera({ k1: -0.2 });
  const smaller = { width: 120, height: 80, channels: 3, samples: new Uint8Array(120 * 80 * 3) };
  await expect(undistorted(smaller, photo, pinholeOf(photo, 'inside'))).rejects.toThrow(/a\.jpg has 120 x 80 pixels/);
});

test('pictures of photos that differ in their endings only have names of their own', () => {
  const names = undistortedCameras([camera({ name: 'a.jpg' }), camera({ name: 'a.png' }), camera({ name: 'a.heic' })], {
    ...PICTURE_DEFAULTS,
    format: 'png',
  }).map(({ camera: { name } }) => name);
  expect(new Set(names).size).toBe(3);
});

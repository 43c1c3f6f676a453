import { describe, expect, it } from 'vitest';
import type { Camera } from '../../electron/geometry/types.js';
import type { SurfacePoint } from '../../electron/scene/points.js';
import { refinePoint, type GreyPicture } from '../../electron/scene/refine.js';

const [WIDTH, HEIGHT, FOCAL] = [600, 200, 1000];
/** Of the wall before the cameras, metres. */
const DEPTH = 5;

/** Looks along z from (x, 0, 0). */
const cameraAt = (photo: string, x: number): Camera => ({
  ...{ photo, name: photo, width: WIDTH, height: HEIGHT, fx: FOCAL, fy: FOCAL, cx: WIDTH / 2, cy: HEIGHT / 2, k1: 0 },
  focalSource: 'calibrated',
  worldFromCamera: Float64Array.of(1, 0, 0, x, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
});

/** What a camera at x sees of a wall that looks like nothing else on it. */
function pictureFrom(x: number): GreyPicture {
  const brightness = (X: number, Y: number): number =>
    128 + 45 * Math.sin(37 * X + 11 * Y) + 35 * Math.sin(91 * X * Y + 23 * Y) + 30 * Math.cos(53 * X - 71 * Y * Y);
  const values = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, k) => {
    const [u, v] = [(k % WIDTH) - WIDTH / 2, Math.floor(k / WIDTH) - HEIGHT / 2];
    return brightness((u / FOCAL) * DEPTH + x, (v / FOCAL) * DEPTH);
  });
  return { width: WIDTH, height: HEIGHT, values };
}

const cameras = [cameraAt('first', 0), cameraAt('second', 0.4), cameraAt('third', 0.7)];
const pictures = new Map(cameras.map(({ photo, worldFromCamera }) => [photo, pictureFrom(worldFromCamera[3]!)]));

/** As depth maps tell it that are off by this share, and believe to be off by that. */
function pointOff(share: number, deviation: number): SurfacePoint {
  const depth = DEPTH * (1 + share);
  const [x, y] = [400, 110];
  const ray: [number, number, number] = [(x - WIDTH / 2) / FOCAL, (y - HEIGHT / 2) / FOCAL, 1];
  return {
    ...{ depth, deviation: deviation * depth, confidence: 20, pixel: [x, y], ray },
    position: [depth * ray[0], depth * ray[1], depth],
    plane: [0, 0, 1 / depth],
  };
}

const refined = (point: SurfacePoint): SurfacePoint => refinePoint(point, cameras[0]!, cameras.slice(1), pictures);

describe('a point by comparing photos', () => {
  it('is as exact as they are, and says how exact', () => {
    for (const share of [-0.02, -0.004, 0.003, 0.015]) {
      const { depth, deviation } = refined(pointOff(share, 0.01));
      expect(Math.abs(depth / DEPTH - 1)).toBeLessThan(5e-4);
      expect(Math.abs(depth - DEPTH)).toBeLessThan(3 * deviation);
      expect(deviation).toBeLessThan(0.005 * DEPTH);
    }
  });

  it('stays where the depth maps are sure of it, but is as uncertain as the photos are far off', () => {
    const before = pointOff(0.02, 0.001);
    const { depth, deviation, position } = refined(before);
    expect([depth, position]).toEqual([before.depth, before.position]);
    expect(deviation / DEPTH).toBeCloseTo(0.02, 3);
  });
});

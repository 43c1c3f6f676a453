import { describe, expect, it } from 'vitest';
import { distort, undistort } from '../../electron/geometry/lens.js';
import { projectRay, rayOf, scaledProjection, type Projection } from '../../electron/geometry/projection.js';

const size = { width: 1200, height: 900 };
const cameras: Record<string, Projection> = {
  brown: {
    kind: 'brown',
    ...size,
    fx: 900,
    fy: 880,
    cx: 610,
    cy: 440,
    k1: -0.2,
    k2: 0.05,
    k3: -0.01,
    p1: 0.004,
    p2: -0.003,
  },
  fisheye: {
    kind: 'fisheye',
    ...size,
    fx: 420,
    fy: 421,
    cx: 590,
    cy: 455,
    k1: 0.03,
    k2: -0.01,
    k3: 0.002,
    k4: -0.0005,
  },
  equirectangular: { kind: 'equirectangular', width: 1200, height: 600 },
};

describe('projections', () => {
  it.each(Object.entries(cameras))('%s: the ray of a pixel is seen at that pixel', (_, camera) => {
    for (let y = 3; y < camera.height; y += 61)
      for (let x = 5; x < camera.width; x += 67) {
        const back = projectRay(camera, ...rayOf(camera, x, y))!;
        expect(Math.hypot(back[0] - x, back[1] - y)).toBeLessThan(1e-6);
      }
  });

  it('a fisheye without terms is equidistant, and shows rays behind its plane', () => {
    const camera = { ...cameras.fisheye!, k1: 0, k2: 0, k3: 0, k4: 0 } as Projection;
    const angle = (100 * Math.PI) / 180;
    const [x] = projectRay(camera, Math.sin(angle), 0, Math.cos(angle))!;
    expect(x).toBeCloseTo(590 + 420 * angle, 9);
  });

  it('a fisheye shows nothing beyond the angle where its polynomial turns', () => {
    const camera = { ...cameras.fisheye!, k1: -0.3, k2: 0, k3: 0, k4: 0 } as Projection;
    // t (1 - 0.3 t^2) grows up to t = 1.054.
    expect(projectRay(camera, Math.sin(1), 0, Math.cos(1))).toBeDefined();
    expect(projectRay(camera, Math.sin(1.1), 0, Math.cos(1.1))).toBeUndefined();
  });

  it('straight ahead is the middle of a picture of 360 degrees, the right of it a quarter further', () => {
    expect(projectRay(cameras.equirectangular!, 0, 0, 1)).toEqual([599.5, 299.5]);
    expect(projectRay(cameras.equirectangular!, 1, 0, 0)![0]).toBeCloseTo(899.5, 9);
    expect(projectRay(cameras.equirectangular!, 0, -1, 0)![1]).toBeCloseTo(-0.5, 9);
  });

  it('scaled, it shows each ray at the same place of the picture', () => {
    const half = scaledProjection(cameras.fisheye!, 600, 450);
    const [x, y] = projectRay(cameras.fisheye!, 0.3, -0.4, 1)!;
    const [u, v] = projectRay(half, 0.3, -0.4, 1)!;
    expect([(u + 0.5) * 2 - 0.5, (v + 0.5) * 2 - 0.5]).toEqual([expect.closeTo(x, 9), expect.closeTo(y, 9)]);
  });
});

describe('tangential distortion', () => {
  const lens = { k1: -0.1, k2: 0.02, k3: 0.001, p1: 0.003, p2: -0.002 };

  it('is that of OpenCV', () => {
    const [x, y, s] = [0.3, -0.2, 0.13];
    const radial = 1 - 0.1 * s + 0.02 * s * s + 0.001 * s ** 3;
    const [u, v] = distort(lens, x, y);
    expect(u).toBeCloseTo(x * radial + 2 * 0.003 * x * y - 0.002 * (s + 2 * x * x), 12);
    expect(v).toBeCloseTo(y * radial + 0.003 * (s + 2 * y * y) - 2 * 0.002 * x * y, 12);
  });

  it('is undone', () => {
    for (const [x, y] of [
      [0.4, 0.3],
      [-0.5, 0.1],
      [0, 0],
      [0.02, -0.6],
    ] as const) {
      const [u, v] = undistort(lens, ...distort(lens, x, y));
      expect(Math.hypot(u - x, v - y)).toBeLessThan(1e-9);
    }
  });
});

import type { Intrinsics } from './types.js';
import { distort, undistort, type Lens } from './lens.js';

/** Brown's distortion as in OpenCV, in units of the normalised image plane. */
export interface BrownProjection extends Intrinsics, Record<keyof Lens, number> {
  kind: 'brown';
}

/**
 * OpenCV's fisheye model (Kannala and Brandt, "A generic camera model and calibration method", PAMI 2006): a ray at
 * the angle t to the axis is seen at the radius t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8), in focal lengths.
 */
export interface FisheyeProjection extends Intrinsics {
  kind: 'fisheye';
  k1: number;
  k2: number;
  k3: number;
  k4: number;
}

/**
 * A picture of 360 by 180 degrees: columns are longitudes, the middle one straight ahead (z), to the right (x) of it to
 * the right; rows are latitudes, the first one straight up (-y).
 */
export interface EquirectangularProjection {
  kind: 'equirectangular';
  width: number;
  height: number;
}

/** How a camera maps rays (x right, y down, z forward; any length) to pixels of its picture. */
export type Projection = BrownProjection | FisheyeProjection | EquirectangularProjection;

/** Widest angle to the axis that a fisheye is believed to show, radians. */
const WIDEST_FISHEYE = (110 * Math.PI) / 180;

/** The pixel that shows a ray; undefined where the lens shows it nowhere (the pixel may lie outside of the picture). */
export function projectRay(camera: Projection, x: number, y: number, z: number): [number, number] | undefined {
  if (camera.kind === 'equirectangular') {
    const longitude = Math.atan2(x, z);
    const latitude = Math.atan2(y, Math.hypot(x, z));
    return [(longitude / (2 * Math.PI) + 0.5) * camera.width - 0.5, (latitude / Math.PI + 0.5) * camera.height - 0.5];
  }
  const { fx, fy, cx, cy } = camera;
  if (camera.kind === 'fisheye') {
    const across = Math.hypot(x, y);
    const angle = Math.atan2(across, z);
    if (angle > widestAngle(camera)) return undefined;
    const factor = across > 0 ? fisheyeRadius(camera, angle) / across : 0;
    return [cx + fx * factor * x, cy + fy * factor * y];
  }
  if (!(z > 0)) return undefined;
  const [u, v] = distort(camera, x / z, y / z);
  return [cx + fx * u, cy + fy * v];
}

/** The ray (unit length) that a pixel shows; for a fisheye's pixel beyond the widest angle, the ray of that angle. */
export function rayOf(camera: Projection, px: number, py: number): [number, number, number] {
  if (camera.kind === 'equirectangular') {
    const longitude = ((px + 0.5) / camera.width - 0.5) * 2 * Math.PI;
    const latitude = ((py + 0.5) / camera.height - 0.5) * Math.PI;
    const level = Math.cos(latitude);
    return [level * Math.sin(longitude), Math.sin(latitude), level * Math.cos(longitude)];
  }
  const [u, v] = [(px - camera.cx) / camera.fx, (py - camera.cy) / camera.fy];
  if (camera.kind === 'fisheye') {
    const radius = Math.hypot(u, v);
    if (radius === 0) return [0, 0, 1];
    const angle = fisheyeAngle(camera, radius);
    const across = Math.sin(angle) / radius;
    return [across * u, across * v, Math.cos(angle)];
  }
  const [x, y] = undistort(camera, u, v);
  const length = Math.hypot(x, y, 1);
  return [x / length, y / length, 1 / length];
}

function fisheyeRadius({ k1, k2, k3, k4 }: FisheyeProjection, angle: number): number {
  const s = angle * angle;
  return angle * (1 + s * (k1 + s * (k2 + s * (k3 + s * k4))));
}

/** The angle up to which the radius grows, radians. */
function widestAngle(camera: FisheyeProjection): number {
  const { k1, k2, k3, k4 } = camera;
  if (k1 >= 0 && k2 >= 0 && k3 >= 0 && k4 >= 0) return WIDEST_FISHEYE;
  const step = WIDEST_FISHEYE / 220;
  for (let angle = step; angle < WIDEST_FISHEYE; angle += step)
    if (fisheyeRadius(camera, angle) < fisheyeRadius(camera, angle - step)) return angle - step;
  return WIDEST_FISHEYE;
}

/** Bisection, which can't run off where the polynomial turns. */
function fisheyeAngle(camera: FisheyeProjection, radius: number): number {
  let [low, high] = [0, widestAngle(camera)];
  for (let step = 0; step < 60 && high - low > 1e-14; step++) {
    const middle = (low + high) / 2;
    if (fisheyeRadius(camera, middle) < radius) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Pixels per radian in the middle of the picture. */
export function pixelsPerRadian(camera: Projection): number {
  return camera.kind === 'equirectangular' ? camera.width / (2 * Math.PI) : Math.sqrt(camera.fx * camera.fy);
}

/** The same camera for the picture enlarged or reduced to other sides. */
export function scaledProjection(camera: Projection, width: number, height: number): Projection {
  const [sx, sy] = [width / camera.width, height / camera.height];
  if (camera.kind === 'equirectangular') return { ...camera, width, height };
  return {
    ...camera,
    width,
    height,
    fx: camera.fx * sx,
    fy: camera.fy * sy,
    cx: (camera.cx + 0.5) * sx - 0.5,
    cy: (camera.cy + 0.5) * sy - 0.5,
  };
}

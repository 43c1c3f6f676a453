import type { DepthMap } from '../geometry/types.js';

/** Neighbours farther apart than this share of their depth lie on different surfaces. */
export const SURFACE_STEP = 0.05;

/** The camera-frame point of a pixel. */
export function unprojected(map: DepthMap, x: number, y: number, depth: number, out: Float64Array): void {
  out[0] = ((x - map.centreX) / map.focal) * depth;
  out[1] = ((y - map.centreY) / map.focal) * depth;
  out[2] = depth;
}

/**
 * Camera-frame normals [height, width, 3] by the cross product of central differences over a few pixels, towards the camera;
 * zero where a pixel has no neighbours on its surface.
 *
 * @param kept [height, width], pixels of unknown depth are 0
 */
export function depthNormals(map: DepthMap, kept: Uint8Array, reach = 2): Float32Array {
  const { width, height, depth } = map;
  const normals = new Float32Array(width * height * 3);
  const a = new Float64Array(3);
  const b = new Float64Array(3);
  /** Difference of the points on both sides (or on the one that is there); false when neither is. */
  const across = (x: number, y: number, dx: number, dy: number, out: Float64Array): boolean => {
    const centre = depth[y * width + x]!;
    const side = (sign: number): boolean => {
      const px = x + sign * dx;
      const py = y + sign * dy;
      if (px < 0 || py < 0 || px >= width || py >= height) return false;
      const k = py * width + px;
      return kept[k] === 1 && Math.abs(depth[k]! - centre) < SURFACE_STEP * centre;
    };
    const [plus, minus] = [side(1), side(-1)];
    if (!plus && !minus) return false;
    const [px, py] = plus ? [x + dx, y + dy] : [x, y];
    const [qx, qy] = minus ? [x - dx, y - dy] : [x, y];
    const p = depth[py * width + px]!;
    const q = depth[qy * width + qx]!;
    out[0] = ((px - map.centreX) * p - (qx - map.centreX) * q) / map.focal;
    out[1] = ((py - map.centreY) * p - (qy - map.centreY) * q) / map.focal;
    out[2] = p - q;
    return true;
  };
  const point = new Float64Array(3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const k = y * width + x;
      if (kept[k] === 0 || !across(x, y, reach, 0, a) || !across(x, y, 0, reach, b)) continue;
      let nx = a[1]! * b[2]! - a[2]! * b[1]!;
      let ny = a[2]! * b[0]! - a[0]! * b[2]!;
      let nz = a[0]! * b[1]! - a[1]! * b[0]!;
      unprojected(map, x, y, depth[k]!, point);
      const length = Math.hypot(nx, ny, nz) * (nx * point[0]! + ny * point[1]! + nz * point[2]! > 0 ? -1 : 1);
      if (length === 0) continue;
      nx /= length;
      ny /= length;
      nz /= length;
      normals[3 * k] = nx;
      normals[3 * k + 1] = ny;
      normals[3 * k + 2] = nz;
    }
  }
  return normals;
}

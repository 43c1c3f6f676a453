import type { DepthMap } from '../geometry/types.js';

/** Neighbours farther apart than this share of their depth lie on different surfaces. */
export const SURFACE_STEP = 0.05;

/** The camera-frame point of a pixel. */
export function unprojected(
  map: Pick<DepthMap, 'focal' | 'centreX' | 'centreY'>,
  x: number,
  y: number,
  depth: number,
  out: Float64Array,
): void {
  out[0] = ((x - map.centreX) / map.focal) * depth;
  out[1] = ((y - map.centreY) / map.focal) * depth;
  out[2] = depth;
}

/**
 * Camera-frame normals [height, width, 3] by the cross product of central differences over a few pixels, towards the
 * camera; zero where a pixel has no neighbours on its surface.
 *
 * @param kept [height, width], pixels of unknown depth are 0
 */
export function depthNormals(given: DepthMap, kept: Uint8Array, reach = 2): Float32Array {
  // Its arrays may lie behind a cache: they are asked for once.
  const map = { ...given };
  const { width, height, depth } = map;
  const normals = new Float32Array(width * height * 3);
  const a = new Float64Array(3);
  const b = new Float64Array(3);
  const point = new Float64Array(3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const k = y * width + x;
      if (kept[k] === 0 || !across(map, kept, x, y, reach, 0, a) || !across(map, kept, x, y, 0, reach, b)) continue;
      let nx = a[1]! * b[2]! - a[2]! * b[1]!;
      let ny = a[2]! * b[0]! - a[0]! * b[2]!;
      let nz = a[0]! * b[1]! - a[1]! * b[0]!;
      unprojected(map, x, y, depth[k]!, point);
      const length =
        Math.sqrt(nx * nx + ny * ny + nz * nz) * (nx * point[0]! + ny * point[1]! + nz * point[2]! > 0 ? -1 : 1);
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

/**
 * Difference of the points on both sides of a pixel (or on the one that is there and the pixel itself); false when
 * neither is. Called twice a pixel: no closures and no arrays in here, which cost ten times the arithmetic.
 */
function across(
  map: DepthMap,
  kept: Uint8Array,
  x: number,
  y: number,
  dx: number,
  dy: number,
  out: Float64Array,
): boolean {
  const plus = sameSurface(map, kept, x, y, x + dx, y + dy);
  const minus = sameSurface(map, kept, x, y, x - dx, y - dy);
  if (!plus && !minus) return false;
  const px = plus ? x + dx : x;
  const py = plus ? y + dy : y;
  const qx = minus ? x - dx : x;
  const qy = minus ? y - dy : y;
  const p = map.depth[py * map.width + px]!;
  const q = map.depth[qy * map.width + qx]!;
  out[0] = ((px - map.centreX) * p - (qx - map.centreX) * q) / map.focal;
  out[1] = ((py - map.centreY) * p - (qy - map.centreY) * q) / map.focal;
  out[2] = p - q;
  return true;
}

function sameSurface(
  { width, height, depth }: DepthMap,
  kept: Uint8Array,
  x: number,
  y: number,
  px: number,
  py: number,
): boolean {
  if (px < 0 || py < 0 || px >= width || py >= height) return false;
  const centre = depth[y * width + x]!;
  const k = py * width + px;
  return kept[k] === 1 && Math.abs(depth[k]! - centre) < SURFACE_STEP * centre;
}

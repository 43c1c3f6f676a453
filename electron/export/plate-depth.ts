import type { Camera, DepthMap } from '../geometry/types.js';

/** Relative difference within which neighbouring depths are one surface, and are blended. */
const SAME_SURFACE = 0.03;

/**
 * Rows of a depth map at the size of an undistorted picture: depth along the camera's axis in scene units, 0 where
 * nothing is known. Blended between pixels of one surface; at its edges the nearest pixel counts, so that no depth lies
 * between two surfaces.
 */
export function depthRows(map: DepthMap, picture: Camera, first: number, rows: number): Float32Array {
  const { width, height, depth, confidence, focal, centreX, centreY } = map;
  const out = new Float32Array(rows * picture.width);
  for (let row = 0; row < rows; row++) {
    const v = (focal * (first + row - picture.cy)) / picture.fy + centreY;
    if (v < -0.5 || v >= height - 0.5) continue;
    for (let x = 0; x < picture.width; x++) {
      const u = (focal * (x - picture.cx)) / picture.fx + centreX;
      if (u < -0.5 || u >= width - 0.5) continue;
      const nearest = Math.round(v) * width + Math.round(u);
      if (!(confidence[nearest]! > 1) || !(depth[nearest]! > 0)) continue;
      const middle = depth[nearest]!;
      const [u0, v0] = [Math.floor(u), Math.floor(v)];
      let sum = 0;
      let weights = 0;
      for (let j = 0; j < 2; j++)
        for (let i = 0; i < 2; i++) {
          const [column, line] = [u0 + i, v0 + j];
          if (column < 0 || line < 0 || column >= width || line >= height) continue;
          const k = line * width + column;
          if (!(confidence[k]! > 1) || Math.abs(depth[k]! - middle) > SAME_SURFACE * middle) continue;
          const weight = (1 - Math.abs(u - column)) * (1 - Math.abs(v - line));
          // Planes are linear in the inverse depth.
          sum += weight / depth[k]!;
          weights += weight;
        }
      out[row * picture.width + x] = weights > 0 ? weights / sum : middle;
    }
  }
  return out;
}

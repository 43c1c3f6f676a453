import { invertRigid, multiply4 } from '../geometry/linear.js';
import type { Camera, DepthMap } from '../geometry/types.js';
import { SURFACE_STEP, unprojected } from './normals.js';

/** Pixels that may give points, 1 or 0: confident, with a depth, and not between two surfaces. */
export function reliablePixels(map: DepthMap, minConfidence: number): Uint8Array {
  const { width, height, depth, confidence } = map;
  const mask = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const k = y * width + x;
      const z = depth[k]!;
      if (!(z > 0) || !(confidence[k]! >= minConfidence) || confidence[k]! <= 1) continue;
      // Flying pixels: interpolated between a near and a far surface, with a neighbour far off on both sides of a line.
      const horizontal = x > 0 && x < width - 1 && onAnotherSurface(map, z, k - 1) && onAnotherSurface(map, z, k + 1);
      const vertical = y > 0 && y < height - 1 && onAnotherSurface(map, z, k - width) && onAnotherSurface(map, z, k + width);
      mask[k] = horizontal || vertical ? 0 : 1;
    }
  }
  return mask;
}

function onAnotherSurface({ depth, confidence }: DepthMap, z: number, k: number): boolean {
  return depth[k]! > 0 && confidence[k]! > 1 && Math.abs(depth[k]! - z) > SURFACE_STEP * z;
}

/** A point this share of the depth in front of another photo's surface contradicts it; within it, it agrees. */
const TOLERANCE = 0.03;

/**
 * Clears the pixels of view `index` whose points float: more photos see through the point, to a surface behind it, than see a
 * surface at it (the free-space test of Merrell et al., ICCV 2007).
 *
 * @param masks reliable pixels of all views; that of `index` is not changed, a new one is returned
 */
export function withoutFloating(index: number, cameras: readonly Camera[], maps: readonly DepthMap[], masks: readonly Uint8Array[]): Uint8Array {
  const own = maps[index]!;
  const others = maps.flatMap((map, j) => (j === index ? [] : [{ map, mask: masks[j]!, T: multiply4(invertRigid(cameras[j]!.worldFromCamera), cameras[index]!.worldFromCamera) }]));
  const kept = masks[index]!.slice();
  const point = new Float64Array(3);
  for (let k = 0; k < kept.length; k++) {
    if (kept[k] === 0) continue;
    unprojected(own, k % own.width, Math.floor(k / own.width), own.depth[k]!, point);
    let agree = 0;
    let through = 0;
    for (const { map, mask, T } of others) {
      const z = T[8]! * point[0]! + T[9]! * point[1]! + T[10]! * point[2]! + T[11]!;
      if (z <= 0) continue;
      const u = Math.round((map.focal * (T[0]! * point[0]! + T[1]! * point[1]! + T[2]! * point[2]! + T[3]!)) / z + map.centreX);
      const v = Math.round((map.focal * (T[4]! * point[0]! + T[5]! * point[1]! + T[6]! * point[2]! + T[7]!)) / z + map.centreY);
      if (u < 0 || v < 0 || u >= map.width || v >= map.height) continue;
      const at = v * map.width + u;
      if (mask[at] === 0) continue;
      const seen = map.depth[at]!;
      if (z < seen * (1 - TOLERANCE)) through++;
      else if (z < seen * (1 + TOLERANCE)) agree++;
    }
    if (through > agree) kept[k] = 0;
  }
  return kept;
}

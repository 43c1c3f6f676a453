import { invertRigid, multiply4 } from '../numerics/linear.js';
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
      const vertical =
        y > 0 && y < height - 1 && onAnotherSurface(map, z, k - width) && onAnotherSurface(map, z, k + width);
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
 * Clears the pixels of view `index` whose points float: more photos see through the point, to a surface behind it, than
 * see a surface at it (the free-space test of Merrell et al., ICCV 2007).
 *
 * @param masks reliable pixels of all views; that of `index` is not changed, a new one is returned
 */
export function withoutFloating(
  index: number,
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  masks: readonly Uint8Array[],
): Uint8Array {
  const own = maps[index]!;
  const kept = masks[index]!.slice();
  const points = new Float64Array(3 * kept.length);
  const pixels = new Uint32Array(kept.length);
  const point = new Float64Array(3);
  let count = 0;
  for (let k = 0; k < kept.length; k++) {
    if (kept[k] === 0) continue;
    unprojected(own, k % own.width, Math.floor(k / own.width), own.depth[k]!, point);
    points.set(point, 3 * count);
    pixels[count++] = k;
  }
  /** Photos that see a surface at the point, less those that see through it. */
  const score = new Int16Array(count);
  // Photo by photo, all points: with the photos in the inner loop it took three times as long.
  maps.forEach((map, j) => {
    if (j !== index)
      compare(
        points.subarray(0, 3 * count),
        map,
        masks[j]!,
        multiply4(invertRigid(cameras[j]!.worldFromCamera), cameras[index]!.worldFromCamera),
        score,
      );
  });
  for (let p = 0; p < count; p++) if (score[p]! < 0) kept[pixels[p]!] = 0;
  return kept;
}

/**
 * Adds to `score` what one photo says of every point: 1 where it sees a surface at the point, -1 where it sees through
 * it.
 *
 * @param points [n, 3], in the camera frame of their own photo
 * @param T row-major 4x4 into the photo's
 */
function compare(
  points: Float64Array,
  { focal, centreX, centreY, width, height, depth }: DepthMap,
  mask: Uint8Array,
  T: Float64Array,
  score: Int16Array,
): void {
  const [a, b, c, d, e, f, g, h, i, j, k, l] = Array.from(T) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const near = 1 - TOLERANCE;
  const far = 1 + TOLERANCE;
  for (let p = 0; p < score.length; p++) {
    const x = points[3 * p]!;
    const y = points[3 * p + 1]!;
    const z = points[3 * p + 2]!;
    const away = i * x + j * y + k * z + l;
    if (away <= 0) continue;
    // Half a pixel and truncation: Math.round takes a sixth longer.
    const u = (focal * (a * x + b * y + c * z + d)) / away + centreX + 0.5;
    const v = (focal * (e * x + f * y + g * z + h)) / away + centreY + 0.5;
    if (!(u >= 0 && v >= 0 && u < width && v < height)) continue;
    const at = (v | 0) * width + (u | 0);
    if (mask[at] === 0) continue;
    const seen = depth[at]!;
    if (away < seen * near) score[p]!--;
    else if (away < seen * far) score[p]!++;
  }
}

import { invertRigid, multiply4 } from '../numerics/linear.js';
import type { Camera, DepthMap } from '../geometry/types.js';
import { edgeDistances } from '../pointmaps/geometric/dense/plain.js';
import { SURFACE_STEP, unprojected } from './normals.js';

/** Pixels that may give points, 1 or 0: confident, with a depth, and not between two surfaces. */
export function reliablePixels(
  given: Pick<DepthMap, 'width' | 'height' | 'depth' | 'confidence'>,
  minConfidence: number,
): Uint8Array {
  // The arrays may lie behind a cache: they are asked for once.
  const { width, height, depth, confidence } = given;
  const map = { depth, confidence };
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

function onAnotherSurface(
  { depth, confidence }: Pick<DepthMap, 'depth' | 'confidence'>,
  z: number,
  k: number,
): boolean {
  return depth[k]! > 0 && confidence[k]! > 1 && Math.abs(depth[k]! - z) > SURFACE_STEP * z;
}

/** Pixels of the sky beside its edge whose rays say nothing: cameras are a little wrong. */
const SKY_EDGE = 3;

/** Pixels whose rays are free as far as they go: nothing but the sky is seen; undefined where none is. */
export function freeRays(map: Pick<DepthMap, 'sky' | 'width' | 'height'>): Uint8Array | undefined {
  const { sky, width, height } = map;
  if (!sky?.includes(1)) return undefined;
  const distance = edgeDistances(Int32Array.from(sky), width, height);
  return sky.map((flag, k) => (flag === 1 && distance[k]! > SKY_EDGE ? 1 : 0));
}

/** A point this share of the depth in front of another photo's surface contradicts it; within it, it agrees. */
const TOLERANCE = 0.03;

/** One photo's points, and the photos that can see some of them. */
export interface FloatingTask {
  map: SeenMap;
  /** Its reliable pixels. */
  mask: Uint8Array;
  others: {
    map: SeenMap;
    mask: Uint8Array;
    /** 1 where it sees nothing but the sky (freeRays). */
    open?: Uint8Array | undefined;
    /** Row-major 4x4: the camera frame of the other from that of the photo. */
    T: Float64Array;
  }[];
}

type SeenMap = Pick<DepthMap, 'width' | 'height' | 'focal' | 'centreX' | 'centreY' | 'depth'>;

/** Points of a photo by which it is found out which others can see any. */
const ASKED = 500;

/**
 * Photos that are asked about the points of one, at most: where hundreds look at one object, each point of each photo
 * compared with all of them costs the square of their number, and every task would hold all depth maps.
 */
const MOST_ASKED = 40;

/**
 * Of more photos than `most`, those asked are spread over all that see anything by how far away they were taken, so that
 * the votes of near and far ones keep their share.
 *
 * @param maskOf reliable pixels of a view; asked for once for each view that is in the task
 * @param openOf free rays of a view, where it has any
 */
export function floatingTask(
  index: number,
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  maskOf: (index: number) => Uint8Array,
  { openOf, most = MOST_ASKED }: { openOf?: (index: number) => Uint8Array | undefined; most?: number | undefined } = {},
): FloatingTask {
  const map = seenMap(maps[index]!);
  const mask = maskOf(index);
  const asked = pointsOf(map, mask, ASKED);
  const seeing = maps.flatMap((other, j) => {
    if (j === index) return [];
    const T = multiply4(invertRigid(cameras[j]!.worldFromCamera), cameras[index]!.worldFromCamera);
    return seesAny(asked.points, other, T) ? [{ j, T, away: Math.hypot(T[3]!, T[7]!, T[11]!) }] : [];
  });
  const count = Math.min(most, seeing.length);
  const sorted = count < seeing.length ? seeing.sort((p, q) => p.away - q.away || p.j - q.j) : seeing;
  const others = Array.from({ length: count }, (_, k) => {
    const { j, T } = sorted[Math.floor((k * sorted.length) / count)]!;
    const open = openOf?.(j);
    return { map: seenMap(maps[j]!), mask: maskOf(j), ...(open ? { open } : {}), T };
  });
  return { map, mask, others };
}

/** Without what threads would be sent for nothing. */
const seenMap = ({ width, height, focal, centreX, centreY, depth }: DepthMap): SeenMap => ({
  width,
  height,
  focal,
  centreX,
  centreY,
  depth,
});

/**
 * Clears the pixels of a view whose points float: more photos see through the point, to a surface behind it or to the
 * sky, than see a surface at it (the free-space test of Merrell et al., ICCV 2007).
 *
 * @returns a new mask
 */
export function withoutFloating({ map, mask, others }: FloatingTask): Uint8Array {
  const kept = mask.slice();
  const { points, pixels } = pointsOf(map, mask, Infinity);
  /** Photos that see a surface at the point, less those that see through it. */
  const score = new Int16Array(pixels.length);
  // Photo by photo, all points: with the photos in the inner loop it took three times as long.
  for (const other of others) compare(points, other, score);
  for (let p = 0; p < score.length; p++) if (score[p]! < 0) kept[pixels[p]!] = 0;
  return kept;
}

/** Points [n, 3] of a mask's pixels in the camera frame; of about `most` of them, spread over the picture. */
function pointsOf(map: SeenMap, mask: Uint8Array, most: number): { points: Float64Array; pixels: Uint32Array } {
  // Odd, so that it does not run down the columns of a picture whose width is even.
  const step = most === Infinity ? 1 : Math.max(1, Math.floor(mask.length / most)) | 1;
  const points = new Float64Array(3 * Math.ceil(mask.length / step));
  const pixels = new Uint32Array(Math.ceil(mask.length / step));
  const point = new Float64Array(3);
  let count = 0;
  for (let k = 0; k < mask.length; k += step) {
    if (mask[k] === 0) continue;
    unprojected(map, k % map.width, Math.floor(k / map.width), map.depth[k]!, point);
    points.set(point, 3 * count);
    pixels[count++] = k;
  }
  return { points: points.subarray(0, 3 * count), pixels: pixels.subarray(0, count) };
}

function seesAny(
  points: Float64Array,
  { width, height, focal, centreX, centreY }: Omit<SeenMap, 'depth'>,
  T: Float64Array,
): boolean {
  for (let p = 0; p < points.length; p += 3) {
    const [x, y, z] = [points[p]!, points[p + 1]!, points[p + 2]!];
    const away = T[8]! * x + T[9]! * y + T[10]! * z + T[11]!;
    if (away <= 0) continue;
    const u = (focal * (T[0]! * x + T[1]! * y + T[2]! * z + T[3]!)) / away + centreX;
    const v = (focal * (T[4]! * x + T[5]! * y + T[6]! * z + T[7]!)) / away + centreY;
    if (u >= -0.5 && v >= -0.5 && u < width && v < height) return true;
  }
  return false;
}

/**
 * Adds to `score` what one photo says of every point: 1 where it sees a surface at the point, -1 where it sees through
 * it.
 *
 * @param points [n, 3], in the camera frame of their own photo
 */
function compare(
  points: Float64Array,
  { map, mask, open, T }: FloatingTask['others'][number],
  score: Int16Array,
): void {
  const { focal, centreX, centreY, width, height, depth } = map;
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
    if (open?.[at] === 1) score[p]!--;
    if (mask[at] === 0) continue;
    const seen = depth[at]!;
    if (away < seen * near) score[p]!--;
    else if (away < seen * far) score[p]!++;
  }
}

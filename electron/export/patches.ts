import { median } from '../numerics/median.js';
import type { PointCloud, Scene } from '../geometry/types.js';

export interface PatchOptions {
  /** A larger cloud is thinned evenly to this many points, and the patches grow to close the gaps. */
  mostPoints: number;
  /** Circumradius of a patch over the distance between neighbouring points. */
  radius: number;
}

/**
 * Sceaux' 934 thousand points are 56 MB so, in Blender 3.4 after 5 s; larger triangles close the last gaps, smaller ones
 * keep more of the detail.
 */
export const PATCH_DEFAULTS: PatchOptions = { mostPoints: 4_000_000, radius: 1 };

/** The slope of a patch in its camera's frame is held to this: steeper normals are noise more often than surface. */
const STEEPEST = 2;
/** Corners of an equilateral triangle around its centre, in the camera's x and y (down), counter-clockwise as seen. */
const CORNERS = [90, 210, 330].map((degrees): [number, number] => [
  Math.cos((degrees * Math.PI) / 180),
  -Math.sin((degrees * Math.PI) / 180),
]);

/**
 * A small triangle per point, for programs that draw no points or draw them without their colours (Blender drops the
 * vertex colours of a mesh without faces). A triangle lies in the surface as its normal tells, and is as large as a
 * pixel of the depth map that gave the point, so that neighbours meet.
 */
export interface Patches {
  /** How many. */
  count: number;
  /** Index into the cloud of patch k. */
  point(k: number): number;
  /** Circumradius of patch k, where it faces its camera; world units. */
  radius(k: number): number;
  /** Writes the corners of patch k, [9] world, counter-clockwise as seen from the photo that gave the point. */
  corners(k: number, out: Float32Array, at: number): void;
}

export function patchesOf(scene: Scene, options: Partial<PatchOptions> = {}): Patches {
  const { mostPoints, radius } = { ...PATCH_DEFAULTS, ...options };
  const { cloud, cameras, depthMaps } = scene;
  const all = cloud.confidence.length;
  const count = Math.min(all, mostPoints);
  const poses = cameras.map(({ worldFromCamera }) => worldFromCamera);
  const focals = cameras.map((camera, k) => depthMaps[k]?.focal ?? camera.fx);
  const pitch = (point: number): number => {
    const source = cloud.source[point]!;
    return Math.max(0, depthIn(poses[source]!, cloud.positions, point)) / focals[source]!;
  };
  // Never smaller than a pixel: where photos overlap, neighbours lie closer than each photo's own points.
  const scale = radius * Math.max(1, spacingOverPitch(cloud, pitch) * Math.sqrt(all / Math.max(1, count)));
  const point = (k: number): number => (count === all ? k : Math.floor((k * all) / count));
  return {
    count,
    point,
    radius: (k) => scale * pitch(point(k)),
    corners: (k, out, at) => {
      const index = point(k);
      const side = scale * pitch(index);
      writeCorners(poses[cloud.source[index]!]!, cloud, { index, side }, out, at);
    },
  };
}

function depthIn(worldFromCamera: Float64Array, positions: Float32Array, point: number): number {
  const M = worldFromCamera;
  let depth = 0;
  for (let i = 0; i < 3; i++) depth += M[4 * i + 2]! * (positions[3 * point + i]! - M[4 * i + 3]!);
  return depth;
}

function writeCorners(
  M: Float64Array,
  { positions, normals }: PointCloud,
  { index, side }: { index: number; side: number },
  out: Float32Array,
  at: number,
): void {
  const p = 3 * index;
  let slopeX = 0;
  let slopeY = 0;
  if (normals) {
    const along = (axis: number): number =>
      M[axis]! * normals[p]! + M[4 + axis]! * normals[p + 1]! + M[8 + axis]! * normals[p + 2]!;
    // The plane of the normal n holds the offsets (x, y, z) with n . (x, y, z) = 0.
    const facing = Math.min(-1e-6, along(2));
    slopeX = -along(0) / facing;
    slopeY = -along(1) / facing;
    const steep = Math.hypot(slopeX, slopeY);
    if (steep > STEEPEST) {
      slopeX *= STEEPEST / steep;
      slopeY *= STEEPEST / steep;
    }
  }
  for (const [x, y] of CORNERS) {
    const z = slopeX * x + slopeY * y;
    for (let i = 0; i < 3; i++)
      out[at++] = positions[p + i]! + side * (M[4 * i]! * x + M[4 * i + 1]! * y + M[4 * i + 2]! * z);
  }
}

/** Enough points to know the spacing of a cloud by. */
const SPACING_SAMPLES = 200;
/** Distances computed for that at most: a second. */
const SPACING_DISTANCES = 4e8;

/**
 * How far apart points lie, over the pixels of the depth maps they come from: 1 where every pixel gave a point, more
 * where the cloud was thinned; the median over points spread over the cloud.
 */
function spacingOverPitch({ positions, confidence }: PointCloud, pitch: (point: number) => number): number {
  const count = confidence.length;
  if (count < 2) return 1;
  const samples = Math.max(20, Math.min(SPACING_SAMPLES, Math.floor(SPACING_DISTANCES / count), count));
  const ratios = new Float64Array(Math.min(samples, count));
  for (let s = 0; s < ratios.length; s++) {
    const at = Math.floor(((s + 0.5) * count) / ratios.length);
    const [x, y, z] = [positions[3 * at]!, positions[3 * at + 1]!, positions[3 * at + 2]!];
    let nearest = Infinity;
    for (let k = 0; k < count; k++) {
      const dx = positions[3 * k]! - x;
      const dy = positions[3 * k + 1]! - y;
      const dz = positions[3 * k + 2]! - z;
      const square = dx * dx + dy * dy + dz * dz;
      if (square < nearest && k !== at) nearest = square;
    }
    ratios[s] = Math.sqrt(nearest) / Math.max(pitch(at), 1e-12);
  }
  return median(ratios)!;
}

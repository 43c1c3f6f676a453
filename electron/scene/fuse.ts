import type { Execution } from '../compute/execution.js';
import { emptyCloud, joinedParts } from '../geometry/cloud.js';
import type { Camera, DepthMap, LightGain, PointCloud, Scene } from '../geometry/types.js';
import { breath, keptPixels, type PixelMasks } from './kept-pixels.js';
import { lightGains, lightTable } from './light.js';
import { depthNormals, unprojected } from './normals.js';
import { select, thin } from './thin.js';

export interface FuseOptions {
  /** Points of less confidence are left out; at least 1. */
  minConfidence: number;
  /** Leave out points in front of surfaces that other photos see. */
  removeFloating: boolean;
  /** Bring the colours of all photos to one brightness and white balance; true when not given. */
  balanceLight?: boolean;
  /** Keep one point per cube of this side, world units. */
  voxelSize?: number;
  signal?: AbortSignal;
  /** All by default. */
  threads?: number;
  /** Who makes the free-space test; threads of this process when not given. */
  execution?: Execution | undefined;
  /** Points times photos that see them from which on the free-space test is made in threads. */
  threadsFrom?: number;
}

const AS_IT_IS: LightGain = [1, 1, 1];

/** Points of a cloud that is held whole: 38 bytes each here, as much again in what is exported. */
export const MOST_HELD = 10_000_000;

/**
 * One coloured cloud from the depth maps of one component: confidence filter, flying pixels and floating points
 * removed, normals, colours under one light, optional voxel thinning.
 *
 * @param pixelsOf sRGB [height, width, 3] of a depth map's view
 */
export async function fuse(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  pixelsOf: (index: number) => Uint8Array,
  options: FuseOptions,
): Promise<PointCloud> {
  return (await fuseScene(cameras, maps, pixelsOf, { ...options, mostHeld: Infinity })).cloud;
}

/**
 * The same, where there are more points than may be held as a whole that is made photo by photo, and an even part of it:
 * the first pixel that gives a point in each square of some pixels. A cloud that is thinned is held.
 */
export async function fuseScene(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  pixelsOf: (index: number) => Uint8Array,
  options: FuseOptions & { mostHeld?: number },
): Promise<Pick<Scene, 'cloud' | 'whole' | 'light'>> {
  const { voxelSize, mostHeld = MOST_HELD, balanceLight = true } = options;
  const breathe = breath(options.signal);
  const masks = await keptPixels(cameras, maps, options);
  const light = balanceLight ? await lightGains(cameras, maps, pixelsOf, { breathe }) : undefined;
  const counts = maps.map((_, index) => masks.count(index));
  const about = counts.reduce((sum, count) => sum + count, 0);
  const part = (index: number): PointCloud =>
    pointsOf({ camera: cameras[index]!, map: maps[index]!, index, masks }, pixelsOf(index), light?.[index] ?? AS_IT_IS);
  const parts = { length: maps.length, counts, about, part };
  if (voxelSize) return { cloud: thin(await joinedParts(parts, breathe), voxelSize), light };
  if (about <= mostHeld) return { cloud: await joinedParts(parts, breathe), light };
  const cell = Math.ceil(Math.sqrt(about / mostHeld));
  const chosen = maps.map(({ width }, index) => firstOfCells(masks.of(index), width, cell));
  const sample = {
    ...parts,
    counts: chosen.map(({ length }) => length),
    part: (index: number) => select(part(index), chosen[index]!),
  };
  return { cloud: await joinedParts(sample, breathe), whole: { ...parts, cell }, light };
}

/** Of the kept pixels, in reading order, the numbers of those that are the first of their cell. */
function firstOfCells(mask: Uint8Array, width: number, cell: number): Uint32Array {
  const columns = Math.ceil(width / cell);
  const taken = new Uint8Array(columns * Math.ceil(mask.length / width / cell));
  const chosen: number[] = [];
  let n = 0;
  for (let k = 0; k < mask.length; k++) {
    if (mask[k] === 0) continue;
    const at = Math.floor(Math.floor(k / width) / cell) * columns + Math.floor((k % width) / cell);
    if (taken[at] === 0) chosen.push(n);
    taken[at] = 1;
    n++;
  }
  return Uint32Array.from(chosen);
}

interface Fused {
  camera: Camera;
  map: DepthMap;
  /** Among the cameras. */
  index: number;
  masks: PixelMasks;
}

/** The points of one photo. */
function pointsOf({ camera, map: given, index, masks }: Fused, pixels: Uint8Array, gain: LightGain): PointCloud {
  // Its arrays may lie behind a cache: they are asked for once.
  const map = { ...given };
  const mask = masks.of(index);
  const count = masks.count(index);
  const cloud = emptyCloud(count);
  cloud.source.fill(index);
  const light = lightTable(gain);
  const normals = depthNormals(map, mask);
  const W = camera.worldFromCamera;
  const point = new Float64Array(3);
  let n = 0;
  for (let k = 0; k < mask.length; k++) {
    if (mask[k] === 0) continue;
    unprojected(map, k % map.width, Math.floor(k / map.width), map.depth[k]!, point);
    for (let i = 0; i < 3; i++) {
      cloud.positions[3 * n + i] =
        W[4 * i]! * point[0]! + W[4 * i + 1]! * point[1]! + W[4 * i + 2]! * point[2]! + W[4 * i + 3]!;
      cloud.normals[3 * n + i] =
        W[4 * i]! * normals[3 * k]! + W[4 * i + 1]! * normals[3 * k + 1]! + W[4 * i + 2]! * normals[3 * k + 2]!;
      cloud.colors[3 * n + i] = light[256 * i + pixels[3 * k + i]!]!;
    }
    // Where the surface gives no normal, the direction to the camera is the best guess.
    if (cloud.normals[3 * n] === 0 && cloud.normals[3 * n + 1] === 0 && cloud.normals[3 * n + 2] === 0) {
      const length = Math.hypot(point[0]!, point[1]!, point[2]!);
      for (let i = 0; i < 3; i++)
        cloud.normals[3 * n + i] =
          -(W[4 * i]! * point[0]! + W[4 * i + 1]! * point[1]! + W[4 * i + 2]! * point[2]!) / length;
    }
    cloud.confidence[n] = map.confidence[k]!;
    cloud.pixel[n] = k;
    cloud.inferred[n] = map.inferred?.[k] ?? 0;
    n++;
  }
  return cloud;
}

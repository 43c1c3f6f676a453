import type { Execution } from '../compute/execution.js';
import { joinedParts, type CloudParts } from '../geometry/cloud.js';
import type { Camera, DepthMap, PointCloud } from '../geometry/types.js';
import { breath, keptPixels, type PixelMasks } from './kept-pixels.js';
import { lightGains, lightTable, type LightGain } from './light.js';
import { depthNormals, unprojected } from './normals.js';
import { thin } from './thin.js';

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
  const parts = await fusedParts(cameras, maps, pixelsOf, options);
  const cloud = await joinedParts(parts, breath(options.signal));
  return options.voxelSize ? thin(cloud, options.voxelSize) : cloud;
}

/**
 * The cloud photo by photo, without thinning: what is held is a bit for each pixel. The points of a photo are made from
 * its depth map when they are asked for.
 *
 * @param pixelsOf sRGB [height, width, 3] of a depth map's view
 */
export async function fusedParts(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  pixelsOf: (index: number) => Uint8Array,
  options: FuseOptions,
): Promise<CloudParts> {
  const masks = await keptPixels(cameras, maps, options);
  const { balanceLight = true, signal } = options;
  const asTheyAre = maps.map((): LightGain => [1, 1, 1]);
  const gains = balanceLight ? await lightGains(cameras, maps, pixelsOf, { breathe: breath(signal) }) : asTheyAre;
  return {
    counts: maps.map((_, index) => masks.count(index)),
    part: (index) =>
      pointsOf({ camera: cameras[index]!, map: maps[index]!, index, masks }, pixelsOf(index), gains[index]!),
  };
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
  const cloud: Required<Omit<PointCloud, 'parts'>> = {
    positions: new Float32Array(count * 3),
    colors: new Uint8Array(count * 3),
    normals: new Float32Array(count * 3),
    confidence: new Float32Array(count),
    source: new Uint16Array(count).fill(index),
    pixel: new Uint32Array(count),
    inferred: new Uint8Array(count),
  };
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

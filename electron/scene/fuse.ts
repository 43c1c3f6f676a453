import { threadExecution, type Execution } from '../compute/execution.js';
import { defaultThreads } from '../compute/pool.js';
import type { Camera, DepthMap, PointCloud } from '../geometry/types.js';
import { lightRatios, lightTable, solveGains, type LightGain, type LightRatio } from './light.js';
import { floatingTask, reliablePixels, withoutFloating } from './masks.js';
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

/** 12 photos of 640 px; a thread takes 0.1 s to start, as long as these take without. */
const THREADS_FROM = 3e7;

/** The module that makes the free-space test (floating-worker.ts). */
export const floatingWorker = new URL(
  import.meta.url.endsWith('.ts') ? './floating-worker.ts' : './floating-worker.js',
  import.meta.url,
);

/**
 * One coloured cloud from the depth maps of one component: confidence filter, flying pixels and floating points
 * removed, normals, colours under one light, optional voxel thinning.
 *
 * @param pixels sRGB [height, width, 3] of each depth map's view
 */
export async function fuse(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  pixels: readonly Uint8Array[],
  options: FuseOptions,
): Promise<PointCloud> {
  // One photo takes tens of milliseconds: let a cancel, and whatever else is asked, in between.
  const breathe = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    options.signal?.throwIfAborted();
  };
  const reliable: Uint8Array[] = [];
  for (const map of maps) {
    reliable.push(reliablePixels(map, options.minConfidence));
    await breathe();
  }
  const masks = options.removeFloating ? await allWithoutFloating(cameras, maps, reliable, options, breathe) : reliable;
  const count = masks.reduce((sum, mask) => sum + mask.reduce((ones, one) => ones + one, 0), 0);
  const cloud: Required<PointCloud> = {
    positions: new Float32Array(count * 3),
    colors: new Uint8Array(count * 3),
    normals: new Float32Array(count * 3),
    confidence: new Float32Array(count),
    source: new Uint16Array(count),
    pixel: new Uint32Array(count),
    inferred: new Uint8Array(count),
  };
  const gains = await gainsOf(cameras, maps, pixels, options, breathe);
  let n = 0;
  const point = new Float64Array(3);
  for (const [index, map] of maps.entries()) {
    await breathe();
    const mask = masks[index]!;
    const light = lightTable(gains[index]!);
    const normals = depthNormals(map, mask);
    const W = cameras[index]!.worldFromCamera;
    for (let k = 0; k < mask.length; k++) {
      if (mask[k] === 0) continue;
      unprojected(map, k % map.width, Math.floor(k / map.width), map.depth[k]!, point);
      for (let i = 0; i < 3; i++) {
        cloud.positions[3 * n + i] =
          W[4 * i]! * point[0]! + W[4 * i + 1]! * point[1]! + W[4 * i + 2]! * point[2]! + W[4 * i + 3]!;
        cloud.normals[3 * n + i] =
          W[4 * i]! * normals[3 * k]! + W[4 * i + 1]! * normals[3 * k + 1]! + W[4 * i + 2]! * normals[3 * k + 2]!;
        cloud.colors[3 * n + i] = light[256 * i + pixels[index]![3 * k + i]!]!;
      }
      // Where the surface gives no normal, the direction to the camera is the best guess.
      if (cloud.normals[3 * n] === 0 && cloud.normals[3 * n + 1] === 0 && cloud.normals[3 * n + 2] === 0) {
        const length = Math.hypot(point[0]!, point[1]!, point[2]!);
        for (let i = 0; i < 3; i++)
          cloud.normals[3 * n + i] =
            -(W[4 * i]! * point[0]! + W[4 * i + 1]! * point[1]! + W[4 * i + 2]! * point[2]!) / length;
      }
      cloud.confidence[n] = map.confidence[k]!;
      cloud.source[n] = index;
      cloud.pixel[n] = k;
      cloud.inferred[n] = map.inferred?.[k] ?? 0;
      n++;
    }
  }
  return options.voxelSize ? thin(cloud, options.voxelSize) : cloud;
}

/** The free-space test of every photo against those that can see its points: in threads where that is much. */
async function allWithoutFloating(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  reliable: readonly Uint8Array[],
  { signal, threads = defaultThreads(), threadsFrom = THREADS_FROM, execution = threadExecution }: FuseOptions,
  breathe: () => Promise<void>,
): Promise<Uint8Array[]> {
  const work = maps.reduce((sum, { depth }) => sum + depth.length, 0) * Math.max(0, maps.length - 1);
  const pool =
    work >= threadsFrom ? execution.open('cloud', floatingWorker, Math.min(threads, maps.length)) : undefined;
  const masks: Uint8Array[] = new Array<Uint8Array>(maps.length);
  let next = 0;
  const loop = async (): Promise<void> => {
    for (let index = next++; index < maps.length; index = next++) {
      await breathe();
      // Made when its turn comes: what a thread is sent is copied.
      const task = floatingTask(index, cameras, maps, reliable);
      masks[index] = await (pool ? pool.run<Uint8Array>(task, { signal }) : withoutFloating(task));
    }
  };
  try {
    await Promise.all(Array.from({ length: pool?.size ?? 1 }, loop));
  } finally {
    await pool?.close();
  }
  return masks;
}

async function gainsOf(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  pixels: readonly Uint8Array[],
  { balanceLight = true }: FuseOptions,
  breathe: () => Promise<void>,
): Promise<LightGain[]> {
  const ratios: LightRatio[] = [];
  for (let photo = 0; balanceLight && photo < maps.length; photo++) {
    ratios.push(...lightRatios(photo, cameras, maps, pixels));
    await breathe();
  }
  return solveGains(maps.length, ratios);
}

import { withOtherArrays } from '../compute/lazy-arrays.js';
import { decodeMask, emptyBits, isSet, type PhotoMask } from '../contract/mask.js';
import type { Deletion, SceneRegion } from '../contract/scene.js';
import type { Camera, DepthMap, PhotoId, PointCloud, Scene } from '../geometry/types.js';
import { unprojected } from './normals.js';
import { regionTest } from './region.js';
import { select } from './thin.js';

/** What a person took away: bits over the pixels of each photo's depth map. */
export interface Cleaning {
  region: SceneRegion | undefined;
  /** Set where the pixel's point is deleted. */
  deleted: ReadonlyMap<PhotoId, PhotoMask>;
}

export const untouched: Cleaning = { region: undefined, deleted: new Map() };
export const isUntouched = ({ region, deleted }: Cleaning): boolean => region === undefined && deleted.size === 0;

/**
 * The deletions in force, from the first step to the last.
 * @param read the stored bytes of a mask; undefined when they are lost, which then deletes nothing
 * @param sizes of the depth maps at hand: a mask made on maps of another size is read at theirs
 */
export function deletionsInForce(
  steps: readonly Deletion[],
  read: (mask: string) => Uint8Array | undefined,
  sizes: ReadonlyMap<PhotoId, { width: number; height: number }>,
): Map<PhotoId, PhotoMask> {
  const result = new Map<PhotoId, PhotoMask>();
  for (const { mask, mode } of steps) {
    const bytes = read(mask);
    if (!bytes) continue;
    for (const each of decodeMask(bytes)) {
      const size = sizes.get(each.photo);
      if (!size) continue;
      const { bits } = resized(each, size.width, size.height);
      const before = result.get(each.photo)?.bits ?? emptyBits(size.width * size.height);
      for (let k = 0; k < bits.length; k++)
        before[k] = mode === 'delete' ? before[k]! | bits[k]! : before[k]! & ~bits[k]!;
      result.set(each.photo, { photo: each.photo, ...size, bits: before });
    }
  }
  return result;
}

/** A mask at another resolution of the same view: each pixel asks the one at its place. */
export function resized(mask: PhotoMask, width: number, height: number): PhotoMask {
  if (mask.width === width && mask.height === height) return mask;
  const bits = emptyBits(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.min(mask.height - 1, Math.floor(((y + 0.5) * mask.height) / height)) * mask.width;
    for (let x = 0; x < width; x++) {
      const k = y * width + x;
      const from = row + Math.min(mask.width - 1, Math.floor(((x + 0.5) * mask.width) / width));
      if (isSet(mask.bits, from)) bits[k >> 3]! |= 1 << (k & 7);
    }
  }
  return { ...mask, width, height, bits };
}

/** Whether a photo's depth pixel is kept, as far as deletions go; the region is asked by its points. */
export const pixelKept = ({ deleted }: Cleaning, photo: PhotoId, pixel: number): boolean => {
  const mask = deleted.get(photo);
  return mask === undefined || !isSet(mask.bits, pixel);
};

/** Indices of the points that are left. */
export function keptPoints(cloud: PointCloud, cameras: readonly Camera[], { region, deleted }: Cleaning): Uint32Array {
  const { positions, source, pixel } = cloud;
  const inside = region && regionTest(region);
  const masks = cameras.map(({ photo }) => deleted.get(photo)?.bits);
  const kept = new Uint32Array(source.length);
  let count = 0;
  for (let k = 0; k < source.length; k++) {
    const bits = masks[source[k]!];
    const at = pixel?.[k];
    if (bits && at !== undefined && ((bits[at >> 3]! >> (at & 7)) & 1) === 1) continue;
    if (inside && !inside(positions[3 * k]!, positions[3 * k + 1]!, positions[3 * k + 2]!)) continue;
    kept[count++] = k;
  }
  return kept.subarray(0, count);
}

/** A depth map without what was taken away: such pixels have no depth. @param camera in the frame of the region */
export function cleanedMap(map: DepthMap, camera: Camera, { region, deleted }: Cleaning): DepthMap {
  const bits = deleted.get(map.photo)?.bits;
  if (!bits && !region) return map;
  // Bits are kept, arrays of numbers lie where those of the map lie.
  let known: Uint8Array | undefined;
  const gone = (): Uint8Array => (known ??= goneBits(map, camera, { region, bits }));
  const without = (values: Float32Array, nothing: number): Float32Array =>
    values.map((value, k) => (isSet(gone(), k) ? nothing : value));
  return withOtherArrays(map, {
    depth: () => without(map.depth, 0),
    confidence: () => without(map.confidence, 1),
  });
}

/** Set where a depth was taken away. */
function goneBits(
  given: DepthMap,
  camera: Camera,
  { region, bits }: { region: SceneRegion | undefined; bits: Uint8Array | undefined },
): Uint8Array {
  // Its arrays may lie behind a cache: they are asked for once.
  const map = { ...given };
  const inside = region && regionTest(region);
  const W = camera.worldFromCamera;
  const point = new Float64Array(3);
  const gone = emptyBits(map.depth.length);
  for (let k = 0; k < map.depth.length; k++) {
    if (!(map.depth[k]! > 0)) continue;
    let isGone = bits !== undefined && isSet(bits, k);
    if (!isGone && inside) {
      unprojected(map, k % map.width, Math.floor(k / map.width), map.depth[k]!, point);
      const [x, y, z] = [0, 1, 2].map(
        (i) => W[4 * i]! * point[0]! + W[4 * i + 1]! * point[1]! + W[4 * i + 2]! * point[2]! + W[4 * i + 3]!,
      ) as [number, number, number];
      isGone = !inside(x, y, z);
    }
    if (isGone) gone[k >> 3]! |= 1 << (k & 7);
  }
  return gone;
}

/** A scene without what was taken away: its cloud and its depth maps. The cameras stay. */
export function cleaned(scene: Scene, cleaning: Cleaning): Scene {
  if (isUntouched(cleaning)) return scene;
  const { whole } = scene;
  const left = (cloud: PointCloud): PointCloud => select(cloud, keptPoints(cloud, scene.cameras, cleaning));
  return {
    cameras: scene.cameras,
    cloud: left(scene.cloud),
    ...(whole ? { whole: { ...whole, counts: undefined, part: (k: number) => left(whole.part(k)) } } : {}),
    depthMaps: scene.depthMaps.map((map, k) => cleanedMap(map, scene.cameras[k]!, cleaning)),
  };
}

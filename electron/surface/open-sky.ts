import type { DepthMap } from '../geometry/types.js';
import { areas } from '../photos/found-masks/morphology.js';
import { edgeDistances } from '../pointmaps/geometric/dense/plain.js';
import { skyOf } from '../pointmaps/geometric/dense/sky.js';
import { reliablePixels } from '../scene/masks.js';
import { shared } from './shared.js';

export interface OpenSkyOptions {
  /** Depths of less confidence are not trusted; at least 1. */
  minConfidence: number;
  /** Pixels beside the sky's edge that say nothing: a photo mixes both sides there, and cameras are a little wrong. */
  edge: number;
  /** Share of an area with depths of its own from which on it is no sky but a wall that looks like it. */
  ownDepths: number;
}

export const OPEN_SKY_DEFAULTS: OpenSkyOptions = { minConfidence: 2, edge: 2, ownDepths: 0.05 };

/**
 * The pixels in which a view sees nothing but the sky: their rays are free as far as they go, though no depth says so.
 *
 * @param pixels sRGB [h, w, 3] of the depth map's view
 * @returns flags [h, w], 1 where the ray is free; undefined where no sky is seen
 */
export function openSky(
  map: DepthMap,
  pixels: Uint8Array,
  options: Partial<OpenSkyOptions> = {},
): Uint8Array | undefined {
  const { minConfidence, edge, ownDepths } = { ...OPEN_SKY_DEFAULTS, ...options };
  const { width, height } = map;
  const flags = skyOf({ width, height, pixels });
  if (!flags) return undefined;
  const reliable = reliablePixels(map, minConfidence);
  const { of, sizes } = areas(flags, width);
  const known = new Float64Array(sizes.length);
  of.forEach((area, k) => {
    if (area >= 0) known[area]! += reliable[k]!;
  });
  const distance = edgeDistances(Int32Array.from(flags), width, height);
  return shared(
    flags.map((_, k) => {
      const area = of[k]!;
      const isSky = area >= 0 && known[area]! <= ownDepths * sizes[area]!;
      return isSky && reliable[k] === 0 && distance[k]! > edge ? 1 : 0;
    }),
  );
}

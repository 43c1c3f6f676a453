import type { DepthMap } from '../geometry/types.js';
import { areas } from '../photos/found-masks/morphology.js';
import { skyOf } from '../pointmaps/geometric/dense/sky.js';
import { reliablePixels } from '../scene/masks.js';
import { shared } from './shared.js';

export interface FoundSkyOptions {
  /** Depths of less confidence are not trusted; at least 1. */
  minConfidence: number;
  /** Share of an area with depths of its own from which on it is no sky but a wall that looks like it. */
  ownDepths: number;
}

/** What is asked of a depth map. */
export type SkylessMap = Pick<DepthMap, 'width' | 'height' | 'depth' | 'confidence'>;

export const FOUND_SKY_DEFAULTS: FoundSkyOptions = { minConfidence: 2, ownDepths: 0.05 };

/**
 * The sky of a depth map that was made without looking for it: a network's, or one of an older project.
 *
 * @param pixels sRGB [h, w, 3] of the depth map's view
 * @returns flags [h, w] as DepthMap.sky; undefined where no sky is seen
 */
export function foundSky(
  map: SkylessMap,
  pixels: Uint8Array,
  options: Partial<FoundSkyOptions> = {},
): Uint8Array | undefined {
  const { minConfidence, ownDepths } = { ...FOUND_SKY_DEFAULTS, ...options };
  const { width, height } = map;
  const flags = skyOf({ width, height, pixels });
  if (!flags) return undefined;
  const reliable = reliablePixels(map, minConfidence);
  const { of, sizes } = areas(flags, width);
  const known = new Float64Array(sizes.length);
  of.forEach((area, k) => {
    if (area >= 0) known[area]! += reliable[k]!;
  });
  return shared(
    flags.map((_, k) => {
      const area = of[k]!;
      const isSky = area >= 0 && known[area]! <= ownDepths * sizes[area]!;
      return isSky && reliable[k] === 0 ? 1 : 0;
    }),
  );
}

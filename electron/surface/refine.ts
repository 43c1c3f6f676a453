import { withoutSmallPieces, type ComponentOptions } from './components.js';
import { withoutCrossings, type CrossingOptions } from './crossings.js';
import { fillHoles, type HoleOptions } from './holes.js';
import { joinBlocks, type JoinOptions } from './join.js';
import type { BlockSurface } from './fusion.js';
import { makeManifold } from './manifold.js';
import { smooth, type SmoothOptions } from './smooth.js';
import { simplify, type SimplifyOptions } from './simplify.js';
import type { Mesh, ViewCamera } from './types.js';

export type RefineOptions = Partial<
  JoinOptions & ComponentOptions & HoleOptions & SimplifyOptions & SmoothOptions & CrossingOptions
>;

/** From the surfaces of the blocks to a clean mesh of the wanted size. */
export async function refine(
  blocks: readonly BlockSurface[],
  cameras: readonly ViewCamera[],
  options: RefineOptions = {},
): Promise<Mesh> {
  const pieces = withoutSmallPieces(joinBlocks(blocks, options), cameras, options);
  const light = makeManifold(await simplify(pieces, options));
  const closed = makeManifold(fillHoles(light, cameras, options));
  const smoothed = smooth(withoutSmallPieces(closed, cameras, options), options);
  return withoutCrossings(smoothed, options);
}

import { withoutSmallPieces, type ComponentOptions } from './components.js';
import { withoutCrossings, type CrossingOptions } from './crossings.js';
import { withEvidence, type EvidenceOptions } from './evidence.js';
import { fillHoles, type HoleOptions } from './holes.js';
import { joinBlocks, type JoinOptions } from './join.js';
import type { BlockSurface } from './fusion.js';
import { makeManifold } from './manifold.js';
import { smooth, type SmoothOptions } from './smooth.js';
import { simplify, type SimplifyOptions } from './simplify.js';
import type { Mesh, SurfaceView } from './types.js';

export type RefineOptions = Partial<
  JoinOptions & ComponentOptions & HoleOptions & SimplifyOptions & SmoothOptions & CrossingOptions & EvidenceOptions
>;

/** From the surfaces of the blocks to a clean mesh of the wanted size. */
export async function refine(
  blocks: readonly BlockSurface[],
  views: readonly SurfaceView[],
  options: RefineOptions = {},
): Promise<Mesh> {
  const pieces = withoutSmallPieces(joinBlocks(blocks, options), views, options);
  const light = makeManifold(await simplify(pieces, options));
  const closed = makeManifold(fillHoles(light, views, options));
  const smoothed = smooth(withoutSmallPieces(closed, views, options), options);
  return withEvidence(withoutCrossings(smoothed, options), views, options);
}

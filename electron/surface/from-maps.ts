import { withOtherArrays } from '../compute/lazy-arrays.js';
import { UserError } from '../contract/errors.js';
import type { DepthMap } from '../geometry/types.js';
import { packBits, unpackBits } from '../numerics/bits.js';
import { cleanedMap } from '../scene/cleaning.js';
import { plannedView, type PlannedView } from './blocks.js';
import type { BuildInput, BuildOptions } from './build.js';
import type { Crew } from './crew.js';
import { noEvidence, withEvidence } from './evidence.js';
import type { BlockSurface } from './fusion.js';
import type { Block, Mesh, SurfaceView } from './types.js';
import { surfaceViews, type SurfaceViews } from './views.js';
import { windowOf } from './window.js';

/*
 * From depth maps to the surface. The maps may lie behind a cache of a given size: this thread reads one view at a time,
 * or the part of it that a block needs, and holds what planning and masks take, half a byte a pixel.
 */

/** The maps, with the sky found in those that were made without looking for it. */
export async function mapsWithSky(
  { maps, pixelsOf }: BuildInput,
  { minConfidence }: BuildOptions,
  crew: Crew,
): Promise<DepthMap[]> {
  const told = [...maps];
  if (!pixelsOf) return told;
  await crew.each(maps.length, async (k) => {
    const map = maps[k]!;
    await crew.breathe();
    if (map.sky) return;
    const { width, height, depth, confidence } = map;
    const request = { map: { width, height, depth, confidence }, pixels: pixelsOf(k), options: { minConfidence } };
    const sky = await crew.ask('sky', request);
    if (!sky) return;
    const bits = packBits(sky);
    told[k] = withOtherArrays(map, { sky: () => unpackBits(bits, sky.length) });
  });
  return told;
}

/** @throws UserError 'bad-input' when the depth maps hold no surface */
export async function surfaceOf(
  { cameras, cleaning }: BuildInput,
  maps: readonly DepthMap[],
  options: BuildOptions,
  crew: Crew,
): Promise<Mesh> {
  const { minConfidence, removeFloating, faces, closeHoles, threads } = options;
  const { signal, execution } = crew.context;
  crew.tell('looking at the depth maps', 0, 1);
  const left = cleaning ? maps.map((map, k) => cleanedMap(map, cameras[k]!, cleaning)) : maps;
  const views = await surfaceViews(cameras, left, { minConfidence, removeFloating, signal, threads, execution });
  const blocks = await planned(views, crew);
  const parts = await fused(views, blocks, crew);
  crew.tell('cleaning and simplifying', 0, 1);
  const mesh = await crew.ask('refine', { blocks: parts, cameras: views.cameras, options: { faces, closeHoles } });
  if (mesh.indices.length === 0)
    throw new UserError(
      'bad-input',
      'the depth maps hold no surface: too little is confident; lower the confidence, or take more photos that overlap',
    );
  return evident(mesh, views, crew);
}

async function planned({ cameras, whole }: SurfaceViews, crew: Crew): Promise<Block[]> {
  const views: PlannedView[] = [];
  for (const index of cameras.keys()) {
    views.push(plannedView(whole(index)));
    await crew.breathe();
  }
  return crew.ask('plan', { views, options: {} });
}

async function fused({ cameras, part }: SurfaceViews, blocks: readonly Block[], crew: Crew): Promise<BlockSurface[]> {
  const parts: BlockSurface[] = [];
  let done = 0;
  await crew.each(blocks.length, async (k) => {
    // Only the parts of the views that the block needs: of hundreds that see a place, each shows it in a corner.
    const cut: SurfaceView[] = [];
    for (const index of blocks[k]!.views) {
      const window = windowOf(cameras[index]!, blocks[k]!);
      if (!window) continue;
      cut.push(part(index, window));
      await crew.breathe();
    }
    const block = { ...blocks[k]!, views: [...cut.keys()] };
    parts[k] = await crew.ask('fuse', { views: cut, block, options: {} });
    crew.tell('building the surface', ++done, blocks.length);
  });
  return parts;
}

/** The mesh with what the depth maps say of it: one view after the other, while the next is read. */
async function evident(mesh: Mesh, { cameras, whole }: SurfaceViews, crew: Crew): Promise<Mesh> {
  const evidence = noEvidence(mesh.positions.length / 3);
  let before: Promise<unknown> = Promise.resolve();
  for (const index of cameras.keys()) {
    const { open: _, ...view } = whole(index);
    await before;
    before = crew.ask('evidence', { positions: mesh.positions, view, evidence, options: {} });
    // Awaited in the next turn: an abort in between is told there.
    before.catch(() => undefined);
    await crew.breathe();
  }
  await before;
  return withEvidence(mesh, evidence);
}

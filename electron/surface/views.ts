import type { Camera, DepthMap } from '../geometry/types.js';
import { invertRigid } from '../numerics/linear.js';
import { breath, keptPixels, openRays, type KeptOptions } from '../scene/kept-pixels.js';
import type { SurfaceView, ViewCamera, ViewWindow } from './types.js';
import { cutOut } from './window.js';

export type ViewOptions = KeptOptions;

export const VIEW_DEFAULTS: ViewOptions = { minConfidence: 2, removeFloating: true };

/** All views of a surface: their cameras, and what each says of its pixels, which is read when it is asked for. */
export interface SurfaceViews {
  cameras: readonly ViewCamera[];
  whole(index: number): SurfaceView;
  /** The part that a window shows, without `inferred`, in arrays of its own. */
  part(index: number, window: ViewWindow): SurfaceView;
}

/**
 * The depth maps as the surface takes them: what the cloud leaves out is out here too. Nothing but bits is held: the maps
 * may lie behind a cache.
 */
export async function surfaceViews(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  options: Partial<ViewOptions> = {},
): Promise<SurfaceViews> {
  const settings = { ...VIEW_DEFAULTS, ...options };
  const open = await openRays(maps, breath(settings.signal));
  const kept = await keptPixels(cameras, maps, { ...settings, open });
  const views = maps.map(({ width, height, focal, centreX, centreY }, index): ViewCamera => {
    const cameraFromWorld = invertRigid(cameras[index]!.worldFromCamera);
    return { width, height, focal, centreX, centreY, cameraFromWorld };
  });
  const read = (index: number): SurfaceView => {
    const { depth, confidence } = maps[index]!;
    const view = { ...views[index]!, depth, confidence };
    return open.has(index) ? { ...view, open: open.of(index) } : view;
  };
  return {
    cameras: views,
    whole: (index) => {
      const view = read(index);
      const { inferred } = maps[index]!;
      return { ...view, depth: keptDepths(view.depth, kept.of(index)), ...(inferred ? { inferred } : {}) };
    },
    part: (index, window) => {
      const part = cutOut(read(index), window);
      return { ...part, depth: keptDepths(part.depth, kept.of(index, window)) };
    },
  };
}

const keptDepths = (depth: Float32Array, kept: Uint8Array): Float32Array =>
  depth.map((value, k) => (kept[k] === 1 ? value : 0));

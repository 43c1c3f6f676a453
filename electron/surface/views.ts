import type { Camera, DepthMap } from '../geometry/types.js';
import { invertRigid } from '../numerics/linear.js';
import { floatingTask, freeRays, reliablePixels, withoutFloating } from '../scene/masks.js';
import { shared } from './shared.js';
import type { SurfaceView } from './types.js';

export interface ViewOptions {
  /** Pixels of less confidence are left out; at least 1. */
  minConfidence: number;
  /** Leave out points in front of surfaces that other photos see. */
  removeFloating: boolean;
}

export const VIEW_DEFAULTS: ViewOptions = { minConfidence: 2, removeFloating: true };

/** The depth maps as the surface takes them: what the cloud leaves out is out here too. */
export function surfaceViews(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  options: Partial<ViewOptions> = {},
): SurfaceView[] {
  const { minConfidence, removeFloating } = { ...VIEW_DEFAULTS, ...options };
  const reliable = maps.map((map) => reliablePixels(map, minConfidence));
  const open = maps.map(freeRays);
  return maps.map((map, index) => {
    const mask = removeFloating
      ? withoutFloating(floatingTask(index, cameras, maps, (k) => reliable[k]!, { openOf: (k) => open[k] }))
      : reliable[index]!;
    const depth = new Float32Array(new SharedArrayBuffer(4 * map.depth.length));
    for (let k = 0; k < depth.length; k++) depth[k] = mask[k] === 1 ? map.depth[k]! : 0;
    const confidence = shared(map.confidence);
    const { width, height, focal, centreX, centreY } = map;
    const cameraFromWorld = invertRigid(cameras[index]!.worldFromCamera);
    const inferred = map.inferred && shared(map.inferred);
    return { width, height, focal, centreX, centreY, cameraFromWorld, depth, confidence, inferred, open: open[index] };
  });
}

import { sightId } from '../geometry/photo.js';
import type { DepthMap, ObservedView, OriginalFromView, Photo } from '../geometry/types.js';
import type { EstimatorSession } from './estimator.js';
import { originalOf } from './resample.js';

/** A photo's mask: [height, width], 1 where it may be used; of any size, over the whole upright photo. */
export interface PhotoMask {
  width: number;
  height: number;
  keep: Uint8Array;
}

/** The mask of photo i, undefined where it has none. */
export type MaskReader = (index: number) => Promise<PhotoMask | undefined>;

/**
 * Calls `hide` with every pixel of a view that shows a masked place of its photo, or lies outside of it.
 *
 * @param photo size of the original
 */
export function forHiddenPixels(
  view: { width: number; height: number; originalFromView: OriginalFromView },
  photo: { width: number; height: number },
  mask: PhotoMask,
  hide: (pixel: number) => void,
): void {
  for (let y = 0; y < view.height; y++) {
    for (let x = 0; x < view.width; x++) {
      const [px, py] = originalOf(view.originalFromView, x, y);
      const column = Math.floor(((px + 0.5) / photo.width) * mask.width);
      const row = Math.floor(((py + 0.5) / photo.height) * mask.height);
      const inside = column >= 0 && row >= 0 && column < mask.width && row < mask.height;
      if (!inside || mask.keep[row * mask.width + column] !== 1) hide(y * view.width + x);
    }
  }
}

/** A session whose observations say nothing about masked pixels, whatever estimator is behind it. */
export function maskedSession(
  session: EstimatorSession,
  photos: readonly Photo[],
  maskOf: MaskReader,
): EstimatorSession {
  if (photos.every(({ mask }) => !mask)) return session;
  const indexOf = new Map(photos.map(({ id }, index) => [id, index]));
  const maskView = async (view: ObservedView): Promise<ObservedView> => {
    const index = indexOf.get(view.photo);
    const mask = index === undefined ? undefined : await maskOf(index);
    if (index === undefined || !mask) return view;
    const confidence = view.confidence.slice();
    forHiddenPixels(view, photos[index]!, mask, (pixel) => (confidence[pixel] = 1));
    return { ...view, confidence };
  };
  return {
    get plan() {
      return session.plan;
    },
    width: session.width,
    view: (index) => session.view(index),
    focal: (index) => session.focal(index),
    observationKey: (pair) =>
      [session.observationKey(pair), sightId(photos[pair.a]!), sightId(photos[pair.b]!)].join(' '),
    ...(session.progress ? { progress: () => session.progress!() } : {}),
    observe: async (pair, context) => {
      const outcome = await session.observe(pair, context);
      if (outcome.kind === 'rejected') return outcome;
      const views = await Promise.all(outcome.observation.views.map(maskView));
      return { kind: 'observation', observation: { ...outcome.observation, views } };
    },
    close: () => session.close(),
  };
}

/** Depth maps without depth on masked pixels; changed in place. */
export async function maskDepths(
  maps: readonly DepthMap[],
  photos: readonly Photo[],
  maskOf: MaskReader,
): Promise<void> {
  const indexOf = new Map(photos.map(({ id }, index) => [id, index]));
  for (const map of maps) {
    const index = indexOf.get(map.photo);
    const mask = index === undefined ? undefined : await maskOf(index);
    if (index === undefined || !mask) continue;
    forHiddenPixels(map, photos[index]!, mask, (pixel) => {
      map.depth[pixel] = 0;
      map.confidence[pixel] = 1;
    });
  }
}

import type { PhotoReader } from '../../geometry/stage.js';
import type { OriginalFromView, Photo, View } from '../../geometry/types.js';
import { radialOf, resample, type ViewLens } from '../resample.js';

/** The size of a photo's view: its long side at most `longSide`, never enlarged. */
export function viewSize(photo: Photo, longSide: number): { width: number; height: number } {
  const ratio = Math.min(1, longSide / Math.max(photo.width, photo.height));
  return { width: Math.max(1, Math.round(photo.width * ratio)), height: Math.max(1, Math.round(photo.height * ratio)) };
}

/**
 * The map of an undistorted view whose pixel (W/2, H/2) is the photo's principal point, which alignment assumes there. The
 * view of a photo that was cropped shows a little beyond one of its borders, and less of the other side.
 */
export function viewMap(photo: Photo, longSide: number, lens: ViewLens): OriginalFromView {
  const { width, height } = viewSize(photo, longSide);
  const scale = Math.max(photo.width, photo.height) / Math.max(width, height);
  const radial = radialOf(photo, lens);
  return {
    scaleX: scale,
    scaleY: scale,
    offsetX: radial.centreX - (scale * width) / 2,
    offsetY: radial.centreY - (scale * height) / 2,
    radial,
  };
}

/**
 * Resamples a photo without lens distortion, bilinearly, from a reading of the view's size, so that nothing aliases.
 */
export async function undistortedView(
  photo: Photo,
  longSide: number,
  lens: ViewLens,
  reader: PhotoReader,
): Promise<View> {
  const { width, height } = viewSize(photo, longSide);
  const originalFromView = viewMap(photo, longSide, lens);
  const source = await reader.read(photo, { longSide: Math.max(width, height) });
  const pixels = resample(source, photo, originalFromView, { width, height });
  return { photo: photo.id, width, height, pixels, originalFromView };
}

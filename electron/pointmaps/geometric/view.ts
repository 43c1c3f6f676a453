import type { PhotoReader } from '../../geometry/stage.js';
import type { OriginalFromView, Photo, View } from '../../geometry/types.js';
import { resample } from '../resample.js';

/** The size of a photo's view: its long side at most `longSide`, never enlarged. */
export function viewSize(photo: Photo, longSide: number): { width: number; height: number } {
  const ratio = Math.min(1, longSide / Math.max(photo.width, photo.height));
  return { width: Math.max(1, Math.round(photo.width * ratio)), height: Math.max(1, Math.round(photo.height * ratio)) };
}

/**
 * The map of an undistorted view whose pixel (W/2, H/2) is the photo's centre, the principal point that alignment
 * assumes.
 *
 * @param focal pixels of the original
 */
export function viewMap(photo: Photo, longSide: number, focal: number, k1: number): OriginalFromView {
  const { width, height } = viewSize(photo, longSide);
  const scale = Math.max(photo.width, photo.height) / Math.max(width, height);
  const centreX = (photo.width - 1) / 2;
  const centreY = (photo.height - 1) / 2;
  return {
    scaleX: scale,
    scaleY: scale,
    offsetX: centreX - (scale * width) / 2,
    offsetY: centreY - (scale * height) / 2,
    radial: { focal, centreX, centreY, k1 },
  };
}

/**
 * Resamples a photo without lens distortion, bilinearly, from a reading of the view's size, so that nothing aliases.
 */
export async function undistortedView(
  photo: Photo,
  longSide: number,
  focal: number,
  k1: number,
  reader: PhotoReader,
): Promise<View> {
  const { width, height } = viewSize(photo, longSide);
  const originalFromView = viewMap(photo, longSide, focal, k1);
  const source = await reader.read(photo, { longSide: Math.max(width, height) });
  const pixels = resample(source, photo, originalFromView, { width, height });
  return { photo: photo.id, width, height, pixels, originalFromView };
}

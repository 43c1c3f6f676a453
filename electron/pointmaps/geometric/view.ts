import type { PhotoReader } from '../../geometry/stage.js';
import type { OriginalFromView, Photo, View } from '../../geometry/types.js';

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
  const ratio = source.width / photo.width;
  const ratioY = source.height / photo.height;
  const pixels = new Uint8Array(width * height * 3);
  const { scaleX, offsetX, offsetY } = originalFromView;
  const centreX = (photo.width - 1) / 2;
  const centreY = (photo.height - 1) / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = (offsetX + scaleX * x - centreX) / focal;
      const v = (offsetY + scaleX * y - centreY) / focal;
      const factor = focal * (1 + k1 * (u * u + v * v));
      const sx = Math.min(source.width - 1, Math.max(0, (centreX + factor * u + 0.5) * ratio - 0.5));
      const sy = Math.min(source.height - 1, Math.max(0, (centreY + factor * v + 0.5) * ratioY - 0.5));
      const x0 = Math.floor(sx);
      const y0 = Math.floor(sy);
      const fx = sx - x0;
      const fy = sy - y0;
      const at = 3 * (y0 * source.width + x0);
      // At the last column and row the neighbour's weight is zero: any pixel will do.
      const right = x0 + 1 < source.width ? 3 : 0;
      const below = at + (y0 + 1 < source.height ? 3 * source.width : 0);
      for (let c = 0; c < 3; c++) {
        const top = source.pixels[at + c]! * (1 - fx) + source.pixels[at + right + c]! * fx;
        const bottom = source.pixels[below + c]! * (1 - fx) + source.pixels[below + right + c]! * fx;
        pixels[3 * (y * width + x) + c] = Math.round(top * (1 - fy) + bottom * fy);
      }
    }
  }
  return { photo: photo.id, width, height, pixels, originalFromView };
}

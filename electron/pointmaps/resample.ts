import type { OriginalFromView } from '../geometry/types.js';

interface Picture {
  width: number;
  height: number;
  /** sRGB [height, width, 3]. */
  pixels: Uint8Array;
}

interface Size {
  width: number;
  height: number;
}

/** What a view leaves out of a photo: focal in pixels of the original, radial term as in COLMAP's SIMPLE_RADIAL. */
export interface ViewLens {
  focal: number;
  k1: number;
}

/**
 * The pixels of a view, bilinearly; beyond the photo's borders the border.
 *
 * @param source a reading of the whole photo at about the view's resolution, so that nothing aliases
 * @param photo size of the original
 */
export function resample(source: Picture, photo: Size, map: OriginalFromView, { width, height }: Size): Uint8Array {
  const [ratioX, ratioY] = [source.width / photo.width, source.height / photo.height];
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = originalOf(map, x, y);
      sample(source, (u + 0.5) * ratioX - 0.5, (v + 0.5) * ratioY - 0.5, pixels, 3 * (y * width + x));
    }
  }
  return pixels;
}

/** Pixel of the original under a pixel of the view. */
export function originalOf(
  { scaleX, scaleY, offsetX, offsetY, radial }: OriginalFromView,
  x: number,
  y: number,
): [number, number] {
  const [u, v] = [offsetX + scaleX * x, offsetY + scaleY * y];
  if (!radial) return [u, v];
  const { focal, centreX, centreY, k1 } = radial;
  const [a, b] = [(u - centreX) / focal, (v - centreY) / focal];
  const factor = focal * (1 + k1 * (a * a + b * b));
  return [centreX + factor * a, centreY + factor * b];
}

/** View pixels of the middle of the photo, where its principal point is taken to be. */
export function middleOf(photo: Size, { scaleX, scaleY, offsetX, offsetY }: OriginalFromView): [number, number] {
  return [((photo.width - 1) / 2 - offsetX) / scaleX, ((photo.height - 1) / 2 - offsetY) / scaleY];
}

function sample({ width, height, pixels }: Picture, x: number, y: number, out: Uint8Array, at: number): void {
  const sx = Math.min(width - 1, Math.max(0, x));
  const sy = Math.min(height - 1, Math.max(0, y));
  const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
  const [fx, fy] = [sx - x0, sy - y0];
  const first = 3 * (y0 * width + x0);
  // At the last column and row the neighbour's weight is zero: any pixel will do.
  const right = x0 + 1 < width ? 3 : 0;
  const below = first + (y0 + 1 < height ? 3 * width : 0);
  for (let c = 0; c < 3; c++) {
    const top = pixels[first + c]! * (1 - fx) + pixels[first + right + c]! * fx;
    const bottom = pixels[below + c]! * (1 - fx) + pixels[below + right + c]! * fx;
    out[at + c] = Math.round(top * (1 - fy) + bottom * fy);
  }
}

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

/**
 * What a view leaves out of a photo: focal and principal point (relative to the photo's centre) in pixels of the original,
 * radial terms as in COLMAP's RADIAL.
 */
export interface ViewLens {
  focal: number;
  k1: number;
  k2?: number | undefined;
  cx?: number | undefined;
  cy?: number | undefined;
}

/** True where a photo as it is shows what a pinhole camera with a principal point in the middle would. */
export const isPlain = ({ k1, k2 = 0, cx = 0, cy = 0 }: ViewLens): boolean =>
  k1 === 0 && k2 === 0 && cx === 0 && cy === 0;

/** Identifies what a view leaves out. */
export const viewLensKey = ({ focal, k1, k2 = 0, cx = 0, cy = 0 }: ViewLens): string =>
  k2 === 0 && cx === 0 && cy === 0 ? `${focal},${k1}` : `${focal},${k1},${k2},${cx},${cy}`;

export function radialOf(photo: Size, { focal, k1, k2 = 0, cx = 0, cy = 0 }: ViewLens) {
  const centre = { centreX: (photo.width - 1) / 2 + cx, centreY: (photo.height - 1) / 2 + cy };
  return { focal, ...centre, k1, ...(k2 === 0 ? {} : { k2 }) } satisfies OriginalFromView['radial'];
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
  const { focal, centreX, centreY, k1, k2 = 0 } = radial;
  const [a, b] = [(u - centreX) / focal, (v - centreY) / focal];
  const square = a * a + b * b;
  const factor = focal * (1 + square * (k1 + square * k2));
  return [centreX + factor * a, centreY + factor * b];
}

/** View pixels of the photo's principal point: the middle of the photo where nothing else is known. */
export function middleOf(
  photo: Size,
  { scaleX, scaleY, offsetX, offsetY, radial }: OriginalFromView,
): [number, number] {
  const { centreX, centreY } = radial ?? { centreX: (photo.width - 1) / 2, centreY: (photo.height - 1) / 2 };
  return [(centreX - offsetX) / scaleX, (centreY - offsetY) / scaleY];
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

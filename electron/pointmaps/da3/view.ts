import type { PhotoReader } from '../../geometry/stage.js';
import type { OriginalFromView, Photo, View } from '../../geometry/types.js';

export interface ViewShape {
  width: number;
  height: number;
}

/** What a view removes: focal in pixels of the original, radial term as in COLMAP's SIMPLE_RADIAL. */
export interface Lens {
  focal: number;
  k1: number;
}

const downTo = (length: number, patch: number): number => Math.max(patch, Math.floor(length / patch) * patch);

/** A photo's view: the long side of `longSide` pixels, both sides multiples of the patch, cut evenly. */
export function viewShape(photo: Photo, longSide: number, patch: number): ViewShape {
  const scale = longSide / Math.max(photo.width, photo.height);
  return {
    width: downTo(Math.round(photo.width * scale), patch),
    height: downTo(Math.round(photo.height * scale), patch),
  };
}

/** One shape that lies inside all: for photos that must be looked at together though they differ. */
export function commonShape(shapes: readonly ViewShape[]): ViewShape {
  return {
    width: Math.min(...shapes.map(({ width }) => width)),
    height: Math.min(...shapes.map(({ height }) => height)),
  };
}

/** The map of a view whose pixel (W/2, H/2), where alignment assumes the principal point, is the photo's centre. */
export function viewMap(photo: Photo, shape: ViewShape, longSide: number, lens?: Lens): OriginalFromView {
  const scale = Math.max(photo.width, photo.height) / longSide;
  const [centreX, centreY] = [(photo.width - 1) / 2, (photo.height - 1) / 2];
  return {
    scaleX: scale,
    scaleY: scale,
    offsetX: centreX - (scale * shape.width) / 2,
    offsetY: centreY - (scale * shape.height) / 2,
    ...(lens && lens.k1 !== 0 ? { radial: { focal: lens.focal, centreX, centreY, k1: lens.k1 } } : {}),
  };
}

/** Resamples a photo into its view, bilinearly, from a reading of about the view's size; without lens distortion. */
export async function readGroupView(
  reader: PhotoReader,
  photo: Photo,
  shape: ViewShape,
  longSide: number,
  lens?: Lens,
): Promise<View> {
  const map = viewMap(photo, shape, longSide, lens);
  const scale = longSide / Math.max(photo.width, photo.height);
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  const source = await reader.read(photo, { width: side(photo.width), height: side(photo.height), enlarge: true });
  const [ratioX, ratioY] = [source.width / photo.width, source.height / photo.height];
  const { width, height } = shape;
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = originalOf(map, x, y);
      sample(source, (u + 0.5) * ratioX - 0.5, (v + 0.5) * ratioY - 0.5, pixels, 3 * (y * width + x));
    }
  }
  return { photo: photo.id, width, height, pixels, originalFromView: map };
}

/** Pixel of the original under a pixel of the view. */
function originalOf(
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

/** Bilinear; beyond the borders the border. */
function sample(
  { width, height, pixels }: { width: number; height: number; pixels: Uint8Array },
  x: number,
  y: number,
  out: Uint8Array,
  at: number,
): void {
  const sx = Math.min(width - 1, Math.max(0, x));
  const sy = Math.min(height - 1, Math.max(0, y));
  const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
  const [fx, fy] = [sx - x0, sy - y0];
  const first = 3 * (y0 * width + x0);
  const right = x0 + 1 < width ? 3 : 0;
  const below = first + (y0 + 1 < height ? 3 * width : 0);
  for (let c = 0; c < 3; c++) {
    const top = pixels[first + c]! * (1 - fx) + pixels[first + right + c]! * fx;
    const bottom = pixels[below + c]! * (1 - fx) + pixels[below + right + c]! * fx;
    out[at + c] = Math.round(top * (1 - fy) + bottom * fy);
  }
}

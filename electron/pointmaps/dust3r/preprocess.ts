import type { PhotoReader } from '../../geometry/stage.js';
import type { OriginalFromView, Photo, View } from '../../geometry/types.js';
import { isPlain, radialOf, resample, type ViewLens } from '../resample.js';

export interface ViewSettings {
  /** Long side (512 models) or side of the square (224 models). */
  size: number;
  square: boolean;
  /** A square photo stays one; networks that never saw a square view at their size get its middle at 4:3. */
  keepSquares?: boolean;
  patch: number;
}

export interface ViewGeometry {
  /** The whole photo after resizing. */
  resized: { width: number; height: number };
  crop: { left: number; top: number; width: number; height: number };
  originalFromView: OriginalFromView;
}

/**
 * Size and place of a photo's view. 512 models: long side to `size`, then centre-cropped to multiples of the patch, a
 * square photo to 4:3. 224 models: short side to `size`, centre square. A pixel's centre is at integer coordinates, and
 * resizing keeps the borders of the image, so (original + 0.5) = (resized + 0.5) * ratio.
 */
export function viewGeometry(
  photo: { width: number; height: number },
  { size, square, keepSquares = false, patch }: ViewSettings,
): ViewGeometry {
  const scale = size / (square ? Math.min(photo.width, photo.height) : Math.max(photo.width, photo.height));
  // A panorama's short side may come out thinner than one patch; it is then stretched to one.
  const side = (length: number) => Math.max(patch, Math.round(length * scale));
  const resized = { width: side(photo.width), height: side(photo.height) };
  const down = (length: number) => Math.max(patch, Math.floor(length / patch) * patch);
  const width = square ? size : down(resized.width);
  const height = square
    ? size
    : down(resized.width === resized.height && !keepSquares ? (3 * width) / 4 : resized.height);
  const left = Math.floor((resized.width - width) / 2);
  const top = Math.floor((resized.height - height) / 2);
  const scaleX = photo.width / resized.width;
  const scaleY = photo.height / resized.height;
  return {
    resized,
    crop: { left, top, width, height },
    originalFromView: { scaleX, scaleY, offsetX: (left + 0.5) * scaleX - 0.5, offsetY: (top + 0.5) * scaleY - 0.5 },
  };
}

/** Reads a photo as a network sees it; without its lens' distortion where the lens is known. */
export async function readView(
  reader: PhotoReader,
  photo: Photo,
  settings: ViewSettings,
  lens?: ViewLens,
): Promise<View> {
  const { resized, crop, originalFromView } = viewGeometry(photo, settings);
  const source = await reader.read(photo, { ...resized, enlarge: true });
  if (lens && !isPlain(lens)) {
    const map = { ...originalFromView, radial: radialOf(photo, lens) };
    const { width, height } = crop;
    return { photo: photo.id, width, height, pixels: resample(source, photo, map, crop), originalFromView: map };
  }
  const cut = new Uint8Array(crop.width * crop.height * 3);
  for (let y = 0; y < crop.height; y++) {
    const start = ((crop.top + y) * resized.width + crop.left) * 3;
    cut.set(source.pixels.subarray(start, start + crop.width * 3), y * crop.width * 3);
  }
  return { photo: photo.id, width: crop.width, height: crop.height, pixels: cut, originalFromView };
}

/** sRGB [height, width, 3] to planar [3, height, width] in -1..1. */
export function planarImage({
  width,
  height,
  pixels,
}: {
  width: number;
  height: number;
  pixels: Uint8Array;
}): Float32Array {
  const size = width * height;
  const out = new Float32Array(3 * size);
  for (let p = 0; p < size; p++) {
    for (let channel = 0; channel < 3; channel++) out[channel * size + p] = pixels[3 * p + channel]! / 127.5 - 1;
  }
  return out;
}

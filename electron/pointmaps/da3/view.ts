import type { PhotoReader } from '../../geometry/stage.js';
import type { OriginalFromView, Photo, View } from '../../geometry/types.js';
import { isPlain, radialOf, resample, type ViewLens } from '../resample.js';

export interface ViewShape {
  width: number;
  height: number;
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

/** The map of a view whose pixel (W/2, H/2), where alignment assumes the principal point, is the photo's. */
export function viewMap(photo: Photo, shape: ViewShape, longSide: number, lens?: ViewLens): OriginalFromView {
  const scale = Math.max(photo.width, photo.height) / longSide;
  const radial = radialOf(photo, lens ?? { focal: 1, k1: 0 });
  return {
    scaleX: scale,
    scaleY: scale,
    offsetX: radial.centreX - (scale * shape.width) / 2,
    offsetY: radial.centreY - (scale * shape.height) / 2,
    ...(lens && !isPlain(lens) ? { radial } : {}),
  };
}

/** Resamples a photo into its view, bilinearly, from a reading of about the view's size; without lens distortion. */
export async function readGroupView(
  reader: PhotoReader,
  photo: Photo,
  shape: ViewShape,
  longSide: number,
  lens?: ViewLens,
): Promise<View> {
  const map = viewMap(photo, shape, longSide, lens);
  const scale = longSide / Math.max(photo.width, photo.height);
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  const source = await reader.read(photo, { width: side(photo.width), height: side(photo.height), enlarge: true });
  return { photo: photo.id, ...shape, pixels: resample(source, photo, map, shape), originalFromView: map };
}

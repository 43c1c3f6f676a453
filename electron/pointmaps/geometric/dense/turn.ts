import { multiply4 } from '../../../numerics/linear.js';
import type { GreyView } from './sweep.js';

/**
 * Quarter turns (0 to 3) by which the second camera is rolled against the first. The census compares neighbourhoods as
 * they lie.
 */
export function quarterTurns(secondFromFirst: Float64Array): number {
  const roll = Math.atan2(secondFromFirst[4]!, secondFromFirst[0]!);
  return (Math.round(roll / (Math.PI / 2)) + 4) % 4;
}

/** cos and sin of a turn back by `quarters`. */
const COS = [1, 0, -1, 0];
const SIN = [0, 1, 0, -1];

/** Row-major 4x4 of the turned camera: x' = cos x + sin y, y' = -sin x + cos y. */
export function turnedPose(secondFromFirst: Float64Array, quarters: number): Float64Array {
  const [c, s] = [COS[quarters]!, SIN[quarters]!];
  return multiply4([c, s, 0, 0, -s, c, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], secondFromFirst);
}

/** Index in the turned picture of each pixel of the picture as it lies. */
export function turnedPixel(x: number, y: number, width: number, height: number, quarters: number): number {
  switch (quarters) {
    case 1:
      return (width - 1 - x) * height + y;
    case 2:
      return (height - 1 - y) * width + width - 1 - x;
    case 3:
      return x * height + height - 1 - y;
    default:
      return y * width + x;
  }
}

/** The view turned back by `quarters`, so that it stands as the other one does. */
export function turnedView(view: GreyView, quarters: number): GreyView {
  if (quarters === 0) return view;
  const { width, height, grey, centreX, centreY, focal } = view;
  const out = new Uint8Array(grey.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) out[turnedPixel(x, y, width, height, quarters)] = grey[y * width + x]!;
  const lying = quarters % 2 === 1;
  const centre = [
    [centreX, centreY],
    [centreY, width - 1 - centreX],
    [width - 1 - centreX, height - 1 - centreY],
    [height - 1 - centreY, centreX],
  ][quarters]!;
  return {
    grey: out,
    width: lying ? height : width,
    height: lying ? width : height,
    focal,
    centreX: centre[0]!,
    centreY: centre[1]!,
  };
}

/** A map [h, w, channels] of a turned view, as the original lies. */
export function turnedBack(
  map: Float32Array,
  channels: number,
  width: number,
  height: number,
  quarters: number,
): Float32Array {
  if (quarters === 0) return map;
  const out = new Float32Array(map.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = turnedPixel(x, y, width, height, quarters);
      for (let c = 0; c < channels; c++) out[(y * width + x) * channels + c] = map[from * channels + c]!;
    }
  }
  return out;
}

import type { Intrinsics } from '../geometry/types.js';
import type { Lens } from '../geometry/lens.js';

/** A photo to texture from: its camera, in pixels of the original, and its lens. */
export interface TexturePhoto extends Intrinsics, Lens {
  /** Row-major 4x4. */
  cameraFromWorld: Float64Array;
  /** 0 (blurred) to 1 (sharp). */
  sharpness: number;
  blind?: BlindView | undefined;
  /** Per channel and sRGB level, the level under the light that all photos share (scene/light.ts); none: as it is. */
  light?: Uint8Array | undefined;
}

/**
 * Where a photo gives no colour to any surface, on the pixels of its view, which is undistorted: it shows the sky there,
 * wholly or in part, or is masked.
 */
export interface BlindView {
  width: number;
  height: number;
  /** View pixels. */
  focal: number;
  centreX: number;
  centreY: number;
  /** [height, width], a bit each, the lowest first. */
  bits: Uint8Array;
}

/** @param x and y the undistorted ray, along z 1 */
export function isBlind({ blind }: TexturePhoto, x: number, y: number): boolean {
  if (!blind) return false;
  const u = Math.round(blind.focal * x + blind.centreX);
  const v = Math.round(blind.focal * y + blind.centreY);
  if (!(u >= 0 && v >= 0 && u < blind.width && v < blind.height)) return false;
  const k = v * blind.width + u;
  return ((blind.bits[k >> 3]! >> (k & 7)) & 1) === 1;
}

/** sRGB [height, width, 3], the photo reduced by `scale` = width / photo.width. */
export interface Picture {
  width: number;
  height: number;
  pixels: Uint8Array;
}

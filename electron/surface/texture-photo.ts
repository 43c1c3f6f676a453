import type { Intrinsics } from '../geometry/types.js';
import type { Lens } from '../geometry/lens.js';

/** A photo to texture from: its camera, in pixels of the original, and its lens. */
export interface TexturePhoto extends Intrinsics, Lens {
  /** Row-major 4x4. */
  cameraFromWorld: Float64Array;
  /** 0 (blurred) to 1 (sharp). */
  sharpness: number;
}

/** sRGB [height, width, 3], the photo reduced by `scale` = width / photo.width. */
export interface Picture {
  width: number;
  height: number;
  pixels: Uint8Array;
}

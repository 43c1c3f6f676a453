/** A photo to texture from: its camera, in pixels of the original, with one radial term (SIMPLE_RADIAL). */
export interface TexturePhoto {
  width: number;
  height: number;
  fx: number;
  fy: number;
  cx: number;
  cy: number;
  k1: number;
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

/** How far a pixel of an undistorted picture lies from the centre in the photo itself, as a factor; (x, y) over focal. */
export function distortion({ k1 }: TexturePhoto, x: number, y: number): number {
  return 1 + k1 * (x * x + y * y);
}

/**
 * Radius (over focal) beyond which the radial term folds back: nothing there is seen by the photo.
 */
export function mostRadius({ k1 }: TexturePhoto): number {
  return k1 < 0 ? Math.sqrt(-1 / (3 * k1)) : Infinity;
}

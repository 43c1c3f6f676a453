/** Brightness 0 to 255 of the sRGB pixel whose red stands at `at`: ITU-R BT.601, the weights of JPEG. */
export const lumaAt = (pixels: Uint8Array, at: number): number =>
  0.299 * pixels[at]! + 0.587 * pixels[at + 1]! + 0.114 * pixels[at + 2]!;

/** @param pixels [n, channels], sRGB or grey, with or without transparency @returns [n], rounded */
export function luma(pixels: Uint8Array, channels = 3): Uint8Array {
  const grey = new Uint8Array(pixels.length / channels);
  for (let k = 0, at = 0; k < grey.length; k++, at += channels)
    grey[k] = channels < 3 ? pixels[at]! : Math.round(lumaAt(pixels, at));
  return grey;
}

import sharp from 'sharp';

/** @returns sRGB [height, width, 3] of a stored thumbnail, long side at most `longSide` */
export async function jpegPixels(
  jpeg: Uint8Array,
  longSide: number,
): Promise<{ pixels: Uint8Array; width: number; height: number }> {
  const { data, info } = await sharp(jpeg)
    .resize(longSide, longSide, { fit: 'inside' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height };
}

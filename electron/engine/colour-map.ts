import sharp from 'sharp';

/**
 * Turbo, from dark blue (0) over green to dark red (1), as polynomials. Anton Mikhailov, "Turbo, An Improved Rainbow
 * Colormap for Visualization", 2019 (Apache-2.0), approximation by Ruofei Du.
 */
const polynomials = [
  [0.13572138, 4.6153926, -42.66032258, 132.13108234, -152.94239396, 59.28637943],
  [0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604],
  [0.1066733, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973],
] as const;

const table = new Uint8Array(256 * 3);
for (let i = 0; i < 256; i++) {
  polynomials.forEach((coefficients, channel) => {
    const value = coefficients.reduceRight<number>((sum, coefficient) => sum * (i / 255) + coefficient, 0);
    table[i * 3 + channel] = Math.round(255 * Math.min(1, Math.max(0, value)));
  });
}

/**
 * @param values [height, width]; `lowest` and below are the first colour, `highest` the last
 * @param known [i] false leaves the pixel transparent
 * @returns PNG with alpha
 */
export async function colourMap(
  values: Float32Array,
  width: number,
  height: number,
  lowest: number,
  highest: number,
  known: (index: number) => boolean,
): Promise<Uint8Array> {
  const pixels = new Uint8Array(values.length * 4);
  const scale = 255 / (highest - lowest || 1);
  for (let i = 0; i < values.length; i++) {
    if (!known(i)) continue;
    const level = Math.min(255, Math.max(0, Math.round((values[i]! - lowest) * scale)));
    pixels.set(table.subarray(level * 3, level * 3 + 3), i * 4);
    pixels[i * 4 + 3] = 255;
  }
  return sharp(pixels, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 3 })
    .toBuffer();
}

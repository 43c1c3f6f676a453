import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import decodeJxl, { init } from '@jsquash/jxl/decode.js';
import parseExr from 'parse-exr';
import { serve } from '../compute/serve.js';
import type { DecodedPicture, OtherFormat } from './formats.js';

serve<{ format: OtherFormat; bytes: Uint8Array<ArrayBuffer> }>(async ({ format, bytes }) => {
  const value = format === 'JPEG XL' ? await jpegXl(bytes) : openExr(bytes);
  return { value, transfer: [value.pixels.buffer as ArrayBuffer] };
});

/** libjxl turns the picture as its header says. */
async function jpegXl(bytes: Uint8Array<ArrayBuffer>): Promise<DecodedPicture> {
  const wasm = readFileSync(createRequire(import.meta.url).resolve('@jsquash/jxl/codec/dec/jxl_dec.wasm'));
  await init(new WebAssembly.Module(wasm));
  const { width, height, data } = await decodeJxl(bytes.buffer);
  const pixels = Uint8Array.from(data);
  return { width, height, pixels, transparent: isTransparent(pixels, 255) };
}

/** Three's number for 32-bit results. */
const FLOAT = 1015;
/** What the parser gives for one channel. */
const ONE_CHANNEL = 1028;

/**
 * Scene-linear values through sRGB's curve (IEC 61966-2-1); what is brighter than white is white. Every file alike, with
 * no exposure of its own: photos of one place keep their ratios.
 */
function openExr(bytes: Uint8Array<ArrayBuffer>): DecodedPicture {
  const { width, height, data, format } = parseExr(bytes.buffer, FLOAT);
  const channels = format === ONE_CHANNEL ? 1 : 4;
  const pixels = new Uint16Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    // The parser's rows go from the bottom up, as textures do.
    const row = (height - 1 - y) * width * channels;
    for (let x = 0; x < width; x++) {
      const to = 4 * (y * width + x);
      for (let c = 0; c < 3; c++) pixels[to + c] = 65535 * curve(data[row + x * channels + (channels === 1 ? 0 : c)]!);
      pixels[to + 3] = channels === 1 ? 65535 : 65535 * Math.min(1, Math.max(0, data[row + 4 * x + 3]!));
    }
  }
  return { width, height, pixels, transparent: isTransparent(pixels, 65535) };
}

function curve(linear: number): number {
  if (!(linear > 0)) return 0;
  return linear <= 0.0031308 ? 12.92 * linear : Math.min(1, 1.055 * linear ** (1 / 2.4) - 0.055);
}

function isTransparent(rgba: ArrayLike<number>, opaque: number): boolean {
  for (let k = 3; k < rgba.length; k += 4) if (rgba[k]! < opaque) return true;
  return false;
}

import { UserError } from '../contract/errors.js';
import type { StoredPicture } from './netpbm.js';

/** Compression of its pixels: none, or none with the channels' bits named. */
const [PLAIN, BIT_FIELDS, ALPHA_BIT_FIELDS] = [0, 3, 6];
const FILE_HEADER = 14;
/** The header of OS/2, whose sizes have 16 bits. */
const CORE_HEADER = 12;

interface Header {
  width: number;
  height: number;
  /** Rows go from the bottom up. */
  isBottomUp: boolean;
  bits: number;
  /** Bytes from the file's start. */
  pixelsAt: number;
  paletteAt: number;
  paletteStep: 3 | 4;
  /** Bits of red, green and blue where a pixel has 16 or 32. */
  masks: readonly number[];
}

/** BMP, as Windows and industrial cameras write it. */
export const isBmp = (bytes: Buffer): boolean =>
  bytes.length > FILE_HEADER + CORE_HEADER && bytes.toString('latin1', 0, 2) === 'BM';

/**
 * Reads BMP without compression: 1, 4 and 8 bits with a palette, 16, 24 and 32 bits (learn.microsoft.com, "Bitmap
 * Storage"). The fourth byte of 32 bits is not read: most programs leave it empty.
 *
 * The packages bmp-ts, fast-bmp and bmp-js were tried: each gives pixels of 8 bits or rows from the top down wrong.
 *
 * @throws UserError 'bad-input' for compressed pixels; Error when the header is none or pixels are missing
 */
export function readBmp(bytes: Buffer): StoredPicture {
  const header = readHeader(bytes);
  const { width, height, isBottomUp, bits, pixelsAt } = header;
  const stride = 4 * Math.ceil((width * bits) / 32);
  if (bytes.length < pixelsAt + stride * height) throw new Error('fewer pixels than the header says');
  const colour = colourReader(bytes, header);
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = pixelsAt + stride * (isBottomUp ? height - 1 - y : y);
    for (let x = 0; x < width; x++) {
      const value = colour(row, x);
      const at = 3 * (y * width + x);
      pixels[at] = value >> 16;
      pixels[at + 1] = value >> 8;
      pixels[at + 2] = value;
    }
  }
  return { width, height, channels: 3, pixels };
}

function readHeader(bytes: Buffer): Header {
  const size = bytes.readUInt32LE(FILE_HEADER);
  const isCore = size === CORE_HEADER;
  if (!isCore && (size < 40 || bytes.length < FILE_HEADER + size)) throw new Error('a damaged header');
  const width = isCore ? bytes.readUInt16LE(18) : bytes.readInt32LE(18);
  const signedHeight = isCore ? bytes.readUInt16LE(20) : bytes.readInt32LE(22);
  const bits = bytes.readUInt16LE(isCore ? 24 : 28);
  const compression = isCore ? PLAIN : bytes.readUInt32LE(30);
  const height = Math.abs(signedHeight);
  if (![1, 4, 8, 16, 24, 32].includes(bits) || !(width > 0) || !(height > 0)) throw new Error('a damaged header');
  const isNamed = compression === BIT_FIELDS || compression === ALPHA_BIT_FIELDS;
  if (compression !== PLAIN && !isNamed)
    throw new UserError('bad-input', 'this BMP is compressed, which is not read; save it as PNG');
  const usual = bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff];
  return {
    ...{ width, height, isBottomUp: signedHeight > 0, bits },
    pixelsAt: bytes.readUInt32LE(10),
    // Bits of channels lie in the header or, with the oldest, right behind it: at the same place.
    masks: isNamed ? [54, 58, 62].map((at) => bytes.readUInt32LE(at)) : usual,
    paletteAt: FILE_HEADER + size,
    paletteStep: isCore ? 3 : 4,
  };
}

/** @returns a function of a row's start and a column that gives 0xRRGGBB */
function colourReader(
  bytes: Buffer,
  { bits, masks, paletteAt, paletteStep, pixelsAt }: Header,
): (row: number, x: number) => number {
  if (bits === 24) return (row, x) => bytes.readUIntLE(row + 3 * x, 3);
  if (bits > 8) {
    const step = bits / 8;
    const channels = masks.map((mask) => {
      const low = mask & -mask;
      return { mask, low: low >>> 0, most: (mask >>> 0) / (low >>> 0) || 1 };
    });
    return (row, x) => {
      const value = bytes.readUIntLE(row + step * x, step);
      return channels.reduce(
        (sum, { mask, low, most }) => 256 * sum + Math.round((255 * ((value & mask) >>> 0)) / (low || 1) / most),
        0,
      );
    };
  }
  const palette = Array.from({ length: 1 << bits }, (_, k) => {
    const at = paletteAt + paletteStep * k;
    return at + 3 <= pixelsAt ? bytes.readUIntLE(at, 3) : 0;
  });
  const perByte = 8 / bits;
  const most = (1 << bits) - 1;
  return (row, x) => {
    const shift = 8 - bits * ((x % perByte) + 1);
    return palette[(bytes[row + Math.floor(x / perByte)]! >> shift) & most]!;
  };
}

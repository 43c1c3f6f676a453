import sharp, { type Sharp } from 'sharp';
import { isBmp, readBmp } from './bmp.js';
import { decodeHeif, isHevcHeif } from './heif.js';
import { decodeOther, otherFormat, type OtherFormat } from './formats.js';
import { UserError } from '../contract/errors.js';
import { isNetpbm, readNetpbm, type StoredPicture } from './netpbm.js';
import { developRaw, isRaw } from './raw.js';

/**
 * An opened image file: pixels upright (EXIF orientation applied), 8-bit sRGB without alpha once `pixels()` is
 * resolved.
 */
export interface OpenImage {
  /** Upright size. */
  width: number;
  height: number;
  /** A fresh pipeline that yields the upright image in 8-bit sRGB, three channels. */
  pixels(): Sharp;
  /**
   * The same, every pixel decoded before the caller resizes. A JPEG decoder that shrinks while it loads rounds sides up
   * that don't divide, which moves the picture by up to 0.33 px at 512 px (4001 x 3007); this way it stays within 0.01.
   */
  wholePixels(): Sharp;
  /** Of files with more than 8 bits a channel that are developed here: the same with 16. */
  deepPixels?: () => Sharp;
  /**
   * What the file is in itself, where its own bytes show it upright to any reader; undefined where they need turning or
   * another decoder.
   */
  plain?: 'jpeg' | 'png';
  /** Of files with an alpha channel: a fresh pipeline that yields it upright, one channel, 0 transparent. */
  alpha?: () => Sharp;
  /** The EXIF block as TIFF bytes, if the file carries one. */
  exif?: Buffer;
  /** The XMP packet, if the file carries one. */
  xmp?: Buffer;
  /** What the reader had to decide for the user, one line each. */
  notes: string[];
}

// A truncated photo must be refused, a harmless warning (an odd ICC profile) must not. The size limit is libvips' own,
// raised for stitched panoramas, which are refused later with a better reason.
const options = { failOn: 'truncated', limitInputPixels: 1_000_000_000, animated: false } as const;

/**
 * Opens an image of any supported format: JPEG, PNG, WebP, TIFF, AVIF, GIF (sharp), HEIC (libheif), camera RAW (LibRaw),
 * JPEG XL (libjxl), these three compiled to WebAssembly, OpenEXR, BMP, and binary PGM and PPM.
 *
 * @throws the decoder's error when the header can't be read; pixels are decoded later, by the pipeline
 */
export async function openImage(bytes: Buffer): Promise<OpenImage> {
  if (isRaw(bytes)) return { ...deepImage(await developRaw(bytes), 3), notes: [] };
  const other = otherFormat(bytes);
  if (other) return openOther(other, bytes);
  if (isHevcHeif(bytes)) {
    const { width, height, data } = decodeHeif(bytes);
    const raw = { width, height, channels: 4 } as const;
    // sharp reads this container's metadata well, though not its pixels; it turns nothing here, as the container's own
    // rotation counts.
    const meta = await sharp(bytes, options)
      .metadata()
      .catch(() => undefined);
    const pixels = () => sharp(data, { raw }).removeAlpha().toColourspace('srgb');
    return {
      width,
      height,
      pixels,
      wholePixels: pixels,
      exif: bareExif(meta?.exif),
      xmp: meta?.xmp,
      notes: [],
    };
  }
  if (isBmp(bytes)) return openStored(readBmp(bytes));
  if (isNetpbm(bytes)) return openStored(readNetpbm(bytes));
  const meta = await sharp(bytes, options).metadata();
  // Of 0 to 1 it made black, and no reader can know what else such numbers mean: depths, heights, light.
  if (meta.depth === 'float' || meta.depth === 'double')
    throw new UserError(
      'bad-input',
      'holds floating-point numbers, as depth maps do; save the photo with 8 or 16 bits a channel, or as OpenEXR',
    );
  const notes: string[] = [];
  if ((meta.pages ?? 1) > 1) notes.push('has several frames; the first is used');
  const { width, height } = meta.autoOrient;
  const pixels = () => {
    const upright = sharp(bytes, options).autoOrient();
    return (meta.hasAlpha ? upright.flatten({ background: '#808080' }) : upright).toColourspace('srgb');
  };
  return {
    width,
    height,
    pixels,
    // A cut, even of nothing, keeps libvips from shrinking on load.
    wholePixels: () => pixels().extract({ left: 0, top: 0, width, height }),
    ...(meta.hasAlpha ? { alpha: () => sharp(bytes, options).autoOrient().extractChannel('alpha') } : {}),
    exif: bareExif(meta.exif),
    xmp: meta.xmp,
    notes,
    ...((meta.format === 'jpeg' || meta.format === 'png') && (meta.orientation ?? 1) === 1
      ? { plain: meta.format }
      : {}),
  };
}

/** Without the name that JPEG puts before it. */
const bareExif = (block: Buffer | undefined): Buffer | undefined =>
  block?.subarray(0, 4).toString('latin1') === 'Exif' ? block.subarray(6) : block;

/** Pixels with 16 bits a channel, as the two pipelines of an opened image. */
function deepImage(
  { width, height, pixels }: { width: number; height: number; pixels: Uint16Array },
  channels: 3 | 4,
): Omit<OpenImage, 'notes'> {
  const raw = { raw: { width, height, channels } } as const;
  const flat = (image: Sharp): Sharp => (channels === 4 ? image.flatten({ background: '#808080' }) : image);
  const shallow = Uint8Array.from(pixels, (value) => value >> 8);
  const eight = () => flat(sharp(shallow, raw));
  return {
    width,
    height,
    pixels: eight,
    wholePixels: eight,
    deepPixels: () => flat(sharp(pixels, raw).pipelineColourspace('rgb16')),
  };
}

function openStored({ width, height, channels, pixels }: StoredPicture): OpenImage {
  const raw = { raw: { width, height, channels } } as const;
  const shallow = pixels instanceof Uint16Array ? Uint8Array.from(pixels, (value) => value >> 8) : pixels;
  const eight = () => sharp(shallow, raw).toColourspace('srgb');
  const deep = () => sharp(pixels, raw).pipelineColourspace('rgb16');
  return {
    ...{ width, height, pixels: eight, wholePixels: eight, notes: [] },
    ...(pixels instanceof Uint16Array && channels === 3 ? { deepPixels: deep } : {}),
  };
}

async function openOther(format: OtherFormat, bytes: Buffer): Promise<OpenImage> {
  const { width, height, pixels, transparent } = await decodeOther(format, bytes);
  const alpha = (): Sharp =>
    sharp(
      Uint8Array.from({ length: width * height }, (_, k) => alphaOf(pixels, k)),
      one,
    );
  const one = { raw: { width, height, channels: 1 } } as const;
  const more = { exif: undefined, notes: [], ...(transparent ? { alpha } : {}) };
  if (pixels instanceof Uint16Array) return { ...deepImage({ width, height, pixels }, 4), ...more };
  const raw = { raw: { width, height, channels: 4 } } as const;
  const eight = () => sharp(pixels, raw).flatten({ background: '#808080' });
  return { width, height, pixels: eight, wholePixels: eight, ...more };
}

const alphaOf = (pixels: Uint8Array | Uint16Array, k: number): number =>
  pixels instanceof Uint16Array ? pixels[4 * k + 3]! >> 8 : pixels[4 * k + 3]!;

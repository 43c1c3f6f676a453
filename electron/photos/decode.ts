import sharp, { type Sharp } from 'sharp';
import { decodeHeif, isHevcHeif } from './heif.js';
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
 * Opens an image of any supported format: JPEG, PNG, WebP, TIFF, AVIF (sharp), HEIC (libheif) and camera RAW
 * (LibRaw), the last two compiled to WebAssembly.
 *
 * @throws the decoder's error when the header can't be read; pixels are decoded later, by the pipeline
 */
export async function openImage(bytes: Buffer): Promise<OpenImage> {
  if (isRaw(bytes)) {
    const { width, height, pixels: data } = await developRaw(bytes);
    const deep = () => sharp(data, { raw: { width, height, channels: 3 } }).pipelineColourspace('rgb16');
    const shallow = Uint8Array.from(data, (value) => value >> 8);
    const pixels = () => sharp(shallow, { raw: { width, height, channels: 3 } });
    return { width, height, pixels, wholePixels: pixels, deepPixels: deep, notes: [] };
  }
  if (isHevcHeif(bytes)) {
    const { width, height, data } = await decodeHeif(bytes);
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
  const meta = await sharp(bytes, options).metadata();
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

import { createRequire } from 'node:module';
import { UserError } from '../contract/errors.js';

interface HeifImage {
  handle: unknown;
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  free(): void;
}
/** What libheif answers: an error where `code` is set. */
interface Decoded {
  code?: unknown;
  image: unknown;
  channels: { id: unknown; width: number; height: number; stride: number; data: Uint8Array }[];
}
interface Libheif {
  HeifDecoder: new () => { decode(bytes: Uint8Array): HeifImage[] };
  heif_js_decode_image2(handle: unknown, colorspace: unknown, chroma: unknown): Decoded | undefined;
  heif_image_release(image: unknown): void;
  heif_colorspace: { heif_colorspace_RGB: unknown };
  heif_chroma: { heif_chroma_interleaved_RGBA: unknown };
  heif_channel: { heif_channel_interleaved: unknown };
}

/**
 * Pixels of the largest HEIC picture, more than any phone takes. A file of 60 kB may declare a thousand megapixels, and
 * the decoder holds all of them: 8 GB.
 */
const MOST_PIXELS = 250_000_000;

/** True for HEIF files whose images are HEVC-coded (HEIC, the iPhone's format), which sharp's own decoder lacks. */
export function isHevcHeif(bytes: Uint8Array): boolean {
  if (bytes.length < 16 || Buffer.from(bytes.subarray(4, 8)).toString('latin1') !== 'ftyp') return false;
  const length = Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), bytes.length, 256);
  const brands = Buffer.from(bytes.subarray(8, length)).toString('latin1');
  return /hei[cxms]|hev[cxms]/.test(brands) || (brands.startsWith('mif1') && !brands.includes('avif'));
}

/** What it has to say goes nowhere: standard output is the program's own, and its last line may be one JSON object. */
function loadLibheif(): Libheif {
  const factory = createRequire(import.meta.url)('libheif-js/libheif-wasm/libheif-bundle.js') as (options: {
    print: () => void;
    printErr: () => void;
  }) => Libheif;
  return factory({ print: () => undefined, printErr: () => undefined });
}

/** Its wrapper tells of damaged files with console.log; synchronous, so that nobody else's lines are lost. */
function silently<T>(action: () => T): T {
  const { log } = console;
  console.log = () => undefined;
  try {
    return action();
  } finally {
    console.log = log;
  }
}

let libheif: Libheif | undefined;
let decoder: InstanceType<Libheif['HeifDecoder']> | undefined;

/**
 * Decodes the primary image of a HEIC file, with its rotation and mirroring applied.
 *
 * @returns RGBA [height, width, 4]
 * @throws UserError 'bad-input' for a picture that is too large, Error when the file holds no image that can be decoded
 */
export function decodeHeif(bytes: Uint8Array): { width: number; height: number; data: Uint8ClampedArray } {
  // Loaded on first use: 2 MB of WebAssembly that most sets never need.
  libheif ??= loadLibheif();
  // One decoder for all: it lets go of a file's bytes only when it is given the next (a megabyte a photo stayed behind
  // with one each).
  decoder ??= new libheif.HeifDecoder();
  const images = silently(() => decoder!.decode(bytes));
  try {
    const image = images.find((each) => each.is_primary()) ?? images[0];
    if (!image) throw new Error('no image in the HEIF container');
    return interleaved(libheif, image);
  } finally {
    for (const each of images) each.free();
  }
}

/** What the wrapper's `display` does, without its words on standard output about a picture that is damaged. */
function interleaved(lib: Libheif, image: HeifImage): ReturnType<typeof decodeHeif> {
  const [width, height] = [image.get_width(), image.get_height()];
  if (width * height > MOST_PIXELS)
    throw new UserError(
      'bad-input',
      `too large (${width} x ${height} px); of HEIC pictures ${MOST_PIXELS / 1e6} megapixels are read, make it smaller`,
    );
  const { heif_colorspace_RGB: rgb } = lib.heif_colorspace;
  const decoded = lib.heif_js_decode_image2(image.handle, rgb, lib.heif_chroma.heif_chroma_interleaved_RGBA);
  if (!decoded || decoded.code) throw new Error('the HEIF image is damaged');
  const data = new Uint8ClampedArray(width * height * 4);
  try {
    const all = decoded.channels.find(({ id }) => id === lib.heif_channel.heif_channel_interleaved);
    if (all?.width !== width || all.height !== height) throw new Error('the HEIF image is damaged');
    for (let y = 0; y < height; y++)
      data.set(all.data.subarray(y * all.stride, y * all.stride + 4 * width), 4 * y * width);
  } finally {
    lib.heif_image_release(decoded.image);
  }
  return { width, height, data };
}

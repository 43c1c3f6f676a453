import { createRequire } from 'node:module';

interface HeifImage {
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  display(target: { data: Uint8ClampedArray; width: number; height: number }, done: (result: unknown) => void): void;
  free(): void;
}
interface Libheif {
  HeifDecoder: new () => { decode(bytes: Uint8Array): HeifImage[] };
}

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

let decoder: InstanceType<Libheif['HeifDecoder']> | undefined;

/**
 * Decodes the primary image of a HEIC file, with its rotation and mirroring applied.
 *
 * @returns RGBA [height, width, 4]
 * @throws Error when the file holds no image that can be decoded
 */
export async function decodeHeif(
  bytes: Uint8Array,
): Promise<{ width: number; height: number; data: Uint8ClampedArray }> {
  // Loaded on first use: 2 MB of WebAssembly that most sets never need.
  // One decoder for all: it lets go of a file's bytes only when it is given the next (a megabyte a photo stayed behind
  // with one each). Images hold what they need of their file themselves, so that two may be on the way.
  decoder ??= new (loadLibheif().HeifDecoder)();
  const images = silently(() => decoder!.decode(bytes));
  const image = images.find((each) => each.is_primary()) ?? images[0];
  if (!image) throw new Error('no image in the HEIF container');
  const width = image.get_width();
  const height = image.get_height();
  const data = new Uint8ClampedArray(width * height * 4);
  try {
    await new Promise<void>((resolve, reject) => {
      image.display({ data, width, height }, (result) =>
        result ? resolve() : reject(new Error('the HEIF image is damaged')),
      );
    });
  } finally {
    for (const each of images) each.free();
  }
  return { width, height, data };
}

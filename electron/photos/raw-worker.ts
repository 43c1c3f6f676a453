import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { serve } from '../compute/serve.js';
import type { DevelopedRaw } from './raw.js';

interface LibRaw {
  open(bytes: Uint8Array, settings: { useCameraWb: boolean; outputBps: number }): void;
  imageData():
    { width: number; height: number; colors: number; bits: number; data: Uint8Array | Uint16Array } | undefined;
}
type Factory = (options: {
  wasmBinary: Uint8Array;
  print: () => void;
  printErr: () => void;
}) => Promise<{ LibRaw: new () => LibRaw }>;

/** The package's own entry wants a browser's Worker; the module behind it runs in Node as it is. */
async function loadLibRaw(): Promise<new () => LibRaw> {
  // @ts-expect-error the package types its entry only
  const { default: factory } = (await import('libraw-wasm/dist/libraw.js')) as { default: Factory };
  const wasmBinary = readFileSync(createRequire(import.meta.url).resolve('libraw-wasm/dist/libraw.wasm'));
  // Its own remarks go nowhere: standard output is the program's.
  const silent = { print: () => undefined, printErr: () => undefined };
  return (await factory({ wasmBinary, ...silent })).LibRaw;
}

serve<Uint8Array>(async (bytes) => {
  const Decoder = await loadLibRaw();
  let image;
  try {
    const decoder = new Decoder();
    decoder.open(bytes, { useCameraWb: true, outputBps: 16 });
    image = decoder.imageData();
  } catch {
    // What it throws is a pointer into its memory.
  }
  if (!image?.data) throw new Error('LibRaw does not know this camera, or the file is damaged');
  const { width, height, colors } = image;
  // Of 16 bits it hands out the bytes, or the numbers, depending on its version.
  const { data } = image;
  const wide = data.BYTES_PER_ELEMENT === 2 ? data : new Uint16Array(data.slice().buffer);
  const values = image.bits === 8 ? data : wide;
  const range = image.bits === 8 ? 257 : 1;
  const pixels = new Uint16Array(width * height * 3);
  for (let k = 0; k < width * height; k++)
    for (let c = 0; c < 3; c++) pixels[3 * k + c] = range * values[k * colors + Math.min(c, colors - 1)]!;
  const value: DevelopedRaw = { width, height, pixels };
  return { value, transfer: [pixels.buffer] };
});

import { deflate } from 'node:zlib';
import { promisify } from 'node:util';

const compress = promisify(deflate);
/** Of the format's ZIP compression. */
const ROWS_PER_CHUNK = 16;

export interface FloatPicture {
  width: number;
  height: number;
  /** By channel name; written in the order of the names, as the format demands. */
  channels: Record<string, (firstRow: number, rows: number) => Float32Array>;
}

/**
 * OpenEXR 2, scan lines from the top, 32-bit floats, ZIP (OpenEXR's "Technical Introduction" and "OpenEXR File Layout").
 * Only compressed rows are held: their places stand before them in the file.
 */
export async function exrBytes({ width, height, channels }: FloatPicture): Promise<Uint8Array> {
  const names = Object.keys(channels).sort();
  const header = headerOf(width, height, names);
  const chunks: Uint8Array[] = [];
  for (let first = 0; first < height; first += ROWS_PER_CHUNK) {
    const rows = Math.min(ROWS_PER_CHUNK, height - first);
    const planes = names.map((name) => channels[name]!(first, rows));
    const raw = new Float32Array(rows * width * names.length);
    for (let row = 0; row < rows; row++)
      planes.forEach((plane, k) => {
        raw.set(plane.subarray(row * width, (row + 1) * width), (row * names.length + k) * width);
      });
    const bytes = new Uint8Array(raw.buffer);
    const packed = await compress(predicted(bytes), { level: 4 });
    // A chunk that does not get smaller is stored as it is; readers tell by its size.
    const data = packed.length < bytes.length ? packed : bytes;
    const head = new Int32Array([first, data.length]);
    chunks.push(new Uint8Array(head.buffer), data);
  }
  const offsets = new BigUint64Array(chunks.length / 2);
  let at = header.length + 8 * offsets.length;
  for (let k = 0; k < offsets.length; k++) {
    offsets[k] = BigInt(at);
    at += chunks[2 * k]!.length + chunks[2 * k + 1]!.length;
  }
  const file = new Uint8Array(at);
  let put = 0;
  for (const piece of [header, new Uint8Array(offsets.buffer), ...chunks]) {
    file.set(piece, put);
    put += piece.length;
  }
  return file;
}

/** Even bytes, then odd ones, each as its difference from the one before: what ZIP packs well. */
function predicted(bytes: Uint8Array): Uint8Array {
  const half = (bytes.length + 1) >> 1;
  const out = new Uint8Array(bytes.length);
  for (let k = 0; k < bytes.length; k++) out[(k & 1 ? half : 0) + (k >> 1)] = bytes[k]!;
  for (let k = out.length - 1; k > 0; k--) out[k] = (out[k]! - out[k - 1]! + 128) & 255;
  return out;
}

function headerOf(width: number, height: number, names: readonly string[]): Uint8Array {
  const pieces: Buffer[] = [];
  const ints = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
  const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
  const attribute = (name: string, type: string, value: Buffer): void => {
    pieces.push(Buffer.from(`${name}\0${type}\0`), ints(value.length), value);
  };
  const FLOAT = 2;
  const list = names.map((name) => Buffer.concat([Buffer.from(`${name}\0`), ints(FLOAT, 0, 1, 1)]));
  const window = ints(0, 0, width - 1, height - 1);
  const ZIP = 3;
  // Magic number and version 2, no flags.
  pieces.push(ints(20000630, 2));
  attribute('channels', 'chlist', Buffer.concat([...list, Buffer.from([0])]));
  attribute('compression', 'compression', Buffer.from([ZIP]));
  attribute('dataWindow', 'box2i', window);
  attribute('displayWindow', 'box2i', window);
  attribute('lineOrder', 'lineOrder', Buffer.from([0]));
  attribute('pixelAspectRatio', 'float', floats(1));
  attribute('screenWindowCenter', 'v2f', floats(0, 0));
  attribute('screenWindowWidth', 'float', floats(1));
  pieces.push(Buffer.from([0]));
  return Buffer.concat(pieces);
}

/**
 * Bits over photos and the pixels of their depth maps: which points a step of cleaning names. They do not depend on the
 * order of a cloud's points, so they hold for a new fusion and for a new alignment.
 *
 * Bytes: the magic "PMSK", a version, the number of photos; for each photo the length of its id, the id (UTF-8), width,
 * height and the length of its runs; then the runs of all photos. Runs are lengths of alternately unset and set pixels in
 * reading order, as base-128 varints (least significant first), the first one unset. Where they would be longer than the
 * bits themselves, the bits stand in their place and the length has its highest bit set (version 2). All numbers are
 * uint32 little-endian.
 */
export interface PhotoMask {
  photo: string;
  width: number;
  height: number;
  /** One bit a pixel in reading order, the lowest bit first; (width * height + 7) >> 3 bytes. */
  bits: Uint8Array;
}

const MAGIC = 0x4b534d50;
/** A mask without bits as they are is written as version 1, which older studios read. */
const VERSION = 1;
const VERSION_WITH_BITS = 2;
const AS_BITS = 0x80000000;
/** A depth map has at most this many pixels: a file that says more is damaged. */
const MOST_PIXELS = 1 << 28;

export function encodeMask(photos: readonly PhotoMask[]): Uint8Array {
  const parts = photos.map(({ photo, width, height, bits }) => ({
    id: new TextEncoder().encode(photo),
    width,
    height,
    ...encodeBits(bits, width * height),
  }));
  const length = parts.reduce((sum, { id, runs }) => sum + 16 + id.length + runs.length, 12);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const word = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  for (const value of [MAGIC, parts.some(({ plain }) => plain) ? VERSION_WITH_BITS : VERSION, parts.length])
    word(value);
  for (const { id, width, height, runs, plain } of parts) {
    word(id.length);
    bytes.set(id, at);
    at += id.length;
    for (const value of [width, height, plain ? runs.length + AS_BITS : runs.length]) word(value);
  }
  for (const { runs } of parts) {
    bytes.set(runs, at);
    at += runs.length;
  }
  return bytes;
}

/** Every pixel of the squares of `cell` pixels in which some pixel is set. */
export function wholeCells({ photo, width, height, bits }: PhotoMask, cell: number): PhotoMask {
  const columns = Math.ceil(width / cell);
  const taken = new Uint8Array(columns * Math.ceil(height / cell));
  const cellOf = (k: number): number =>
    Math.floor(Math.floor(k / width) / cell) * columns + Math.floor((k % width) / cell);
  for (let k = 0; k < width * height; k++) if (isSet(bits, k)) taken[cellOf(k)] = 1;
  const all = emptyBits(width * height);
  for (let k = 0; k < width * height; k++) if (taken[cellOf(k)] === 1) all[k >> 3]! |= 1 << (k & 7);
  return { photo, width, height, bits: all };
}

/** @throws RangeError when the bytes are no mask, or damaged */
export function decodeMask(bytes: Uint8Array): PhotoMask[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const word = (): number => {
    const value = view.getUint32(at, true);
    at += 4;
    return value;
  };
  if (bytes.length < 12 || word() !== MAGIC || ![VERSION, VERSION_WITH_BITS].includes(word()))
    throw new RangeError('this is no mask of points');
  const count = word();
  const heads: { photo: string; width: number; height: number; length: number }[] = [];
  for (let k = 0; k < count; k++) {
    const length = word();
    const photo = new TextDecoder().decode(bytes.subarray(at, at + length));
    at += length;
    heads.push({ photo, width: word(), height: word(), length: word() });
  }
  return heads.map(({ photo, width, height, length }) => {
    const plain = length >= AS_BITS;
    const end = at + (plain ? length - AS_BITS : length);
    if (width * height > MOST_PIXELS || end > bytes.length) throw new RangeError('this mask is damaged');
    const part = bytes.subarray(at, end);
    const bits = plain ? plainBits(part, width * height) : decodeRuns(part, width * height);
    at = end;
    return { photo, width, height, bits };
  });
}

export const isSet = (bits: Uint8Array, index: number): boolean => ((bits[index >> 3]! >> (index & 7)) & 1) === 1;
export const emptyBits = (pixels: number): Uint8Array => new Uint8Array((pixels + 7) >> 3);

/** As runs, or where the selected pixels are strewn, as they are: a tenth of the time for ten million points. */
function encodeBits(bits: Uint8Array, pixels: number): { runs: Uint8Array; plain: boolean } {
  const runs = encodeRuns(bits, pixels);
  return runs ? { runs, plain: false } : { runs: bits, plain: true };
}

function plainBits(part: Uint8Array, pixels: number): Uint8Array {
  if (part.length !== (pixels + 7) >> 3) throw new RangeError('this mask is damaged');
  return part.slice();
}

/** @returns undefined when the runs would take more room than the bits */
function encodeRuns(bits: Uint8Array, pixels: number): Uint8Array | undefined {
  const most = Math.max(64, bits.length);
  let out = new Uint8Array(64);
  let at = 0;
  const put = (run: number): void => {
    if (at + 5 > out.length) {
      const larger = new Uint8Array(out.length * 2);
      larger.set(out);
      out = larger;
    }
    for (; run >= 128; run >>>= 7) out[at++] = (run & 127) | 128;
    out[at++] = run;
  };
  let value = 0;
  let from = 0;
  for (let k = 0; k < pixels; k++) {
    // Eight equal pixels at a time: most of a mask is empty or full.
    const whole = value === 0 ? 0 : 255;
    if ((k & 7) === 0 && bits[k >> 3] === whole && k + 8 <= pixels) {
      k += 7;
      continue;
    }
    if (((bits[k >> 3]! >> (k & 7)) & 1) === value) continue;
    put(k - from);
    if (at > most) return undefined;
    from = k;
    value ^= 1;
  }
  put(pixels - from);
  return out.slice(0, at);
}

function decodeRuns(runs: Uint8Array, pixels: number): Uint8Array {
  const bits = emptyBits(pixels);
  let value = 0;
  let pixel = 0;
  for (let at = 0; at < runs.length; value ^= 1) {
    let run = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = runs[at++];
      if (byte === undefined || shift > 28) throw new RangeError('this mask is damaged');
      run += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    if (pixel + run > pixels) throw new RangeError('this mask is damaged');
    if (value === 1) setBits(bits, pixel, pixel + run);
    pixel += run;
  }
  if (pixel !== pixels) throw new RangeError('this mask is damaged');
  return bits;
}

function setBits(bits: Uint8Array, from: number, to: number): void {
  for (; from < to && (from & 7) !== 0; from++) bits[from >> 3]! |= 1 << (from & 7);
  const end = to & ~7;
  if (end > from) {
    bits.fill(255, from >> 3, end >> 3);
    from = end;
  }
  for (; from < to; from++) bits[from >> 3]! |= 1 << (from & 7);
}

import { DecodingThread } from './decoding-thread.js';

/** A picture of a format that is decoded in a thread of its own, upright, sRGB. */
export interface DecodedPicture {
  width: number;
  height: number;
  /** [height, width, 4], 8 bits, or 16 where the file has more; alpha is the last. */
  pixels: Uint8Array | Uint16Array;
  /** Some of it is transparent. */
  transparent: boolean;
}

export type OtherFormat = 'JPEG XL' | 'OpenEXR';

const JXL_CONTAINER = Buffer.from('0000000c4a584c200d0a870a', 'hex');

/** Formats that neither sharp nor LibRaw reads, told by their first bytes. */
export function otherFormat(bytes: Buffer): OtherFormat | undefined {
  if (bytes.length < 16) return undefined;
  if (bytes.readUInt16BE(0) === 0xff0a || bytes.subarray(0, 12).equals(JXL_CONTAINER)) return 'JPEG XL';
  return bytes.readUInt32BE(0) === 0x762f3101 ? 'OpenEXR' : undefined;
}

const thread = new DecodingThread('formats-worker');

/**
 * Decodes such a picture, in a thread.
 *
 * @throws Error when the file is damaged or uses what its decoder does not know
 */
export const decodeOther = (format: OtherFormat, bytes: Buffer): Promise<DecodedPicture> =>
  thread.run<DecodedPicture>({ format, bytes: Uint8Array.from(bytes) });

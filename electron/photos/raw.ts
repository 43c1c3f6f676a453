import { DecodingThread } from './decoding-thread.js';

/** A developed RAW photo, upright. */
export interface DevelopedRaw {
  width: number;
  height: number;
  /** sRGB [height, width, 3], 16 bits. */
  pixels: Uint16Array;
}

const DNG_VERSION = 50706;
const NEW_SUBFILE_TYPE = 254;
const MAKE = 271;
const SUB_IFDS = 330;

/**
 * True for camera RAW files: DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2. Told by their bytes: most are TIFF inside, and
 * other readers take the small preview in them for the photo.
 */
export function isRaw(bytes: Buffer): boolean {
  if (bytes.length < 32) return false;
  const magic = bytes.toString('latin1', 0, 16);
  if (magic.startsWith('FUJIFILMCCD-RAW') || magic.slice(4, 12) === 'ftypcrx ') return true;
  // Panasonic, Olympus, Canon's second.
  if (/^(IIU\0|IIRO|IIRS|MMOR)/.test(magic)) return true;
  if (!/^(II\*\0|MM\0\*)/.test(magic)) return false;
  if (magic.slice(8, 10) === 'CR') return true;
  const tags = firstDirectory(bytes);
  if (tags.has(DNG_VERSION)) return true;
  // Nikon and Sony: the first picture is a small preview, the RAW one lies in a directory below.
  const make = tags.get(MAKE);
  const maker = make === undefined ? '' : bytes.toString('latin1', make, make + 5).toUpperCase();
  return tags.get(NEW_SUBFILE_TYPE) === 1 && tags.has(SUB_IFDS) && /^(NIKON|SONY)/.test(maker);
}

/** Tags of a TIFF's first directory with their value or offset. */
function firstDirectory(bytes: Buffer): Map<number, number> {
  const little = bytes[0] === 0x49;
  const u16 = (at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const tags = new Map<number, number>();
  const start = u32(4);
  if (start + 2 > bytes.length) return tags;
  for (let k = 0, at = start + 2; k < u16(start) && at + 12 <= bytes.length; k++, at += 12)
    tags.set(u16(at), u32(at + 8));
  return tags;
}

const thread = new DecodingThread('raw-worker');

/**
 * Develops a RAW photo with LibRaw, in a thread: the camera's white balance, sRGB, turned as the camera was held. A photo
 * of 24 megapixels takes seconds and half a gigabyte.
 *
 * @throws Error when LibRaw does not know the camera or the file is damaged
 */
export const developRaw = (bytes: Buffer): Promise<DevelopedRaw> => thread.run<DevelopedRaw>(Uint8Array.from(bytes));

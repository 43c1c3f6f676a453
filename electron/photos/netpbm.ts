/** A picture as its file stores it, grey or in colour. */
export interface StoredPicture {
  width: number;
  height: number;
  channels: 1 | 3;
  /** [height, width, channels], full range of 8 bits or of 16. */
  pixels: Uint8Array | Uint16Array;
}

/** Binary PGM or PPM, which research cameras write. */
export const isNetpbm = (bytes: Buffer): boolean => /^P[56][\s#]/.test(bytes.toString('latin1', 0, 3));

/**
 * Reads binary PGM and PPM, 8 or 16 bits a channel (netpbm.sourceforge.net/doc/ppm.html).
 *
 * @throws Error when the header is no header, or the pixels are fewer than it says
 */
export function readNetpbm(bytes: Buffer): StoredPicture {
  const header = /^P([56])(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s/.exec(
    bytes.toString('latin1', 0, 4096),
  );
  const [width, height, most] = (header ?? []).slice(2).map(Number) as [number, number, number];
  if (!header || !(width > 0) || !(height > 0) || !(most > 0) || most > 65535) throw new Error('a damaged header');
  const channels = header[1] === '5' ? 1 : 3;
  const count = width * height * channels;
  const stored = bytes.subarray(header[0].length);
  if (stored.length < count * (most > 255 ? 2 : 1)) throw new Error('fewer pixels than the header says');
  if (most <= 255)
    return { width, height, channels, pixels: Uint8Array.from(stored.subarray(0, count), (v) => (255 * v) / most) };
  const pixels = Uint16Array.from({ length: count }, (_, k) => (65535 * stored.readUInt16BE(2 * k)) / most);
  return { width, height, channels, pixels };
}

/**
 * How the contract's binary forms begin: the length of a JSON header, then the header, padded so that four-byte numbers
 * may follow. Pure.
 */

const LENGTH = 4;

/** @param header plain ASCII in JSON */
export function encodeHeader(header: object): Uint8Array {
  let json = JSON.stringify(header);
  while (json.length % 4 !== 0) json += ' ';
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(LENGTH + text.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, LENGTH);
  return bytes;
}

/**
 * @returns the header, and where what follows it begins; undefined while too little of it is there to say
 */
export function decodeHeader<Header>(bytes: Uint8Array): { header: Header; end: number } | undefined {
  if (bytes.length < LENGTH) return undefined;
  const end = LENGTH + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (bytes.length < end) return undefined;
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH, end))) as Header, end };
}

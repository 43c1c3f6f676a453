import { createHash } from 'node:crypto';

/**
 * Stored records: a JSON header and typed arrays behind it, with a checksum over all of it. A record that was cut off,
 * or in which a bit changed, reads as absent, so that what it held is computed again.
 *
 * Little-endian: 8 bytes of SHA-256 over the rest, uint32 length of the header, the header padded to 8 bytes (its last
 * part lists the arrays), then the arrays, each padded to 8 bytes.
 */
export type RecordArray = Float64Array | Float32Array | Uint32Array | Int32Array | Uint16Array | Uint8Array;

export interface StoredRecord<Header> {
  header: Header;
  arrays: RecordArray[];
}

/** By their names, as they are stored. */
export const recordTypes = { Float64Array, Float32Array, Uint32Array, Int32Array, Uint16Array, Uint8Array } as const;
export type RecordTypeName = keyof typeof recordTypes;
const CHECKSUM = 8;

const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;

export function packRecord(header: unknown, arrays: readonly RecordArray[]): Uint8Array {
  const layout = arrays.map((array) => [typeName(array), array.length]);
  const text = new TextEncoder().encode(JSON.stringify({ header, layout }));
  const start = padded(CHECKSUM + 4 + text.length);
  const out = new Uint8Array(start + arrays.reduce((sum, { byteLength }) => sum + padded(byteLength), 0));
  new DataView(out.buffer).setUint32(CHECKSUM, text.length, true);
  out.set(text, CHECKSUM + 4);
  let at = start;
  for (const array of arrays) {
    out.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += padded(array.byteLength);
  }
  out.set(checksum(out.subarray(CHECKSUM)));
  return out;
}

/**
 * @returns the header and copies of the arrays; undefined for a missing record and for one that is not as it was
 * written
 */
export function unpackRecord<Header>(bytes: Uint8Array | undefined): StoredRecord<Header> | undefined {
  if (!bytes || bytes.length < CHECKSUM + 4) return undefined;
  if (!checksum(bytes.subarray(CHECKSUM)).every((value, k) => value === bytes[k])) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(CHECKSUM, true);
  const { header, layout } = JSON.parse(
    new TextDecoder().decode(bytes.subarray(CHECKSUM + 4, CHECKSUM + 4 + length)),
  ) as { header: Header; layout: [RecordTypeName, number][] };
  let at = padded(CHECKSUM + 4 + length);
  const arrays = layout.map(([type, count]) => {
    const size = count * recordTypes[type].BYTES_PER_ELEMENT;
    // Of a Buffer, `slice` would share its memory.
    const array = new recordTypes[type](new Uint8Array(bytes.subarray(at, at + size)).buffer as ArrayBuffer);
    at += padded(size);
    return array;
  });
  return { header, arrays };
}

/** Identifies a record's contents: its checksum as hex. */
export function recordId(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, CHECKSUM)).toString('hex');
}

/** 8 bytes of SHA-256 over the parts, one after the other. */
export function checksum(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest().subarray(0, CHECKSUM));
}

function typeName(array: RecordArray): RecordTypeName {
  const name = recordTypeOf(array);
  if (!name) throw new TypeError('a record holds typed arrays only');
  return name;
}

export function recordTypeOf(array: unknown): RecordTypeName | undefined {
  return (Object.keys(recordTypes) as RecordTypeName[]).find((name) => array instanceof recordTypes[name]);
}

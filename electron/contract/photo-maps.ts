/**
 * The binary form of what is known of a photo pixel by pixel (`maps/<photo>`, `pair/<a>/<b>/maps/<0|1>`): a JSON header
 * with its length, padded to four bytes, then the arrays one after another. Pure.
 */
import type { CloudMap } from './cloud.js';
import { decodeHeader, encodeHeader } from './framed.js';

export interface PhotoMaps {
  width: number;
  height: number;
  /** From pixels of the maps to pixels of the original photo; not known for a pair's. */
  originalFromView?: CloudMap['originalFromView'];
  /** What the colours of depth run over: of most confident depths. */
  range: readonly [near: number, far: number];
  /** [height, width] units of the alignment; 0 where it is not known. */
  depth: Float32Array;
  /** [height, width], at least 1. */
  confidence: Float32Array;
  /** [height, width, 3] camera frame, unit vectors times 127; zero where it is not known. */
  normals?: Int8Array;
  /** [height, width] 1 where the depth was completed, not measured. */
  inferred?: Uint8Array;
}

interface Header extends Pick<PhotoMaps, 'width' | 'height' | 'originalFromView' | 'range'> {
  version: 1;
  normals: boolean;
  inferred: boolean;
}

export function encodeMaps(maps: PhotoMaps): Uint8Array {
  const { width, height, originalFromView, range, depth, confidence, normals, inferred } = maps;
  const header: Header = {
    version: 1,
    width,
    height,
    ...(originalFromView ? { originalFromView } : {}),
    range,
    normals: normals !== undefined,
    inferred: inferred !== undefined,
  };
  const parts = [
    encodeHeader(header),
    depth,
    confidence,
    ...(normals ? [normals] : []),
    ...(inferred ? [inferred] : []),
  ];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return bytes;
}

/**
 * Views into the buffer, nothing copied. Little-endian, as every machine this runs on.
 * @throws RangeError when the buffer is cut off
 */
export function decodeMaps(buffer: ArrayBuffer): PhotoMaps {
  const start = decodeHeader<Header>(new Uint8Array(buffer));
  if (!start) throw new RangeError('the maps of a photo were cut off');
  const { header, end: depthAt } = start;
  const { width, height, originalFromView, range } = header;
  const count = width * height;
  const normalsAt = depthAt + 8 * count;
  const inferredAt = normalsAt + (header.normals ? 3 * count : 0);
  return {
    width,
    height,
    range,
    ...(originalFromView ? { originalFromView } : {}),
    depth: new Float32Array(buffer, depthAt, count),
    confidence: new Float32Array(buffer, depthAt + 4 * count, count),
    ...(header.normals ? { normals: new Int8Array(buffer, normalsAt, 3 * count) } : {}),
    ...(header.inferred ? { inferred: new Uint8Array(buffer, inferredAt, count) } : {}),
  };
}

import { MeshoptEncoder } from 'meshoptimizer/encoder';
import type { Packed } from './glb-parts.js';

/** Packs the arrays of a mesh for EXT_meshopt_compression; what a reader unpacks is said beside where it is not exact. */
export interface MeshPacking {
  /** [n, 3] to 15 bits below the largest coordinate of each vertex. */
  positions(values: Float32Array): { values: Float32Array; packed: Packed };
  /** [n, 3] unit vectors as bytes [n, 4]: to half a degree. */
  normals(values: Float32Array): { bytes: Uint8Array; packed: Packed };
  /** Elements of `size` bytes, exactly. */
  attributes(bytes: Uint8Array, count: number, size: number): Packed;
  /** [n, 3] in this order; a face may begin at another of its corners. */
  faces(indices: Uint32Array): Packed;
}

const POSITION_BITS = 16;
const NORMAL_BITS = 8;

/** @returns once the encoder's WebAssembly is there */
export async function meshPacking(): Promise<MeshPacking> {
  await MeshoptEncoder.ready;
  const encode = (bytes: Uint8Array, count: number, size: number, mode: Packed['mode']): Uint8Array =>
    MeshoptEncoder.encodeGltfBuffer(bytes, count, size, mode, 0);
  return {
    positions: (values) => {
      const count = values.length / 3;
      const filtered = MeshoptEncoder.encodeFilterExp(values, count, 12, POSITION_BITS, 'SharedVector');
      const bytes = encode(filtered, count, 12, 'ATTRIBUTES');
      return { values: unfiltered(filtered), packed: { bytes, mode: 'ATTRIBUTES', filter: 'EXPONENTIAL' } };
    },
    normals: (values) => {
      const count = values.length / 3;
      const four = new Float32Array(4 * count);
      for (let k = 0; k < count; k++) four.set(values.subarray(3 * k, 3 * k + 3), 4 * k);
      const filtered = MeshoptEncoder.encodeFilterOct(four, count, 4, NORMAL_BITS);
      const bytes = encode(filtered, count, 4, 'ATTRIBUTES');
      return { bytes: filtered, packed: { bytes, mode: 'ATTRIBUTES', filter: 'OCTAHEDRAL' } };
    },
    attributes: (bytes, count, size) => ({ bytes: encode(bytes, count, size, 'ATTRIBUTES'), mode: 'ATTRIBUTES' }),
    faces: (indices) => {
      const bytes = new Uint8Array(indices.buffer, indices.byteOffset, indices.byteLength);
      return { bytes: encode(bytes, indices.length, 4, 'TRIANGLES'), mode: 'TRIANGLES' };
    },
  };
}

/** What the exponential filter unpacks to: a signed 24-bit mantissa times two to the power of the topmost byte. */
function unfiltered(filtered: Uint8Array): Float32Array {
  const words = new Int32Array(filtered.buffer, filtered.byteOffset, filtered.byteLength / 4);
  return Float32Array.from(words, (word) => ((word << 8) >> 8) * 2 ** (word >> 24));
}

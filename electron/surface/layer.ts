import type { TexturedMesh } from './textured.js';
import type { Mesh } from './types.js';

const TEXTURED = {
  positions: Float32Array,
  normals: Float32Array,
  uvs: Float32Array,
  colours: Uint8Array,
  confidence: Float32Array,
  indices: Uint32Array,
  photo: Int16Array,
  inferred: Uint8Array,
};
const PLAIN = {
  positions: Float32Array,
  support: Float32Array,
  confidence: Float32Array,
  indices: Uint32Array,
  inferred: Uint8Array,
};

/** A textured mesh as bytes for the project file. */
export function encodeMesh(mesh: TexturedMesh, facts: object): Uint8Array {
  const arrays = (Object.keys(TEXTURED) as (keyof typeof TEXTURED)[]).map((name) => bytesOf(mesh[name]));
  const description = {
    facts,
    pageSize: mesh.pageSize,
    pages: mesh.pages.map(({ type, firstFace, faces }) => ({ type, firstFace, faces })),
  };
  return pack('PMS2', description, [...arrays, ...mesh.pages.map(({ picture }) => picture)]);
}

/** @returns undefined when the bytes are not what `encodeMesh` writes */
export function decodeMesh<Facts>(stored: Uint8Array): { mesh: TexturedMesh; facts: Facts } | undefined {
  const unpacked = unpack<{
    facts: Facts;
    pageSize: number;
    pages: { type: 'image/jpeg' | 'image/webp'; firstFace: number; faces: number }[];
  }>('PMS2', stored);
  if (!unpacked) return undefined;
  const { description, pieces } = unpacked;
  const { facts, pageSize, pages } = description;
  const arrays = arraysOf(TEXTURED, pieces) as Omit<TexturedMesh, 'pages' | 'pageSize'>;
  const first = Object.keys(TEXTURED).length;
  return {
    mesh: { ...arrays, pages: pages.map((page, k) => ({ ...page, picture: pieces[first + k]! })), pageSize },
    facts,
  };
}

/**
 * A finished surface before its texture as bytes for the project file. @param key what it depends on: any text
 */
export function encodeSurface(mesh: Mesh, key: string): Uint8Array {
  const { positions, support, indices } = mesh;
  const confidence = mesh.confidence ?? new Float32Array(support.length).fill(1);
  const inferred = mesh.inferred ?? new Uint8Array(indices.length / 3);
  return pack('PMSF', { key }, [positions, support, confidence, indices, inferred].map(bytesOf));
}

/** @returns undefined when the bytes are not what `encodeSurface` writes for that key */
export function decodeSurface(stored: Uint8Array, key: string): Mesh | undefined {
  const unpacked = unpack<{ key: string }>('PMSF', stored);
  if (unpacked?.description.key !== key) return undefined;
  return arraysOf(PLAIN, unpacked.pieces) as unknown as Mesh;
}

const bytesOf = (values: Float32Array | Uint32Array | Int16Array | Uint8Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const align = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/**
 * Four letters, length of the description, description (JSON), then the pieces, each at a multiple of eight bytes;
 * little-endian.
 */
function pack(magic: string, described: object, pieces: readonly Uint8Array[]): Uint8Array {
  const lengths = pieces.map(({ byteLength }) => byteLength);
  const description = new TextEncoder().encode(JSON.stringify({ ...described, lengths }));
  const out = new Uint8Array(lengths.reduce((sum, length) => sum + align(length), align(8 + description.length)));
  out.set(new TextEncoder().encode(magic));
  new Uint32Array(out.buffer, 4, 1)[0] = description.length;
  out.set(description, 8);
  let at = align(8 + description.length);
  for (const piece of pieces) {
    out.set(piece, at);
    at += align(piece.byteLength);
  }
  return out;
}

function unpack<Described>(
  magic: string,
  stored: Uint8Array,
): { description: Described; pieces: Uint8Array[] } | undefined {
  if (stored.byteLength < 8 || new TextDecoder().decode(stored.subarray(0, 4)) !== magic) return undefined;
  const bytes = stored.slice();
  const length = new Uint32Array(bytes.buffer, 4, 1)[0]!;
  const description = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Described & {
    lengths: number[];
  };
  let at = align(8 + length);
  const pieces = description.lengths.map((size) => {
    const piece = bytes.subarray(at, at + size);
    at += align(size);
    return piece;
  });
  return { description, pieces };
}

function arraysOf(types: Record<string, { BYTES_PER_ELEMENT: number }>, pieces: readonly Uint8Array[]): object {
  return Object.fromEntries(
    Object.entries(types).map(([name, Type], k) => {
      const { buffer, byteOffset, byteLength } = pieces[k]!;
      const Numbers = Type as unknown as new (buffer: ArrayBufferLike, offset: number, length: number) => Float32Array;
      return [name, new Numbers(buffer, byteOffset, byteLength / Type.BYTES_PER_ELEMENT)];
    }),
  );
}

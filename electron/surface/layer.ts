import type { TexturedMesh } from './textured.js';

const NAMES = ['positions', 'normals', 'uvs', 'colours', 'indices', 'photo', 'inferred'] as const;
const TYPES = {
  positions: Float32Array,
  normals: Float32Array,
  uvs: Float32Array,
  colours: Uint8Array,
  indices: Uint32Array,
  photo: Int16Array,
  inferred: Uint8Array,
};
const MAGIC = 0x48534d50;

/**
 * A mesh as bytes for the project file: 'PMSH', length of the description, description (JSON), then the arrays and
 * pictures, each at a multiple of eight bytes; little-endian.
 */
export function encodeMesh(mesh: TexturedMesh, facts: object): Uint8Array {
  const pieces = [
    ...NAMES.map((name) => new Uint8Array(mesh[name].buffer, mesh[name].byteOffset, mesh[name].byteLength)),
    ...mesh.pages.map(({ picture }) => picture),
  ];
  const description = new TextEncoder().encode(
    JSON.stringify({
      facts,
      pageSize: mesh.pageSize,
      pages: mesh.pages.map(({ type, firstFace, faces }) => ({ type, firstFace, faces })),
      lengths: pieces.map(({ byteLength }) => byteLength),
    }),
  );
  const align = (bytes: number): number => Math.ceil(bytes / 8) * 8;
  const total = pieces.reduce((sum, { byteLength }) => sum + align(byteLength), align(8 + description.length));
  const out = new Uint8Array(total);
  new Uint32Array(out.buffer, 0, 2).set([MAGIC, description.length]);
  out.set(description, 8);
  let at = align(8 + description.length);
  for (const piece of pieces) {
    out.set(piece, at);
    at += align(piece.byteLength);
  }
  return out;
}

/** @returns undefined when the bytes are not what `encodeMesh` writes */
export function decodeMesh<Facts>(stored: Uint8Array): { mesh: TexturedMesh; facts: Facts } | undefined {
  const bytes = stored.slice();
  if (bytes.byteLength < 8) return undefined;
  const [magic, length] = new Uint32Array(bytes.buffer, 0, 2) as unknown as [number, number];
  if (magic !== MAGIC) return undefined;
  const { facts, pageSize, pages, lengths } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as {
    facts: Facts;
    pageSize: number;
    pages: { type: 'image/jpeg' | 'image/webp'; firstFace: number; faces: number }[];
    lengths: number[];
  };
  let at = Math.ceil((8 + length) / 8) * 8;
  const take = (k: number): Uint8Array => {
    const piece = bytes.subarray(at, at + lengths[k]!);
    at += Math.ceil(lengths[k]! / 8) * 8;
    return piece;
  };
  const arrays = Object.fromEntries(
    NAMES.map((name, k) => {
      const piece = take(k);
      const Type = TYPES[name] as new (
        buffer: ArrayBufferLike,
        offset: number,
        length: number,
      ) => Float32Array | Uint8Array;
      return [name, new Type(piece.buffer, piece.byteOffset, piece.byteLength / TYPES[name].BYTES_PER_ELEMENT)];
    }),
  ) as unknown as Pick<TexturedMesh, (typeof NAMES)[number]>;
  const pictures = pages.map((page, k) => ({ ...page, picture: take(NAMES.length + k) }));
  return { mesh: { ...arrays, pages: pictures, pageSize }, facts };
}

/** How a buffer view is packed by EXT_meshopt_compression. */
export interface Packed {
  bytes: Uint8Array;
  mode: 'ATTRIBUTES' | 'TRIANGLES';
  filter?: 'OCTAHEDRAL' | 'EXPONENTIAL';
}

export interface View {
  bytes: Uint8Array;
  /** 34962: vertices, 34963: indices; undefined: a picture. */
  target?: 34962 | 34963;
  /** Bytes from one element to the next, where it is not tight. */
  stride?: number;
  /** With `packed`: bytes of one element. */
  size?: number;
  packed?: Packed | undefined;
}

const align = (bytes: number): number => Math.ceil(bytes / 4) * 4;
const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

/** The binary chunk of a GLB as it is put together (glTF 2.0, section 4.4.3: header, JSON chunk, BIN chunk). */
export class GlbParts {
  private readonly views: View[] = [];
  private readonly accessors: object[] = [];

  /** @returns number of the buffer view */
  view(view: View): number {
    return this.views.push(view) - 1;
  }

  /** @returns number of the accessor */
  accessor(accessor: object): number {
    return this.accessors.push(accessor) - 1;
  }

  /** The file in chunks. @param json what describes the scene, without accessors, views and buffers */
  *file(json: object): Generator<Uint8Array> {
    const pieces = this.views.map(({ bytes, packed }) => packed?.bytes ?? bytes);
    const length = pieces.reduce((sum, { byteLength }) => sum + align(byteLength), 0);
    const text = new TextEncoder().encode(JSON.stringify({ ...json, ...this.description(pieces, length) }));
    const padded = new Uint8Array(align(text.length)).fill(0x20);
    padded.set(text);
    yield words(0x46546c67, 2, 12 + 8 + padded.length + 8 + length, padded.length, 0x4e4f534a);
    yield padded;
    yield words(length, 0x004e4942);
    for (const piece of pieces) {
      yield piece;
      if (piece.byteLength % 4 !== 0) yield new Uint8Array(4 - (piece.byteLength % 4));
    }
  }

  /** Packed views lie in the file as they are and, for readers, unpacked in a second buffer that is not there. */
  private description(pieces: readonly Uint8Array[], length: number): object {
    let at = 0;
    let unpacked = 0;
    const bufferViews = this.views.map(({ bytes, target, stride, size, packed }, k) => {
      const here = { buffer: 0, byteOffset: at, byteLength: pieces[k]!.byteLength };
      at += align(pieces[k]!.byteLength);
      const rest = { ...(target ? { target } : {}), ...(stride ? { byteStride: stride } : {}) };
      if (!packed) return { ...here, ...rest };
      const count = bytes.byteLength / size!;
      const { mode, filter } = packed;
      const coded = { ...here, byteStride: size!, count, mode, ...(filter ? { filter } : {}) };
      const view = { buffer: 1, byteOffset: unpacked, byteLength: bytes.byteLength, ...rest };
      unpacked += align(bytes.byteLength);
      return { ...view, extensions: { EXT_meshopt_compression: coded } };
    });
    const absent = { byteLength: unpacked, extensions: { EXT_meshopt_compression: { fallback: true } } };
    return {
      accessors: this.accessors,
      bufferViews,
      buffers: [{ byteLength: length }, ...(unpacked > 0 ? [absent] : [])],
    };
  }
}

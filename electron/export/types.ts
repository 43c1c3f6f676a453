import type { Camera, PhotoId, Scene } from '../geometry/types.js';

/** A file to be written: its bytes come in chunks, so that ten million points never lie in memory twice. */
export interface ExportFile {
  /** Relative to the output folder, with forward slashes. */
  name: string;
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export interface ExportOptions {
  /** Name of the main file without its ending. */
  baseName?: string;
  /** Most points of the COLMAP formats, whose records are large. */
  mostSparsePoints?: number;
}

export interface ExportFormat {
  id: string;
  /** Of the main file, without a dot; undefined for formats that write a folder. */
  ending?: string;
  description: string;
  /** Bytes, roughly. */
  estimateBytes(scene: Scene): number;
  write(scene: Scene, options?: ExportOptions): ExportFile[];
  /** Of formats whose files point at the photos: where each is looked for, relative to the output folder. */
  photoFiles?(cameras: readonly Camera[]): PhotoFile[];
}

/** A photo, or a picture that views were cut from, and the file that an export has it in. */
export interface PhotoFile {
  photo: PhotoId;
  name: string;
}

/**
 * A photo's name in an export that carries it: JPEG and PNG keep theirs; what the readers may not know is handed to
 * them as JPEG. Spaces become underlines: COLMAP 3.8 and trainers read names in text models up to the first space, so that
 * `Foto 1.jpg` to `Foto 9.jpg` were all `Foto`.
 */
export const photoName = ({ name }: Pick<Camera, 'name'>): string =>
  (/\.(jpe?g|png)$/i.test(name) ? name : `${name}.jpg`).replace(/\s/g, '_');

const encoder = new TextEncoder();

/** Text as chunks of a file, line by line joined into pieces of some size. */
export function* textChunks(lines: Iterable<string>): Generator<Uint8Array> {
  let piece = '';
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < 1 << 16) continue;
    yield encoder.encode(piece);
    piece = '';
  }
  if (piece) yield encoder.encode(piece);
}

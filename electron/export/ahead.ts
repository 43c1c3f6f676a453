import type { ExportFile } from './types.js';

/** A file whose bytes are made when its turn comes. */
export interface LateFile {
  name: string;
  make: () => Promise<Uint8Array>;
}

/**
 * Files whose bytes are made one after another as they are written, the next few while one is written, so that several
 * threads have something to do.
 */
export function madeAhead(files: readonly LateFile[], ahead: number): ExportFile[] {
  const begun = new Map<number, Promise<Uint8Array>>();
  const begin = (k: number): Promise<Uint8Array> => {
    const known = begun.get(k);
    if (known) return known;
    const made = files[k]!.make();
    // Told when its own turn comes; an export that ends before has told why already.
    made.catch(() => undefined);
    begun.set(k, made);
    return made;
  };
  return files.map(({ name }, k) => ({ name, chunks: bytesOf(k, begin, { begun, ahead, count: files.length }) }));
}

async function* bytesOf(
  k: number,
  begin: (k: number) => Promise<Uint8Array>,
  { begun, ahead, count }: { begun: Map<number, unknown>; ahead: number; count: number },
): AsyncGenerator<Uint8Array> {
  const own = begin(k);
  for (let next = k + 1; next < Math.min(count, k + ahead); next++) void begin(next);
  const bytes = await own;
  begun.delete(k);
  yield bytes;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

export interface StaticFile {
  type: string;
  bytes: Buffer;
  /** Compressed with Brotli, where that helps. */
  compressed?: Buffer;
  /** Its name holds a hash of its content, so that it never changes. */
  immutable: boolean;
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml', png: 'image/png', ico: 'image/x-icon', woff2: 'font/woff2', wasm: 'application/wasm', json: 'application/json',
};

/**
 * The built renderer, listed once: a path that is not in the list does not exist, so none can lead outside the folder.
 * @returns undefined when it was not built
 */
export function loadRenderer(folder: string): ReadonlyMap<string, StaticFile> | undefined {
  try {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const list = new Map(files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [`/${relative(folder, path).split(sep).join('/')}`, path] as const;
    }));
    if (!list.has('/index.html')) return undefined;
    return new Map([...list].map(([name, path]) => [name, read(name, path)]));
  } catch {
    return undefined;
  }
}

function read(name: string, path: string): StaticFile {
  const ending = name.slice(name.lastIndexOf('.') + 1);
  let compressed: Buffer | undefined;
  const file = {
    type: types[ending] ?? 'application/octet-stream',
    bytes: readFileSync(path),
    immutable: /-[\w-]{8}\.\w+$/.test(name),
    // On first use: compressing everything would hold up the start of the server by most of a second.
    get compressed(): Buffer | undefined {
      if (!['html', 'js', 'css', 'svg'].includes(ending)) return undefined;
      return (compressed ??= brotliCompressSync(this.bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }));
    },
  };
  return file;
}

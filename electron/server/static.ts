import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export interface StaticFile {
  type: string;
  bytes: Buffer;
  /** Compressed with Brotli, where that helps. */
  compressed?: Buffer;
  /** Its name holds a hash of its content, so that it never changes. */
  immutable: boolean;
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
  wasm: 'application/wasm',
  json: 'application/json',
};

/**
 * The built renderer, listed once: a path that is not in the list does not exist, so none can lead outside the folder.
 * A file with `.br` after its name is that file compressed (build/build.mjs), and no page of its own.
 *
 * @returns undefined when it was not built
 */
export function loadRenderer(folder: string): ReadonlyMap<string, StaticFile> | undefined {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const bytes = new Map(
      entries.map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [`/${relative(folder, path).split(sep).join('/')}`, readFileSync(path)] as const;
      }),
    );
    if (!bytes.has('/index.html')) return undefined;
    return new Map([...bytes.keys()].filter((name) => !name.endsWith('.br')).map((name) => [name, file(name, bytes)]));
  } catch {
    return undefined;
  }
}

function file(name: string, bytes: ReadonlyMap<string, Buffer>): StaticFile {
  const compressed = bytes.get(`${name}.br`);
  return {
    type: types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    bytes: bytes.get(name)!,
    immutable: /-[\w-]{8}\.\w+$/.test(name),
    ...(compressed ? { compressed } : {}),
  };
}

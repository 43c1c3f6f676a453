// `npm run build`: kernels, renderer and everything outside it, into dist/. With --if-needed only when a source is
// newer.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { buildKernels } from './wasm.mjs';
import { writeLicences } from './licences.mjs';

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');
const dist = join(root, 'dist');
const stamp = join(dist, '.built');
const lock = join(dist, '.building');
const next = join(dist, '.next');
const sources = [
  'electron',
  'native-models',
  'renderer',
  'build',
  'resources/icon',
  'package-lock.json',
  'vite.config.ts',
];

/** No build takes this long; a lock older than it was left by one that was killed. */
const STALE_MILLISECONDS = 120_000;

function newest(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return 0;
  if (!found.isDirectory()) return path.endsWith('.wasm') ? 0 : found.mtimeMs;
  return Math.max(
    0,
    ...readdirSync(path)
      .filter((name) => name !== '__pycache__')
      .map((name) => newest(join(path, name))),
  );
}

export function isBuilt() {
  const built = statSync(stamp, { throwIfNoEntry: false });
  return built !== undefined && sources.every((source) => newest(join(root, source)) <= built.mtimeMs);
}

/** Here and once, not while a page waits for it: half of what there is to wait for. */
function compress(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(html|js|css|svg)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    writeFileSync(
      `${path}.br`,
      brotliCompressSync(readFileSync(path), { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
    );
  }
}

/**
 * Built beside what is there, then put in its place: whoever runs from dist/ at the moment goes on with whole files.
 */
export async function buildAll() {
  const started = Date.now();
  // A test's own environment would bring React's slow development build into the bundle.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    // Only when something is to be built: a bundler takes a good part of a second to load.
    const [{ build }, { buildElectron }] = await Promise.all([import('vite'), import('./electron.mjs')]);
    await buildKernels();
    rmSync(next, { recursive: true, force: true });
    await build({
      root: join(root, 'renderer'),
      configFile: join(root, 'vite.config.ts'),
      logLevel: 'error',
      build: { outDir: join(next, 'renderer'), emptyOutDir: true },
    });
    compress(join(next, 'renderer'));
    await buildElectron(join(next, 'electron'));
    writeLicences(join(next, 'electron'));
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
  for (const part of ['renderer', 'electron']) {
    rmSync(join(dist, part), { recursive: true, force: true });
    renameSync(join(next, part), join(dist, part));
  }
  rmSync(next, { recursive: true });
  writeFileSync(stamp, '');
  // A source that was changed meanwhile is newer.
  utimesSync(stamp, started / 1000, started / 1000);
}

/** Builds when a source is newer than what is there; one process at a time, and those that waited find it done. */
export async function ensureBuilt(say = () => undefined) {
  mkdirSync(dist, { recursive: true });
  for (;;) {
    if (isBuilt()) return;
    try {
      mkdirSync(lock);
      break;
    } catch {
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > STALE_MILLISECONDS) rmSync(lock, { recursive: true, force: true });
      else await wait(100);
    }
  }
  try {
    say('Building the interface…');
    await buildAll();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--if-needed')) rmSync(stamp, { force: true });
  await ensureBuilt();
}

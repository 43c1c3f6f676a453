// `npm run build`: kernels, renderer and everything outside it, into dist/. With --if-needed only when a source is newer.
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildKernels } from './wasm.mjs';

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');
const stamp = join(root, 'dist', '.built');
const sources = ['electron', 'native-models', 'renderer', 'build', 'resources/icon', 'package-lock.json', 'vite.config.ts'];

function newest(path) {
  if (!existsSync(path)) return 0;
  const found = statSync(path);
  if (!found.isDirectory()) return path.endsWith('.wasm') ? 0 : found.mtimeMs;
  return Math.max(0, ...readdirSync(path).filter((name) => name !== '__pycache__').map((name) => newest(join(path, name))));
}

export function isBuilt() {
  return existsSync(stamp) && sources.every((source) => newest(join(root, source)) <= statSync(stamp).mtimeMs);
}

export async function buildAll() {
  // Only when something is to be built: a bundler takes a good part of a second to load.
  const [{ build }, { buildElectron }] = await Promise.all([import('vite'), import('./electron.mjs')]);
  await buildKernels();
  await build({ root: join(root, 'renderer'), configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
  await buildElectron();
  writeFileSync(stamp, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !(process.argv.includes('--if-needed') && isBuilt())) await buildAll();

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../build/electron.mjs';

const names = ['odd-paths', 'room-engine-process', 'room-run'];

/**
 * The fixtures that run as processes of their own, bundled like the program and beside its workers: each of their some
 * thirty starts takes 0.8 s of processor time, 3.2 s where tsx compiles the sources.
 */
export default async function bundleFixtures(): Promise<() => void> {
  const dist = fileURLToPath(new URL('../dist', import.meta.url));
  const folder = mkdtempSync(join(dist, 'fixtures-'));
  cpSync(join(dist, 'electron'), folder, { recursive: true });
  await bundle(folder, Object.fromEntries(names.map((name) => [name, `test/fixtures/${name}.ts`])), 'es', 'js');
  process.env.POINTMAP_FIXTURES = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

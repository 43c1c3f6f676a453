// Compiles every AssemblyScript kernel (`<room>/assembly/<name>.ts`) to `<room>/assembly/<name>.wasm`, when older than
// its source. Run by `npm ci` (prepare), before the tests and before the command line in a checkout.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function* assemblyFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.name === 'assembly') yield path;
    else yield* assemblyFolders(path);
  }
}

/** Entry points are the files not named `*.lib.ts` (those are imported by entries). */
export async function buildKernels({ quiet = true } = {}) {
  const stale = [];
  for (const top of ['electron', 'native-models']) {
    if (!existsSync(join(root, top))) continue;
    for (const folder of assemblyFolders(join(root, top))) {
      const sources = readdirSync(folder).filter((name) => name.endsWith('.ts'));
      const newest = Math.max(0, ...sources.map((name) => statSync(join(folder, name)).mtimeMs));
      for (const name of sources.filter((source) => !source.endsWith('.lib.ts') && !source.endsWith('.d.ts'))) {
        const out = join(folder, name.replace(/\.ts$/, '.wasm'));
        if (!existsSync(out) || statSync(out).mtimeMs < newest) stale.push({ source: join(folder, name), out });
      }
    }
  }
  if (stale.length === 0) return;
  const asc = await import('assemblyscript/asc');
  for (const { source, out } of stale) {
    const { error, stderr } = await asc.main([
      source,
      '--outFile',
      out,
      '--optimizeLevel',
      '3',
      '--shrinkLevel',
      '0',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--enable',
      'simd',
      '--exportRuntime',
    ]);
    if (error) throw new Error(`kernel does not compile: ${error.message}\n${stderr.toString()}${source}`);
    if (!quiet) console.error(`compiled ${out}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildKernels({ quiet: process.argv.includes('--quiet') });

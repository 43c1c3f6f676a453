// Bundles everything outside the renderer into dist/electron: the desktop's main process, its preload script, the
// engine process, its workers and the command line, with the WebAssembly kernels beside them. What has native code or
// loads files of its own stays a package (`native` below), and is all that the packaged program carries in
// node_modules.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = join(fileURLToPath(new URL('.', import.meta.url)), '..');

/** Packages that can't be bundled; js-aruco2's modules export by `this`, which bundlers take for nothing. */
export const native = [
  '@jsquash/jxl',
  'better-sqlite3',
  'js-aruco2',
  'libheif-js',
  'libraw-wasm',
  'onnxruntime-node',
  'sharp',
];

/** Names as the sources ask for them, next to the bundle they are in. */
const modules = {
  main: 'electron/main.ts',
  cli: 'electron/cli.ts',
  'engine-process': 'electron/engine-process.ts',
  'sparse-worker': 'electron/sparse/worker.ts',
  'dense-worker': 'electron/pointmaps/geometric/dense/worker.ts',
  'raw-worker': 'electron/photos/raw-worker.ts',
  'formats-worker': 'electron/photos/formats-worker.ts',
  'wide-worker': 'electron/photos/wide/worker.ts',
  'depth-worker': 'electron/alignment/depth-worker.ts',
  'surface-worker': 'electron/surface/worker.ts',
  'solve-worker': 'electron/alignment/solve-worker.ts',
  'export-worker': 'electron/export/worker.ts',
  'floating-worker': 'electron/scene/floating-worker.ts',
  'outliers-worker': 'electron/scene/outliers-worker.ts',
  'markers-worker': 'electron/scene/markers-worker.ts',
};

const external = [
  ...['electron', ...native].map((name) => new RegExp(`^${name}(/|$)`)),
  /^node:/,
  ...builtinModules.map((name) => new RegExp(`^${name}$`)),
];

/**
 * @param {string} target folder
 * @param {Record<string, string>} input files by name
 * @param {'es' | 'cjs'} format
 * @param {string} ending
 * @param {string} node oldest Node that runs it
 */
export const bundle = (target, input, format, ending, node = 'node20') =>
  build({
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    // Its entry for Node looks for a package of native code; this one does without.
    resolve: { alias: [{ find: /^msgpackr$/, replacement: join(root, 'node_modules/msgpackr/index.js') }] },
    // Every package goes into the bundle; what is told to stay outside is listed below.
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: true,
      outDir: target,
      emptyOutDir: false,
      target: node,
      minify: false,
      rollupOptions: {
        input: Object.fromEntries(Object.entries(input).map(([name, path]) => [name, join(root, path)])),
        external,
        // Flat: a chunk finds workers and kernels by its own address, as an entry does.
        output: { format, entryFileNames: `[name].${ending}`, chunkFileNames: `[name]-[hash].${ending}` },
      },
    },
  });

function* kernels(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* kernels(path);
    else if (entry.name.endsWith('.wasm')) yield path;
  }
}

/** @param {string} target folder; what it holds is replaced */
export async function buildElectron(target) {
  rmSync(target, { recursive: true, force: true });
  await bundle(target, modules, 'es', 'js');
  // A sandboxed preload script is one CommonJS file.
  await bundle(target, { preload: 'electron/preload.ts' }, 'cjs', 'cjs');
  const assembly = join(target, 'assembly');
  mkdirSync(assembly, { recursive: true });
  const copied = new Set();
  for (const path of [...kernels(join(root, 'electron')), ...kernels(join(root, 'native-models'))]) {
    if (copied.has(basename(path))) throw new Error(`two kernels of one name: ${path}`);
    copied.add(basename(path));
    copyFileSync(path, join(assembly, basename(path)));
  }
}

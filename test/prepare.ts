import { fileURLToPath } from 'node:url';
import { buildKernels } from '../build/wasm.mjs';
import { ensureBuilt } from '../build/build.mjs';

/**
 * Kernels, and the program as it is packaged: tests that start it as a person does start that, three times faster than
 * the sources, and worker threads come from it (compute/pool.ts).
 */
export default async function prepare(): Promise<void> {
  await buildKernels();
  await ensureBuilt();
  process.env.POINTMAP_BUILT = fileURLToPath(new URL('../dist/electron', import.meta.url));
}

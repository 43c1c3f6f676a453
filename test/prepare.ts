import { buildKernels } from '../build/wasm.mjs';
import { ensureBuilt } from '../build/build.mjs';

/**
 * Kernels, and the program as it is packaged: tests that start it as a person does start that, three times faster than
 * the sources.
 */
export default async function prepare(): Promise<void> {
  await buildKernels();
  await ensureBuilt();
}

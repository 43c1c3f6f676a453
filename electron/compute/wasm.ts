import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const compiled = new Map<string, WebAssembly.Module>();

/**
 * Instantiates an AssemblyScript kernel compiled by build/wasm.mjs on a memory of its own (or the given, perhaps shared
 * one).
 *
 * @param url of the `.wasm` file, from the caller's `import.meta.url`
 * @returns the kernel's exports and its memory
 */
export function loadKernel<Exports>(
  url: URL,
  memory = new WebAssembly.Memory({ initial: 1 }),
): { exports: Exports; memory: WebAssembly.Memory } {
  let module = compiled.get(url.href);
  if (!module) {
    const path = fileURLToPath(url);
    module = new WebAssembly.Module(readFileSync(path));
    compiled.set(url.href, module);
  }
  const abort = (_message: number, _file: number, line: number, column: number): never => {
    throw new Error(`kernel aborted at ${line}:${column} in ${url.pathname}`);
  };
  const instance = new WebAssembly.Instance(module, { env: { memory, abort } });
  return { exports: instance.exports as Exports, memory };
}

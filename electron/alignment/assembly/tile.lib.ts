// What both kernels of the alignment are built from.

/** Both halves of a vector together. */
// @ts-expect-error a decorator of AssemblyScript
@inline
export function sum(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** C [4][4] -= A^T B for A, B of `rows` rows, `width` numbers from row to row. */
// @ts-expect-error a decorator of AssemblyScript
@inline
export function tile(A: usize, B: usize, rows: i32, width: usize, C: usize, stride: usize): void {
  const down = stride << 3;
  const step = width << 3;
  let c00 = v128.load(C);
  let c01 = v128.load(C + 16);
  let c10 = v128.load(C + down);
  let c11 = v128.load(C + down + 16);
  let c20 = v128.load(C + 2 * down);
  let c21 = v128.load(C + 2 * down + 16);
  let c30 = v128.load(C + 3 * down);
  let c31 = v128.load(C + 3 * down + 16);
  for (let r = 0; r < rows; r++) {
    const b0 = v128.load(B);
    const b1 = v128.load(B + 16);
    const a0 = v128.load64_splat(A);
    c00 = f64x2.sub(c00, f64x2.mul(a0, b0));
    c01 = f64x2.sub(c01, f64x2.mul(a0, b1));
    const a1 = v128.load64_splat(A + 8);
    c10 = f64x2.sub(c10, f64x2.mul(a1, b0));
    c11 = f64x2.sub(c11, f64x2.mul(a1, b1));
    const a2 = v128.load64_splat(A + 16);
    c20 = f64x2.sub(c20, f64x2.mul(a2, b0));
    c21 = f64x2.sub(c21, f64x2.mul(a2, b1));
    const a3 = v128.load64_splat(A + 24);
    c30 = f64x2.sub(c30, f64x2.mul(a3, b0));
    c31 = f64x2.sub(c31, f64x2.mul(a3, b1));
    A += step;
    B += step;
  }
  v128.store(C, c00);
  v128.store(C + 16, c01);
  v128.store(C + down, c10);
  v128.store(C + down + 16, c11);
  v128.store(C + 2 * down, c20);
  v128.store(C + 2 * down + 16, c21);
  v128.store(C + 3 * down, c30);
  v128.store(C + 3 * down + 16, c31);
}

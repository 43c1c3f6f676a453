// How well many correspondences agree with a model, four at a time.
//
// A correspondence with squared error e gains (1 - e / limit)^3 below the limit and nothing above: close to what a
// truncated square gives when its threshold is averaged over everything below the limit, so that no single threshold
// has to be right (after Barath et al., "MAGSAC++", CVPR 2020). Coordinates lie in separate arrays of f32, `stride`
// bytes apart, filled up to a multiple of four with NaN, which gains nothing. A thousand take 3 us.

function gain(error: v128, inverse: v128): v128 {
  const one = f32x4.splat(1);
  const left = f32x4.sub(one, f32x4.mul(error, inverse));
  const cubed = f32x4.mul(left, f32x4.mul(left, left));
  // Comparing with NaN is false.
  return v128.and(cubed, f32x4.gt(left, f32x4.splat(0)));
}

function total(sum: v128): f32 {
  return (
    f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3)
  );
}

/** Sampson's error of x2' F x1 = 0; the four arrays are x1, y1, x2, y2. */
export function epipolar(model: usize, at: usize, stride: usize, inverseLimit: f32): f32 {
  const f0 = v128.load32_splat(model);
  const f1 = v128.load32_splat(model + 4);
  const f2 = v128.load32_splat(model + 8);
  const f3 = v128.load32_splat(model + 12);
  const f4 = v128.load32_splat(model + 16);
  const f5 = v128.load32_splat(model + 20);
  const f6 = v128.load32_splat(model + 24);
  const f7 = v128.load32_splat(model + 28);
  const f8 = v128.load32_splat(model + 32);
  const inverse = f32x4.splat(inverseLimit);
  let sum = f32x4.splat(0);
  for (let k: usize = 0; k < stride; k += 16) {
    const a = v128.load(at + k);
    const b = v128.load(at + stride + k);
    const c = v128.load(at + 2 * stride + k);
    const d = v128.load(at + 3 * stride + k);
    const l0 = f32x4.add(f32x4.add(f32x4.mul(f0, a), f32x4.mul(f1, b)), f2);
    const l1 = f32x4.add(f32x4.add(f32x4.mul(f3, a), f32x4.mul(f4, b)), f5);
    const l2 = f32x4.add(f32x4.add(f32x4.mul(f6, a), f32x4.mul(f7, b)), f8);
    const m0 = f32x4.add(f32x4.add(f32x4.mul(f0, c), f32x4.mul(f3, d)), f6);
    const m1 = f32x4.add(f32x4.add(f32x4.mul(f1, c), f32x4.mul(f4, d)), f7);
    const r = f32x4.add(f32x4.add(f32x4.mul(c, l0), f32x4.mul(d, l1)), l2);
    const n = f32x4.add(
      f32x4.add(f32x4.mul(l0, l0), f32x4.mul(l1, l1)),
      f32x4.add(f32x4.mul(m0, m0), f32x4.mul(m1, m1)),
    );
    sum = f32x4.add(sum, gain(f32x4.div(f32x4.mul(r, r), n), inverse));
  }
  return total(sum);
}

/** Distance of x2 from H x1. */
export function homography(model: usize, at: usize, stride: usize, inverseLimit: f32): f32 {
  const inverse = f32x4.splat(inverseLimit);
  let sum = f32x4.splat(0);
  for (let k: usize = 0; k < stride; k += 16) {
    const a = v128.load(at + k);
    const b = v128.load(at + stride + k);
    const x = row(model, a, b);
    const y = row(model + 12, a, b);
    const w = row(model + 24, a, b);
    const dx = f32x4.sub(f32x4.div(x, w), v128.load(at + 2 * stride + k));
    const dy = f32x4.sub(f32x4.div(y, w), v128.load(at + 3 * stride + k));
    sum = f32x4.add(sum, gain(f32x4.add(f32x4.mul(dx, dx), f32x4.mul(dy, dy)), inverse));
  }
  return total(sum);
}

function row(model: usize, a: v128, b: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(v128.load32_splat(model), a), f32x4.mul(v128.load32_splat(model + 4), b)),
    v128.load32_splat(model + 8),
  );
}

/** Reprojection error of points before a camera; the model is [R | t], 12 numbers, the arrays X, Y, Z, u, v. */
export function resection(model: usize, at: usize, stride: usize, inverseLimit: f32): f32 {
  const inverse = f32x4.splat(inverseLimit);
  const zero = f32x4.splat(0);
  let sum = zero;
  for (let k: usize = 0; k < stride; k += 16) {
    const X = v128.load(at + k);
    const Y = v128.load(at + stride + k);
    const Z = v128.load(at + 2 * stride + k);
    const x = row4(model, X, Y, Z);
    const y = row4(model + 16, X, Y, Z);
    const z = row4(model + 32, X, Y, Z);
    const du = f32x4.sub(f32x4.div(x, z), v128.load(at + 3 * stride + k));
    const dv = f32x4.sub(f32x4.div(y, z), v128.load(at + 4 * stride + k));
    const g = gain(f32x4.add(f32x4.mul(du, du), f32x4.mul(dv, dv)), inverse);
    sum = f32x4.add(sum, v128.and(g, f32x4.gt(z, zero)));
  }
  return total(sum);
}

function row4(model: usize, X: v128, Y: v128, Z: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(v128.load32_splat(model), X), f32x4.mul(v128.load32_splat(model + 4), Y)),
    f32x4.add(f32x4.mul(v128.load32_splat(model + 8), Z), v128.load32_splat(model + 12)),
  );
}

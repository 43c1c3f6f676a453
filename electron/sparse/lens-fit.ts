import { rotationFromVector, multiply3, solveCholesky } from '../numerics/linear.js';
import { median } from '../numerics/median.js';

/**
 * A lens with any number of terms: where the ray (x, y, z) of a camera is seen, long sides relative to the photo's centre.
 *
 * @returns false where it is seen nowhere
 */
export type LensModel = (x: number, y: number, z: number, terms: Float64Array, at: Float64Array) => boolean;

/** Cameras of one lens, the points that they see, and where. */
export interface LensProblem {
  cameras: { rotation: Float64Array; translation: Float64Array }[];
  /** [3] each. */
  points: Float64Array[];
  /** Parallel: index of the camera and of the point, and [n, 2] where it was seen. */
  camera: number[];
  point: number[];
  seen: number[];
}

export interface LensFit {
  terms: Float64Array;
  /** Of each sighting that the lens shows, how far off it is, sorted; long sides. */
  off: number[];
}

const ITERATIONS = 25;
/** Rounds of an adjustment, each at the scale that the one before left. */
const ROUNDS = 3;
/** A Rayleigh distribution's median, of its scale. */
const RAYLEIGH = 1.18;
/** An adjustment is done when it lowers the cost by less than this share. */
const DONE = 1e-5;
/** What a sighting costs that the lens does not show: many times the usual distance. */
const NOWHERE = 30;
/** Step of the numerical derivatives, relative to lengths of about one. */
const STEP = 1e-6;

/**
 * Bundle adjustment of one lens of any model with its cameras and points: Levenberg-Marquardt on the Schur complement of the
 * points (Triggs et al., "Bundle Adjustment - A Modern Synthesis", 2000), with derivatives of the model by differences and
 * Cauchy's loss at the scale of the residuals. For a few dozen photos: what their lens is, not the scene.
 *
 * @param sigmas per term, the standard deviation of its prior round where it starts; Infinity for none
 */
export function fitLens(
  problem: LensProblem,
  model: LensModel,
  start: ArrayLike<number>,
  sigmas: readonly number[],
): LensFit {
  let { cameras, points } = problem;
  let terms: Float64Array = Float64Array.from(start);
  const count = problem.camera.length;
  const rows = rowsOf(problem, terms.length);
  const costOf = (r: Float64Array, of: Float64Array, usual: number): number => {
    let sum = 0;
    for (let s = 0; s < count; s++) {
      const square = (r[2 * s]! ** 2 + r[2 * s + 1]! ** 2) / usual ** 2;
      sum += Math.log1p(Number.isNaN(square) ? NOWHERE ** 2 : square);
    }
    of.forEach((value, k) => (sum += ((value - start[k]!) / sigmas[k]!) ** 2));
    return sum;
  };
  let now = residualsOf(problem, model, terms);
  for (let round = 0; round < ROUNDS; round++) {
    const usual = Math.max(1e-7, (median(lengths(now)) ?? 0) / RAYLEIGH);
    let cost = costOf(now, terms, usual);
    let damping = 1e-3;
    for (let iteration = 0, gain = 1; iteration < ITERATIONS && gain > DONE; iteration++) {
      const system = normalEquations(
        { ...problem, cameras, points },
        { model, terms, start, sigmas, usual, residual: now, rows },
      );
      for (gain = 0; gain === 0 && damping < 1e8;) {
        const step = solveStep(system, 6 * cameras.length + terms.length, damping);
        const next = step && moved(cameras, points, terms, step);
        const r = next && residualsOf({ ...problem, ...next }, model, next.terms);
        const after = r ? costOf(r, next!.terms, usual) : Infinity;
        if (after < cost) {
          gain = (cost - after) / cost;
          ({ cameras, points, terms } = next!);
          [now, cost] = [r!, after];
          damping = Math.max(1e-9, damping / 5);
        } else damping *= 5;
      }
    }
  }
  return { terms, off: lengths(now).sort((p, q) => p - q) };
}

/** Of each sighting that the lens shows, how far off it is, sorted; long sides. */
export const offsets = (problem: LensProblem, model: LensModel, terms: ArrayLike<number>): number[] =>
  lengths(residualsOf(problem, model, Float64Array.from(terms))).sort((p, q) => p - q);

/** [sightings, 2]; NaN where the lens shows nothing. */
function residualsOf(
  { cameras, points, camera, point, seen }: LensProblem,
  model: LensModel,
  terms: Float64Array,
): Float64Array {
  const out = new Float64Array(2 * camera.length).fill(NaN);
  const uv = new Float64Array(2);
  for (let s = 0; s < camera.length; s++) {
    const [x, y, z] = inCamera(cameras[camera[s]!]!, points[point[s]!]!);
    if (!model(x, y, z, terms, uv)) continue;
    out[2 * s] = uv[0]! - seen[2 * s]!;
    out[2 * s + 1] = uv[1]! - seen[2 * s + 1]!;
  }
  return out;
}

/** A point as a camera has it: along its own axes. */
export const inCamera = (
  { rotation: r, translation: t }: LensProblem['cameras'][number],
  p: Float64Array,
): [number, number, number] => [
  r[0]! * p[0]! + r[1]! * p[1]! + r[2]! * p[2]! + t[0]!,
  r[3]! * p[0]! + r[4]! * p[1]! + r[5]! * p[2]! + t[1]!,
  r[6]! * p[0]! + r[7]! * p[1]! + r[8]! * p[2]! + t[2]!,
];

const lengths = (residual: Float64Array): number[] =>
  Array.from({ length: residual.length / 2 }, (_, s) => Math.hypot(residual[2 * s]!, residual[2 * s + 1]!)).filter(
    (length) => !Number.isNaN(length),
  );

/** What a point has to do with cameras and lens. */
interface PointBlock {
  own: Float64Array;
  right: Float64Array;
  /** Parameters of the cameras that see it and of the lens, ascending. */
  rows: Int32Array;
  /** [rows, 3] */
  mixed: Float64Array;
}

interface NormalEquations {
  /** [size, size], lower triangle. */
  matrix: Float64Array;
  right: Float64Array;
  points: PointBlock[];
}

interface Linearised {
  model: LensModel;
  terms: Float64Array;
  start: ArrayLike<number>;
  sigmas: readonly number[];
  usual: number;
  residual: Float64Array;
  /** See PointBlock, per point. */
  rows: readonly Int32Array[];
}

function normalEquations(
  { cameras, points, camera, point }: LensProblem,
  { model, terms, start, sigmas, usual, residual, rows: parameters }: Linearised,
): NormalEquations {
  const lensAt = 6 * cameras.length;
  const size = lensAt + terms.length;
  const matrix = new Float64Array(size * size);
  const right = new Float64Array(size);
  const blocks = parameters.map((rows): PointBlock => ({
    own: new Float64Array(9),
    right: new Float64Array(3),
    rows,
    mixed: new Float64Array(3 * rows.length),
  }));
  const columns = 6 + terms.length;
  const derivatives = new Derivatives(model, terms);
  const { outer, inner } = derivatives;
  const u = new Float64Array(columns);
  const v = new Float64Array(columns);
  for (let s = 0; s < camera.length; s++) {
    const [ru, rv] = [residual[2 * s]!, residual[2 * s + 1]!];
    if (Number.isNaN(ru) || !derivatives.at(cameras[camera[s]!]!, points[point[s]!]!)) continue;
    const weight = 1 / (usual ** 2 + ru * ru + rv * rv);
    const block = blocks[point[s]!]!;
    const begin = block.rows.indexOf(6 * camera[s]!);
    const lensRow = block.rows.length - terms.length;
    for (let k = 0; k < columns; k++) [u[k], v[k]] = [outer[2 * k]!, outer[2 * k + 1]!];
    for (let k = 0; k < columns; k++) {
      const parameter = k < 6 ? 6 * camera[s]! + k : lensAt + k - 6;
      const [au, av] = [weight * u[k]!, weight * v[k]!];
      right[parameter]! -= au * ru + av * rv;
      // Cameras come before the lens, so that this is the lower triangle.
      for (let l = 0; l <= k; l++)
        matrix[parameter * size + (l < 6 ? 6 * camera[s]! + l : lensAt + l - 6)]! += au * u[l]! + av * v[l]!;
      const local = 3 * (k < 6 ? begin + k : lensRow + k - 6);
      for (let l = 0; l < 3; l++) block.mixed[local + l]! += au * inner[2 * l]! + av * inner[2 * l + 1]!;
    }
    for (let k = 0; k < 3; k++) {
      const [au, av] = [weight * inner[2 * k]!, weight * inner[2 * k + 1]!];
      block.right[k]! -= au * ru + av * rv;
      for (let l = 0; l < 3; l++) block.own[3 * k + l]! += au * inner[2 * l]! + av * inner[2 * l + 1]!;
    }
  }
  terms.forEach((value, k) => {
    const at = lensAt + k;
    matrix[at * size + at]! += 1 / sigmas[k]! ** 2;
    right[at]! -= (value - start[k]!) / sigmas[k]! ** 2;
  });
  return { matrix, right, points: blocks };
}

/** Per point, the parameters that it has to do with: the same in every iteration. */
function rowsOf({ cameras, points, camera, point }: LensProblem, terms: number): Int32Array[] {
  const lensAt = 6 * cameras.length;
  const ofLens = Array.from({ length: terms }, (_, k) => lensAt + k);
  const seenBy = points.map(() => new Set<number>());
  point.forEach((at, s) => seenBy[at]!.add(camera[s]!));
  return seenBy.map((own) => {
    const ofCameras = [...own].sort((p, q) => p - q).flatMap((each) => [0, 1, 2, 3, 4, 5].map((k) => 6 * each + k));
    return Int32Array.from([...ofCameras, ...ofLens]);
  });
}

/** Of where a point is seen: by the camera's turn (3), its shift (3) and the terms, and by the point; [n, 2] each. */
class Derivatives {
  readonly outer: Float64Array;
  readonly inner = new Float64Array(6);
  private readonly byRay = new Float64Array(6);
  private readonly plus = new Float64Array(2);
  private readonly minus = new Float64Array(2);
  private readonly changed: Float64Array;

  constructor(
    private readonly model: LensModel,
    private readonly terms: Float64Array,
  ) {
    this.outer = new Float64Array(2 * (6 + terms.length));
    this.changed = Float64Array.from(terms);
  }

  /** @returns false where the lens shows the point nowhere */
  at({ rotation: r, translation: t }: LensProblem['cameras'][number], p: Float64Array): boolean {
    const { outer, inner, byRay, changed, terms } = this;
    const [x, y, z] = inCamera({ rotation: r, translation: t }, p);
    const h = STEP * Math.max(1e-9, Math.hypot(x, y, z));
    if (!this.difference(0, h, x + h, y, z, x - h, y, z)) return false;
    if (!this.difference(2, h, x, y + h, z, x, y - h, z)) return false;
    if (!this.difference(4, h, x, y, z + h, x, y, z - h)) return false;
    const [qx, qy, qz] = [x - t[0]!, y - t[1]!, z - t[2]!];
    for (let l = 0; l < 2; l++) {
      const [dx, dy, dz] = [byRay[l]!, byRay[2 + l]!, byRay[4 + l]!];
      // The ray without its shift turns about each axis by their cross product.
      outer[l] = dz * qy - dy * qz;
      outer[2 + l] = dx * qz - dz * qx;
      outer[4 + l] = dy * qx - dx * qy;
      outer[6 + l] = dx;
      outer[8 + l] = dy;
      outer[10 + l] = dz;
      for (let k = 0; k < 3; k++) inner[2 * k + l] = dx * r[k]! + dy * r[3 + k]! + dz * r[6 + k]!;
    }
    const { model, plus, minus } = this;
    for (let k = 0; k < terms.length; k++) {
      changed[k] = terms[k]! + STEP;
      const isSeen = model(x, y, z, changed, plus);
      changed[k] = terms[k]! - STEP;
      if (!isSeen || !model(x, y, z, changed, minus)) return false;
      changed[k] = terms[k]!;
      for (let l = 0; l < 2; l++) outer[2 * (6 + k) + l] = (plus[l]! - minus[l]!) / (2 * STEP);
    }
    return true;
  }

  /** By one coordinate of the ray: from (u, v, w) to (x, y, z), which are 2 h apart. */
  private difference(
    to: number,
    h: number,
    ...[x, y, z, u, v, w]: [number, number, number, number, number, number]
  ): boolean {
    const { model, plus, minus, terms, byRay } = this;
    if (!model(x, y, z, terms, plus) || !model(u, v, w, terms, minus)) return false;
    byRay[to] = (plus[0]! - minus[0]!) / (2 * h);
    byRay[to + 1] = (plus[1]! - minus[1]!) / (2 * h);
    return true;
  }
}

interface Step {
  outer: Float64Array;
  points: Float64Array[];
}

/** Points are eliminated, cameras and lens solved for, points put back; undefined where the matrix is not positive. */
function solveStep({ matrix, right, points }: NormalEquations, size: number, damping: number): Step | undefined {
  const a = Float64Array.from(matrix);
  const b = Float64Array.from(right);
  for (let k = 0; k < size; k++) a[k * size + k]! += damping * matrix[k * size + k]! + 1e-12;
  const inverses = points.map(({ own }) => inverseSymmetric(own, damping));
  points.forEach(({ rows, mixed: m, right: r }, k) => {
    const inverse = inverses[k];
    if (!inverse) return;
    for (let i = 0; i < rows.length; i++) {
      const [x, y, z] = [m[3 * i]!, m[3 * i + 1]!, m[3 * i + 2]!];
      const p = x * inverse[0]! + y * inverse[3]! + z * inverse[6]!;
      const q = x * inverse[1]! + y * inverse[4]! + z * inverse[7]!;
      const s = x * inverse[2]! + y * inverse[5]! + z * inverse[8]!;
      const row = rows[i]! * size;
      b[rows[i]!]! -= p * r[0]! + q * r[1]! + s * r[2]!;
      for (let j = 0; j <= i; j++) a[row + rows[j]!]! -= p * m[3 * j]! + q * m[3 * j + 1]! + s * m[3 * j + 2]!;
    }
  });
  if (!solveCholesky(a, b, size)) return undefined;
  const moves = points.map(({ rows, mixed: m, right: r }, k) => {
    const inverse = inverses[k];
    const out = new Float64Array(3);
    if (!inverse) return out;
    const left = Float64Array.from(r);
    for (let i = 0; i < rows.length; i++) for (let l = 0; l < 3; l++) left[l]! -= m[3 * i + l]! * b[rows[i]!]!;
    for (let l = 0; l < 3; l++)
      out[l] = inverse[3 * l]! * left[0]! + inverse[3 * l + 1]! * left[1]! + inverse[3 * l + 2]! * left[2]!;
    return out;
  });
  return { outer: b, points: moves };
}

function inverseSymmetric(m: Float64Array, damping: number): Float64Array | undefined {
  const [a, b, c] = [m[0]! * (1 + damping), m[1]!, m[2]!];
  const [d, e, f] = [m[4]! * (1 + damping), m[5]!, m[8]! * (1 + damping)];
  const [p, q, r] = [d * f - e * e, c * e - b * f, b * e - c * d];
  const determinant = a * p + b * q + c * r;
  if (!(determinant > 1e-30)) return undefined;
  return Float64Array.of(p, q, r, q, a * f - c * c, b * c - a * e, r, b * c - a * e, a * d - b * b).map(
    (value) => value / determinant,
  );
}

function moved(
  cameras: LensProblem['cameras'],
  points: readonly Float64Array[],
  terms: Float64Array,
  { outer, points: moves }: Step,
): Pick<LensProblem, 'cameras' | 'points'> & { terms: Float64Array } {
  return {
    cameras: cameras.map(({ rotation, translation }, k) => ({
      rotation: multiply3(rotationFromVector(outer[6 * k]!, outer[6 * k + 1]!, outer[6 * k + 2]!), rotation),
      translation: translation.map((value, l) => value + outer[6 * k + 3 + l]!),
    })),
    points: points.map((each, k) => each.map((value, l) => value + moves[k]![l]!)),
    terms: terms.map((value, k) => value + outer[6 * cameras.length + k]!),
  };
}

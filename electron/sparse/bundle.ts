import { multiply3, rotationFromVector, solveCholesky } from '../numerics/linear.js';

/** Intrinsics of one camera model, in units of the photo's long side; the principal point is the photo's centre. */
export interface Lens {
  focal: number;
  /** SIMPLE_RADIAL: distorted = focal * x * (1 + k1 r^2), x normalised. */
  k1: number;
  /** What is known beforehand: log focal is held to `prior` within `sigma`. */
  prior?: { focal: number; sigma: number } | undefined;
  /** Taken over from an earlier solution: never changed. */
  fixed?: boolean | undefined;
  /** True where the photos can't tell the focal, so that what stands here is what cameras have as a rule. */
  assumed?: boolean | undefined;
}

export interface PlacedCamera {
  lens: number;
  /** x_camera = rotation x_world + translation. */
  rotation: Float64Array;
  translation: Float64Array;
  fixed: boolean;
  /**
   * Set on views of one picture (photos/wide): cameras with the same `id` share their position, and `cameraFromRig`
   * (row-major 3x3) is never changed. All of them are placed together.
   */
  rig?: { id: number; cameraFromRig: Float64Array } | undefined;
}

/** Struct of arrays: which camera saw which point where (relative to the photo's centre, over its long side). */
export interface Sightings {
  camera: Int32Array;
  point: Int32Array;
  /** [n, 2] */
  at: Float64Array;
}

export interface BundleOptions {
  /** Cauchy scale of the reprojection error, in long sides. */
  scale: number;
  iterations: number;
  refineFocal: boolean;
  refineDistortion: boolean;
  /** Lenses that are left as they are. */
  heldLenses?: ReadonlySet<number> | undefined;
}

/** Standard deviations that keep a free lens sane where the data says nothing. */
const K1_SIGMA = 0.15;

/**
 * Projects a point; false when it lies behind the camera. `out` receives [x, y] in long sides, relative to the centre.
 */
export function project(camera: PlacedCamera, lens: Lens, x: number, y: number, z: number, out: Float64Array): boolean {
  const R = camera.rotation;
  const t = camera.translation;
  const cz = R[6]! * x + R[7]! * y + R[8]! * z + t[2]!;
  if (!(cz > 1e-9)) return false;
  const u = (R[0]! * x + R[1]! * y + R[2]! * z + t[0]!) / cz;
  const v = (R[3]! * x + R[4]! * y + R[5]! * z + t[1]!) / cz;
  const factor = lens.focal * (1 + lens.k1 * (u * u + v * v));
  out[0] = factor * u;
  out[1] = factor * v;
  return true;
}

/**
 * Bundle adjustment (Triggs et al., 1999): Levenberg-Marquardt on poses, shared lenses and points under Cauchy loss,
 * the points eliminated by a Schur complement. Cameras, lenses and points [n, 3] are changed in place.
 *
 * @returns the robust cost, per sighting
 */
export function adjustBundle(
  cameras: PlacedCamera[],
  lenses: Lens[],
  points: Float64Array,
  sightings: Sightings,
  options: BundleOptions,
): number {
  const problem = new Bundle(cameras, lenses, points, sightings, options);
  let cost = problem.cost();
  let damping = 1e-4;
  for (let iteration = 0; iteration < options.iterations; iteration++) {
    problem.linearise();
    let improved = false;
    for (let attempt = 0; attempt < 6; attempt++) {
      const undo = problem.snapshot();
      const moved = problem.step(damping);
      const next = moved ? problem.cost() : Infinity;
      if (next < cost) {
        improved = cost - next > 1e-7 * cost;
        cost = next;
        damping = Math.max(1e-9, damping / 10);
        break;
      }
      undo();
      damping *= 10;
    }
    if (!improved) break;
  }
  return cost / Math.max(1, sightings.camera.length);
}

class Bundle {
  private readonly size: number;
  private readonly offset: Int32Array;
  private readonly lensOffset: number;
  /** Sightings of point p: order[start[p]] to order[start[p + 1]]. */
  private readonly start: Int32Array;
  private readonly order: Int32Array;
  /**
   * Per sighting: 2x6 pose, 2x2 lens, 2x3 point Jacobians and the residual, all times the square root of the weight.
   */
  private readonly rows: Float64Array;
  private static readonly ROW = 24;
  private readonly predicted = new Float64Array(2);

  constructor(
    private readonly cameras: PlacedCamera[],
    private readonly lenses: Lens[],
    private readonly points: Float64Array,
    private readonly sightings: Sightings,
    private readonly options: BundleOptions,
  ) {
    this.offset = new Int32Array(cameras.length).fill(-1);
    let size = 0;
    const rigs = new Map<number, number>();
    cameras.forEach((camera, k) => {
      if (camera.fixed) return;
      const shared = camera.rig && rigs.get(camera.rig.id);
      this.offset[k] = shared ?? size;
      if (shared !== undefined) return;
      if (camera.rig) rigs.set(camera.rig.id, size);
      size += 6;
    });
    this.lensOffset = size;
    this.size = size + 2 * lenses.length;
    const pointCount = points.length / 3;
    this.start = new Int32Array(pointCount + 1);
    for (const p of sightings.point) this.start[p + 1] = this.start[p + 1]! + 1;
    for (let p = 0; p < pointCount; p++) this.start[p + 1] = this.start[p + 1]! + this.start[p]!;
    const cursor = this.start.slice();
    this.order = new Int32Array(sightings.point.length);
    sightings.point.forEach((p, s) => {
      this.order[cursor[p]!] = s;
      cursor[p] = cursor[p]! + 1;
    });
    this.rows = new Float64Array(sightings.point.length * Bundle.ROW);
  }

  cost(): number {
    const { camera, point, at } = this.sightings;
    const s2 = this.options.scale ** 2;
    let sum = 0;
    for (let s = 0; s < camera.length; s++) {
      const c = this.cameras[camera[s]!]!;
      const p = 3 * point[s]!;
      if (
        !project(c, this.lenses[c.lens]!, this.points[p]!, this.points[p + 1]!, this.points[p + 2]!, this.predicted)
      ) {
        sum += s2 * 20;
        continue;
      }
      const e = (this.predicted[0]! - at[2 * s]!) ** 2 + (this.predicted[1]! - at[2 * s + 1]!) ** 2;
      sum += s2 * Math.log1p(e / s2);
    }
    for (const lens of this.lenses) {
      if (lens.prior) sum += s2 * (Math.log(lens.focal / lens.prior.focal) / lens.prior.sigma) ** 2;
      sum += s2 * (lens.k1 / K1_SIGMA) ** 2;
    }
    return sum;
  }

  linearise(): void {
    const { camera, point, at } = this.sightings;
    const s2 = this.options.scale ** 2;
    this.rows.fill(0);
    for (let s = 0; s < camera.length; s++) {
      const c = this.cameras[camera[s]!]!;
      const lens = this.lenses[c.lens]!;
      const R = c.rotation;
      const p = 3 * point[s]!;
      const X = this.points[p]!;
      const Y = this.points[p + 1]!;
      const Z = this.points[p + 2]!;
      const rx = R[0]! * X + R[1]! * Y + R[2]! * Z;
      const ry = R[3]! * X + R[4]! * Y + R[5]! * Z;
      const rz = R[6]! * X + R[7]! * Y + R[8]! * Z;
      const z = rz + c.translation[2]!;
      if (!(z > 1e-9)) continue;
      const u = (rx + c.translation[0]!) / z;
      const v = (ry + c.translation[1]!) / z;
      const r2 = u * u + v * v;
      const radial = 1 + lens.k1 * r2;
      const f = lens.focal;
      const e0 = f * radial * u - at[2 * s]!;
      const e1 = f * radial * v - at[2 * s + 1]!;
      const weight = Math.sqrt(1 / (1 + (e0 * e0 + e1 * e1) / s2));
      // d(prediction)/d(u, v), then through the perspective division to the camera-frame point.
      const duu = f * (radial + 2 * lens.k1 * u * u);
      const duv = f * 2 * lens.k1 * u * v;
      const dvv = f * (radial + 2 * lens.k1 * v * v);
      const o = s * Bundle.ROW;
      const row = this.rows;
      for (let i = 0; i < 2; i++) {
        const a = ((i === 0 ? duu : duv) / z) * weight;
        const b = ((i === 0 ? duv : dvv) / z) * weight;
        const d = -(a * u + b * v);
        const at0 = o + 12 * i;
        // Left perturbation of the rotation: d(camera point) = w x (R X).
        row[at0] = -b * rz + d * ry;
        row[at0 + 1] = a * rz - d * rx;
        row[at0 + 2] = -a * ry + b * rx;
        row[at0 + 3] = a;
        row[at0 + 4] = b;
        row[at0 + 5] = d;
        row[at0 + 6] = weight * f * radial * (i === 0 ? u : v); // log focal
        row[at0 + 7] = weight * f * r2 * (i === 0 ? u : v); // k1
        for (let k = 0; k < 3; k++) row[at0 + 8 + k] = a * R[k]! + b * R[3 + k]! + d * R[6 + k]!;
        row[at0 + 11] = -weight * (i === 0 ? e0 : e1);
        if (c.rig) turnColumns(row, at0, c.rig.cameraFromRig);
      }
    }
  }

  /** Solves the damped normal equations and moves. False when they are singular. */
  step(damping: number): boolean {
    const n = this.size;
    const S = new Float64Array(n * n);
    const g = new Float64Array(n);
    const pointCount = this.points.length / 3;
    const inverse = new Float64Array(9);
    const columns = new Int32Array(8 * 64);
    const W = new Float64Array(3 * 8 * 64);
    const deferred = new Float64Array(pointCount * 12); // V^-1 and V^-1 b per point
    const touch: Int32Array[] = [];
    for (let p = 0; p < pointCount; p++) {
      const from = this.start[p]!;
      const to = this.start[p + 1]!;
      const V = new Float64Array(9);
      const b = new Float64Array(3);
      let width = 0;
      if ((to - from) * 8 > columns.length) throw new Error('a track is longer than 64 photos');
      W.fill(0, 0, (to - from) * 24);
      for (let q = from; q < to; q++) {
        const s = this.order[q]!;
        const camera = this.sightings.camera[s]!;
        const pose = this.offset[camera]!;
        const lens = this.lensOffset + 2 * this.cameras[camera]!.lens;
        const first = width;
        for (let k = 0; k < 6; k++) if (pose >= 0) columns[width++] = pose + k;
        columns[width++] = lens;
        columns[width++] = lens + 1;
        for (let i = 0; i < 2; i++) {
          const o = s * Bundle.ROW + 12 * i;
          const e = this.rows[o + 11]!;
          const skip = pose >= 0 ? 0 : 6;
          for (let j = skip; j < 8; j++) {
            const J = this.rows[o + j]!;
            const cj = columns[first + j - skip]!;
            g[cj] = g[cj]! + J * e;
            for (let k = skip; k <= j; k++) {
              const ck = columns[first + k - skip]!;
              S[cj * n + ck] = S[cj * n + ck]! + J * this.rows[o + k]!;
            }
            for (let k = 0; k < 3; k++) {
              const w = 3 * (first + j - skip) + k;
              W[w] = W[w]! + J * this.rows[o + 8 + k]!;
            }
          }
          for (let j = 0; j < 3; j++) {
            const J = this.rows[o + 8 + j]!;
            b[j] = b[j]! + J * e;
            for (let k = 0; k < 3; k++) V[3 * j + k] = V[3 * j + k]! + J * this.rows[o + 8 + k]!;
          }
        }
      }
      for (let k = 0; k < 3; k++) V[4 * k] = V[4 * k]! * (1 + damping) + 1e-14;
      if (!invertSymmetric3(V, inverse)) continue;
      deferred.set(inverse, 12 * p);
      for (let k = 0; k < 3; k++)
        deferred[12 * p + 9 + k] = inverse[3 * k]! * b[0]! + inverse[3 * k + 1]! * b[1]! + inverse[3 * k + 2]! * b[2]!;
      for (let i = 0; i < width; i++) {
        const w0 = W[3 * i]!;
        const w1 = W[3 * i + 1]!;
        const w2 = W[3 * i + 2]!;
        const y0 = w0 * inverse[0]! + w1 * inverse[3]! + w2 * inverse[6]!;
        const y1 = w0 * inverse[1]! + w1 * inverse[4]! + w2 * inverse[7]!;
        const y2 = w0 * inverse[2]! + w1 * inverse[5]! + w2 * inverse[8]!;
        const ci = columns[i]!;
        g[ci] = g[ci]! - (y0 * b[0]! + y1 * b[1]! + y2 * b[2]!);
        for (let j = 0; j < width; j++) {
          const cj = columns[j]!;
          if (cj <= ci) S[ci * n + cj] = S[ci * n + cj]! - (y0 * W[3 * j]! + y1 * W[3 * j + 1]! + y2 * W[3 * j + 2]!);
        }
      }
      touch[p] = columns.slice(0, width);
    }
    this.addPriors(S, g, n);
    for (let i = 0; i < n; i++) S[i * n + i] = S[i * n + i]! * (1 + damping) + 1e-12;
    if (!solveCholesky(S, g, n)) return false;
    this.apply(g, deferred, touch);
    return g.every(Number.isFinite);
  }

  private addPriors(S: Float64Array, g: Float64Array, n: number): void {
    const s2 = this.options.scale ** 2;
    this.lenses.forEach((lens, k) => {
      const f = this.lensOffset + 2 * k;
      const hold = (index: number, sigma: number, deviation: number) => {
        S[index * n + index] = S[index * n + index]! + s2 / sigma ** 2;
        g[index] = g[index]! - (s2 / sigma ** 2) * deviation;
      };
      const held = lens.fixed || this.options.heldLenses?.has(k);
      if (!this.options.refineFocal || held) hold(f, 1e-9, 0);
      else if (lens.prior) hold(f, lens.prior.sigma, Math.log(lens.focal / lens.prior.focal));
      if (!this.options.refineDistortion || held) hold(f + 1, 1e-9, 0);
      else hold(f + 1, K1_SIGMA, lens.k1);
    });
  }

  private apply(g: Float64Array, deferred: Float64Array, touch: Int32Array[]): void {
    // Back-substitution: point step = V^-1 (b - W^T camera step), W rebuilt from the rows.
    const pointCount = this.points.length / 3;
    for (let p = 0; p < pointCount; p++) {
      if (!touch[p]) continue;
      const back = [0, 0, 0];
      for (let q = this.start[p]!; q < this.start[p + 1]!; q++) {
        const s = this.order[q]!;
        const camera = this.sightings.camera[s]!;
        const pose = this.offset[camera]!;
        const lens = this.lensOffset + 2 * this.cameras[camera]!.lens;
        for (let i = 0; i < 2; i++) {
          const o = s * Bundle.ROW + 12 * i;
          let moved = this.rows[o + 6]! * g[lens]! + this.rows[o + 7]! * g[lens + 1]!;
          if (pose >= 0) for (let k = 0; k < 6; k++) moved += this.rows[o + k]! * g[pose + k]!;
          for (let k = 0; k < 3; k++) back[k] = back[k]! + this.rows[o + 8 + k]! * moved;
        }
      }
      for (let k = 0; k < 3; k++) {
        const d = 12 * p;
        this.points[3 * p + k] =
          this.points[3 * p + k]! +
          deferred[d + 9 + k]! -
          (deferred[d + 3 * k]! * back[0]! + deferred[d + 3 * k + 1]! * back[1]! + deferred[d + 3 * k + 2]! * back[2]!);
      }
    }
    this.cameras.forEach((camera, c) => {
      const o = this.offset[c]!;
      if (o < 0) return;
      const turn = camera.rig ? turned(camera.rig.cameraFromRig, g, o) : g.subarray(o, o + 3);
      const shift = camera.rig ? turned(camera.rig.cameraFromRig, g, o + 3) : g.subarray(o + 3, o + 6);
      camera.rotation = multiply3(rotationFromVector(turn[0]!, turn[1]!, turn[2]!), camera.rotation);
      camera.translation = camera.translation.map((value, k) => value + shift[k]!);
    });
    this.lenses.forEach((lens, k) => {
      if (lens.fixed || this.options.heldLenses?.has(k)) return;
      lens.focal *= Math.exp(Math.max(-0.2, Math.min(0.2, g[this.lensOffset + 2 * k]!)));
      lens.k1 += g[this.lensOffset + 2 * k + 1]!;
    });
  }

  /** @returns a function that brings the present state back */
  snapshot(): () => void {
    const cameras = this.cameras.map(({ rotation, translation }) => ({ rotation, translation }));
    const lenses = this.lenses.map(({ focal, k1 }) => ({ focal, k1 }));
    const points = this.points.slice();
    return () => {
      this.cameras.forEach((camera, k) => Object.assign(camera, cameras[k]));
      this.lenses.forEach((lens, k) => Object.assign(lens, lenses[k]));
      this.points.set(points);
    };
  }
}

/**
 * From derivatives by a camera's pose to those by its rig's. With x = F (R X + t), a turn w of the rig turns the camera
 * by F w and moves it by F t: both triples of columns are multiplied by F.
 */
function turnColumns(row: Float64Array, at: number, F: Float64Array): void {
  for (const first of [at, at + 3]) {
    const [a, b, c] = [row[first]!, row[first + 1]!, row[first + 2]!];
    for (let k = 0; k < 3; k++) row[first + k] = a * F[k]! + b * F[3 + k]! + c * F[6 + k]!;
  }
}

const turned = (F: Float64Array, v: Float64Array, at: number): Float64Array =>
  Float64Array.from([0, 3, 6], (k) => F[k]! * v[at]! + F[k + 1]! * v[at + 1]! + F[k + 2]! * v[at + 2]!);

function invertSymmetric3(m: Float64Array, out: Float64Array): boolean {
  const c0 = m[4]! * m[8]! - m[5]! * m[7]!;
  const c1 = m[5]! * m[6]! - m[3]! * m[8]!;
  const c2 = m[3]! * m[7]! - m[4]! * m[6]!;
  const determinant = m[0]! * c0 + m[1]! * c1 + m[2]! * c2;
  if (!(Math.abs(determinant) > 1e-60)) return false;
  const s = 1 / determinant;
  out[0] = c0 * s;
  out[1] = out[3] = (m[2]! * m[7]! - m[1]! * m[8]!) * s;
  out[2] = out[6] = (m[1]! * m[5]! - m[2]! * m[4]!) * s;
  out[4] = (m[0]! * m[8]! - m[2]! * m[6]!) * s;
  out[5] = out[7] = (m[2]! * m[3]! - m[0]! * m[5]!) * s;
  out[8] = (m[0]! * m[4]! - m[1]! * m[3]!) * s;
  return true;
}

import { multiply3, rotationFromVector } from '../numerics/linear.js';
import { BundleSystem } from './bundle-system.js';
import { addHold, holdCost, type PoseHold } from './pose-prior.js';
import { ELIMINATION_DEFAULTS, type EliminationOptions } from './elimination.js';

/**
 * Intrinsics of one camera model, in units of the photo's long side: shown at (cx, cy) + focal * (x, y) * (1 + k1 r^2 +
 * k2 r^4), with (x, y) normalised and r its length (COLMAP's RADIAL).
 */
export interface Lens {
  focal: number;
  k1: number;
  k2?: number | undefined;
  /** Principal point relative to the photo's centre. */
  cx?: number | undefined;
  cy?: number | undefined;
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
  /** Lenses whose second radial term, and whose principal point, are found too. */
  second?: ReadonlySet<number> | undefined;
  centre?: ReadonlySet<number> | undefined;
  /** Lenses that are left as they are. */
  heldLenses?: ReadonlySet<number> | undefined;
  /** Per camera, a pose that it is drawn to (pose-prior.ts). */
  holds?: readonly (PoseHold | undefined)[] | undefined;
  /** It ends when a step lowers the cost by less than this share. */
  converged?: number | undefined;
  elimination?: EliminationOptions | undefined;
}

/** Standard deviations that keep a free lens sane where the data says nothing. */
const K1_SIGMA = 0.15;
const K2_SIGMA = 0.15;
/**
 * Scale of a principal point's distance from the middle, of the long side, under Cauchy loss: cameras are built to within one
 * per cent, and a crop may be anything. On the sets that were measured a quadratic hold does as well.
 */
const CENTRE_SCALE = 0.05;

/** The numbers of a lens that an adjustment may change. */
export const opticsOf = ({ focal, k1, k2 = 0, cx = 0, cy = 0 }: Lens): [number, number, number, number, number] => [
  focal,
  k1,
  k2,
  cx,
  cy,
];

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
  const r2 = u * u + v * v;
  const { focal, k1, k2 = 0, cx = 0, cy = 0 } = lens;
  const factor = focal * (1 + r2 * (k1 + r2 * k2));
  out[0] = factor * u + cx;
  out[1] = factor * v + cy;
  return true;
}

/** A step that lowers the cost by less than this share is the last. */
const CONVERGED = 1e-7;

/**
 * Bundle adjustment (Triggs et al., 1999): Levenberg-Marquardt on poses, shared lenses and points under Cauchy loss,
 * the points eliminated by a Schur complement of which only the blocks that exist are held (bundle-system.ts). Cameras,
 * lenses and points [n, 3] are changed in place. The same input gives the same bits.
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
    let improved = false;
    for (let attempt = 0; attempt < 6; attempt++) {
      const undo = problem.snapshot();
      const moved = problem.step(damping);
      const next = moved ? problem.cost() : Infinity;
      if (next < cost) {
        improved = cost - next > (options.converged ?? CONVERGED) * cost;
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
  private readonly system: BundleSystem;

  constructor(
    private readonly cameras: PlacedCamera[],
    private readonly lenses: Lens[],
    private readonly points: Float64Array,
    sightings: Sightings,
    private readonly options: BundleOptions,
  ) {
    const { sorted, start } = sortedByPoint(sightings, points.length / 3);
    const nothingFree = !options.refineFocal && !options.refineDistortion;
    const isHeld = (lens: number) => nothingFree || this.isHeld(lens);
    this.system = new BundleSystem(
      cameras,
      lenses,
      points,
      sorted,
      start,
      isHeld,
      options.elimination ?? ELIMINATION_DEFAULTS,
    );
  }

  private isHeld(lens: number): boolean {
    return this.lenses[lens]!.fixed === true || this.options.heldLenses?.has(lens) === true;
  }

  cost(): number {
    const s2 = this.options.scale ** 2;
    this.system.load(this.cameras, this.lenses);
    let sum = this.system.cost(this.options.scale);
    for (const lens of this.lenses) {
      if (lens.prior) sum += s2 * (Math.log(lens.focal / lens.prior.focal) / lens.prior.sigma) ** 2;
      const [, k1, k2, cx, cy] = opticsOf(lens);
      sum += s2 * ((k1 / K1_SIGMA) ** 2 + (k2 / K2_SIGMA) ** 2 + Math.log1p((cx ** 2 + cy ** 2) / CENTRE_SCALE ** 2));
    }
    this.options.holds?.forEach((hold, c) => {
      if (hold) sum += s2 * holdCost(this.cameras[c]!, hold);
    });
    return sum;
  }

  /** Solves the damped normal equations and moves. False when they are singular. */
  step(damping: number): boolean {
    const { scale, refineFocal, refineDistortion, second, centre } = this.options;
    this.system.load(this.cameras, this.lenses);
    const s2 = scale ** 2;
    const g = this.system.step(scale, damping, (add, couple) => {
      this.options.holds?.forEach((hold, c) => {
        const o = this.system.cameraAt[c]!;
        if (hold && o >= 0) addHold(this.cameras[c]!, hold, { at: o, unit: s2, add, couple });
      });
      this.lenses.forEach((lens, k) => {
        const f = this.system.lensAt[k]!;
        if (f < 0) return;
        const [focal, k1, k2, cx, cy] = opticsOf(lens);
        const hold = (column: number, isFree: boolean, sigma: number, deviation: number) =>
          isFree ? add(f + column, s2 / sigma ** 2, deviation) : add(f + column, s2 / 1e-18, 0);
        if (!refineFocal) hold(0, false, 1, 0);
        else if (lens.prior) hold(0, true, lens.prior.sigma, Math.log(focal / lens.prior.focal));
        hold(1, refineDistortion, K1_SIGMA, k1);
        hold(2, second?.has(k) === true, K2_SIGMA, k2);
        const isCentreFree = centre?.has(k) === true;
        const centreSigma = Math.sqrt(CENTRE_SCALE ** 2 + cx ** 2 + cy ** 2);
        hold(3, isCentreFree, centreSigma, cx);
        hold(4, isCentreFree, centreSigma, cy);
        hold(5, false, 1, 0);
      });
    });
    if (!g) return false;
    this.cameras.forEach((camera, c) => {
      const o = this.system.cameraAt[c]!;
      if (o < 0) return;
      const turn = camera.rig ? turned(camera.rig.cameraFromRig, g, o) : g.subarray(o, o + 3);
      const shift = camera.rig ? turned(camera.rig.cameraFromRig, g, o + 3) : g.subarray(o + 3, o + 6);
      camera.rotation = multiply3(rotationFromVector(turn[0]!, turn[1]!, turn[2]!), camera.rotation);
      camera.translation = camera.translation.map((value, k) => value + shift[k]!);
    });
    this.lenses.forEach((lens, k) => {
      const o = this.system.lensAt[k]!;
      if (o < 0) return;
      lens.focal *= Math.exp(Math.max(-0.2, Math.min(0.2, g[o]!)));
      lens.k1 += g[o + 1]!;
      // What is not free moves by less than its last bit.
      if (this.options.second?.has(k)) lens.k2 = (lens.k2 ?? 0) + g[o + 2]!;
      if (!this.options.centre?.has(k)) return;
      lens.cx = (lens.cx ?? 0) + g[o + 3]!;
      lens.cy = (lens.cy ?? 0) + g[o + 4]!;
    });
    return true;
  }

  /** @returns a function that brings the present state back */
  snapshot(): () => void {
    const cameras = this.cameras.map(({ rotation, translation }) => ({ rotation, translation }));
    const lenses = this.lenses.map(({ focal, k1, k2, cx, cy }) => ({ focal, k1, k2, cx, cy }));
    const points = this.points.slice();
    return () => {
      this.cameras.forEach((camera, k) => Object.assign(camera, cameras[k]));
      this.lenses.forEach((lens, k) => Object.assign(lens, lenses[k]));
      this.points.set(points);
    };
  }
}

const turned = (F: Float64Array, v: Float64Array, at: number): Float64Array =>
  Float64Array.from([0, 3, 6], (k) => F[k]! * v[at]! + F[k + 1]! * v[at + 1]! + F[k + 2]! * v[at + 2]!);

/** Sightings of point p are start[p] to start[p + 1]; those of one point keep their order. */
function sortedByPoint({ camera, point, at }: Sightings, points: number): { sorted: Sightings; start: Int32Array } {
  const start = new Int32Array(points + 1);
  for (const p of point) start[p + 1] = start[p + 1]! + 1;
  for (let p = 0; p < points; p++) start[p + 1] = start[p + 1]! + start[p]!;
  const cursor = start.slice();
  const sorted: Sightings = {
    camera: new Int32Array(camera.length),
    point: new Int32Array(camera.length),
    at: new Float64Array(2 * camera.length),
  };
  point.forEach((p, s) => {
    const k = cursor[p]!++;
    sorted.camera[k] = camera[s]!;
    sorted.point[k] = p;
    sorted.at[2 * k] = at[2 * s]!;
    sorted.at[2 * k + 1] = at[2 * s + 1]!;
  });
  return { sorted, start };
}

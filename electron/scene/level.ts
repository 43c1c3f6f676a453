import type { Camera, PhotoId } from '../geometry/types.js';
import { median } from '../numerics/median.js';
import { eigenSymmetric3 } from '../numerics/eigen.js';

/** Surface points with normals, spread evenly over the photos, in the world of the cameras. */
export interface SurfaceSamples {
  /** [n, 3] */
  positions: Float64Array;
  /** [n, 3], unit, towards the camera. */
  normals: Float64Array;
}

export interface LevelOptions {
  /** Degrees that a hand rolls a camera by: the least that the photos' own spread is taken for. */
  rollDegrees: number;
  /** Horizontal axes of the cameras that differ by less leave the pitch open. */
  openDegrees: number;
  /** Of a set whose photos all look the same way: spread of the cameras along the pictures' up, over the depth. */
  climb: number;
  /** Mean square, in a second direction, of the vertical axes of photos that are taken for quarter-turned. */
  quarterSpan: number;
  /** Degrees by which gimbals that know their angles may disagree. */
  gimbalDegrees: number;
  /** Degrees: an up found from cameras is believed to be this near, where surfaces look for a better one. */
  windowDegrees: number;
}

export const LEVEL_DEFAULTS: LevelOptions = {
  rollDegrees: 0.3,
  openDegrees: 10,
  climb: 0.5,
  quarterSpan: 0.15,
  gimbalDegrees: 8,
  windowDegrees: 15,
};

export interface Level {
  /** Unit vector. */
  up: Float64Array;
  /** Whether the photos look straight down, as those of a surveying drone. */
  nadir: boolean;
}

const DEGREE = Math.PI / 180;
type Vectors = readonly Float64Array[];

const column = ({ worldFromCamera: M }: Camera, k: number): Float64Array =>
  Float64Array.of(M[k]!, M[4 + k]!, M[8 + k]!);
export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
export const scaled = (a: ArrayLike<number>, s: number): Float64Array =>
  Float64Array.of(a[0]! * s, a[1]! * s, a[2]! * s);
export const unit = (a: ArrayLike<number>): Float64Array => scaled(a, 1 / (Math.hypot(a[0]!, a[1]!, a[2]!) || 1));
export const cross = (a: ArrayLike<number>, b: ArrayLike<number>): Float64Array =>
  Float64Array.of(a[1]! * b[2]! - a[2]! * b[1]!, a[2]! * b[0]! - a[0]! * b[2]!, a[0]! * b[1]! - a[1]! * b[0]!);
const mean = (vectors: Vectors): Float64Array => {
  const sum = new Float64Array(3);
  for (const v of vectors) for (let i = 0; i < 3; i++) sum[i]! += v[i]! / vectors.length;
  return sum;
};

/**
 * Which way is up. People tilt a camera but seldom roll it: up is square to the cameras' horizontal axes. Where these
 * are all parallel the pitch stays open, and the pictures' own up decides, unless the photos look straight down (a
 * drone's grid): then the cameras spread over their picture plane as no walker's do, or their pictures are turned
 * against each other. Walls, which are plumb, and floors then refine it: their normals are square to up or along it.
 */
export function automaticUp(
  cameras: readonly Camera[],
  samples: SurfaceSamples,
  depth: number,
  options: Partial<LevelOptions> = {},
  gimbals: GimbalUps = new Map(),
): Level {
  const settings = { ...LEVEL_DEFAULTS, ...options };
  const [right, down, forward] = [0, 1, 2].map((k) => cameras.map((camera) => column(camera, k))) as unknown as [
    Vectors,
    Vectors,
    Vectors,
  ];
  const own = scaled(mean(down), -1);
  const back = scaled(mean(forward), -1);
  const told = gimbalUp(cameras, gimbals, settings.gimbalDegrees);
  if (told) {
    const information = new Float64Array(9);
    addToward(information, told, 1 * DEGREE);
    const up = withSurfaces(told, information, samples, settings);
    return { up, nadir: dot(unit(back), up) > Math.cos(20 * DEGREE) && Math.hypot(...back) > 0.95 };
  }
  const open = axesAreParallel(right, settings.openDegrees);
  const axis = quarterTurned(right, down, back, settings.quarterSpan);
  if (axis) {
    const information = sumOfSquares(down, Math.max(settings.rollDegrees, 1) * DEGREE);
    return { up: withSurfaces(axis, information, samples, settings), nadir: false };
  }
  if (open && looksDown(cameras, right, own, back, depth, settings)) {
    const start = unit(back);
    const information = sumOfSquares(right, settings.rollDegrees * DEGREE);
    // The gimbal's error is one for all photos: more of them make it no smaller.
    addToward(information, start, 1.5 * DEGREE);
    return { up: withSurfaces(start, information, samples, settings), nadir: true };
  }
  const start = squareTo(right, own, back);
  const roll = Math.max(settings.rollDegrees * DEGREE, spread(right.map((axis) => Math.abs(dot(axis, start)))));
  const information = sumOfSquares(right, roll);
  addToward(information, start, (open ? 3 : 20) * DEGREE);
  const up = withSurfaces(start, information, samples, settings);
  return { up, nadir: dot(unit(back), up) > Math.cos(20 * DEGREE) && Math.hypot(...back) > 0.95 };
}

/** Up in a photo's camera frame, from what its gimbal recorded. */
export type GimbalUps = ReadonlyMap<PhotoId, Float64Array>;

/** From angles in the local north-east-down frame; see CameraOrientation. */
export function upOfGimbal({ pitch, roll }: { pitch: number; roll: number }): Float64Array {
  const [p, r] = [pitch * DEGREE, roll * DEGREE];
  return Float64Array.of(-Math.sin(r) * Math.cos(p), -Math.cos(r) * Math.cos(p), Math.sin(p));
}

/** Where at least half of the cameras know, and agree. */
function gimbalUp(cameras: readonly Camera[], gimbals: GimbalUps, degrees: number): Float64Array | undefined {
  const ups = cameras.flatMap((camera) => {
    const own = gimbals.get(camera.photo);
    if (!own) return [];
    const [x, y, z] = [0, 1, 2].map((k) => column(camera, k)) as [Float64Array, Float64Array, Float64Array];
    return [x.map((value, i) => value * own[0]! + y[i]! * own[1]! + z[i]! * own[2]!)];
  });
  if (ups.length === 0 || ups.length < cameras.length / 2) return undefined;
  const up = unit(mean(ups));
  const off = ups.map((each) => Math.acos(Math.min(1, dot(each, up))) / DEGREE);
  return median(off)! < degrees ? up : undefined;
}

/**
 * Photos that are turned by a quarter without saying so, taken around something: it is their vertical axes that lie in
 * one plane, and their horizontal ones don't.
 */
function quarterTurned(right: Vectors, down: Vectors, back: Float64Array, span: number): Float64Array | undefined {
  const [x, y] = [secondMoments(right), secondMoments(down)];
  if (y.values[1]! < span || y.values[0]! > 0.3 * x.values[0]!) return undefined;
  // Things are looked at from above more often than from below.
  const axis = y.vectors[0]!;
  return dot(axis, back) < 0 ? scaled(axis, -1) : axis;
}

function secondMoments(axes: Vectors): ReturnType<typeof eigenSymmetric3> {
  const A = new Float64Array(9);
  for (const axis of axes) addSquare(A, axis, 1 / axes.length);
  return eigenSymmetric3(A);
}

/** Least eigenvector of the sum of squares, towards the pictures' own up; ties are broken by looking down. */
function squareTo(right: Vectors, own: Float64Array, back: Float64Array): Float64Array {
  let weights = right.map(() => 1);
  let up: Float64Array = new Float64Array(3);
  for (let round = 0; round < 6; round++) {
    const A = new Float64Array(9);
    let total = 0;
    right.forEach((axis, k) => {
      total += weights[k]!;
      for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) A[3 * i + j]! += weights[k]! * axis[i]! * axis[j]!;
    });
    // minimise sum w (x . u)^2 + p |u - own|^2: the second term matters only where the axes are nearly parallel.
    const p = 0.02 * total;
    const { vectors, values } = eigenSymmetric3(A);
    const least = vectors[0]!;
    const sign = dot(least, own) + 0.2 * dot(least, back) < 0 ? -1 : 1;
    const next = new Float64Array(3);
    for (let e = 0; e < 3; e++) {
      const toward = e === 0 ? Math.max(0.2, Math.abs(dot(least, own))) * sign : dot(vectors[e]!, own);
      for (let i = 0; i < 3; i++) next[i]! += ((p * toward) / (values[e]! + p)) * vectors[e]![i]!;
    }
    up = unit(next);
    const off = right.map((axis) => Math.abs(dot(axis, up)));
    const scale = Math.max(1 * DEGREE, 2 * spread(off));
    weights = off.map((value) => 1 / (1 + (value / scale) ** 2));
  }
  return up;
}

/** 1.48 times the median: a standard deviation that few outliers don't move. */
const spread = (values: readonly number[]): number => 1.48 * (median(values) ?? 0);

const axesAreParallel = (right: Vectors, degrees: number): boolean =>
  secondMoments(right).values[1]! < Math.sin(degrees * DEGREE) ** 2;

/**
 * Of photos that all look one way with parallel horizontal axes: down at the ground, or straight at a wall? Strips flown
 * to and fro turn the picture's up over; and cameras that rise by half the distance to what they look at, without
 * tilting, are carried by no hand.
 */
function looksDown(
  cameras: readonly Camera[],
  right: Vectors,
  own: Float64Array,
  back: Float64Array,
  depth: number,
  { openDegrees, climb }: LevelOptions,
): boolean {
  if (cameras.length < 3 || Math.hypot(...back) < Math.cos(openDegrees * DEGREE)) return false;
  if (Math.hypot(...own) < 0.5) return true;
  const axis = unit(own);
  const heights = cameras.map(({ worldFromCamera: M }) => M[3]! * axis[0]! + M[7]! * axis[1]! + M[11]! * axis[2]!);
  heights.sort((a, b) => a - b);
  const at = (share: number): number => heights[Math.round(share * (heights.length - 1))]!;
  return at(0.9) - at(0.1) > climb * depth;
}

function sumOfSquares(axes: Vectors, sigma: number): Float64Array {
  const A = new Float64Array(9);
  for (const axis of axes) addSquare(A, axis, 1 / sigma ** 2);
  return A;
}

function addSquare(A: Float64Array, v: ArrayLike<number>, weight: number): void {
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) A[3 * i + j]! += weight * v[i]! * v[j]!;
}

/** |u x start|^2: the part of u that is square to a direction. */
function addToward(A: Float64Array, start: Float64Array, sigma: number): void {
  const weight = 1 / sigma ** 2;
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) A[3 * i + j]! += weight * ((i === j ? 1 : 0) - start[i]! * start[j]!);
}

/**
 * Weights of the surfaces beside the cameras. A wall over all samples counts as this many measurements of its normal,
 * each so many radians off; floors count a third, since ground slopes.
 */
const SURFACES = { measurements: 100, sigma: 3 * DEGREE, floors: 0.3, peak: 2 * DEGREE };

/** The up that minimises what cameras and surfaces say of it, from a start that is some degrees off at most. */
function withSurfaces(
  start: Float64Array,
  cameras: Float64Array,
  { normals }: SurfaceSamples,
  { windowDegrees }: LevelOptions,
): Float64Array {
  const count = normals.length / 3;
  let up = start;
  if (count === 0) return eigenUp(cameras, start);
  for (let round = 0; round < 8; round++) {
    const window = Math.max(4, windowDegrees / (1 + round)) * DEGREE;
    const A = cameras.slice();
    const each = SURFACES.measurements / (count * SURFACES.sigma ** 2);
    for (let k = 0; k < count; k++) {
      const n = normals.subarray(3 * k, 3 * k + 3);
      const along = dot(n, up);
      if (Math.abs(along) < Math.sin(window)) {
        addSquare(A, n, each / (1 + (along / SURFACES.peak) ** 2));
      } else if (along > Math.cos(window)) {
        const off = Math.sqrt(Math.max(0, 1 - along * along));
        const weight = (SURFACES.floors * each) / (1 + (off / SURFACES.peak) ** 2);
        for (let i = 0; i < 3; i++)
          for (let j = 0; j < 3; j++) A[3 * i + j]! += weight * ((i === j ? 1 : 0) - n[i]! * n[j]!);
      }
    }
    up = eigenUp(A, up);
  }
  return up;
}

function eigenUp(A: Float64Array, toward: Float64Array): Float64Array {
  const least = eigenSymmetric3(A).vectors[0]!;
  return unit(scaled(least, dot(least, toward) < 0 ? -1 : 1));
}

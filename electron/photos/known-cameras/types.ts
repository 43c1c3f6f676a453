import type { Intrinsics } from '../../geometry/types.js';
import type { Projection } from '../../geometry/projection.js';

/** Distortion as in OpenCV. */
export interface KnownIntrinsics extends Intrinsics {
  /** Undefined for Brown's model; the terms of a fisheye are k1 to k4, a picture of 360 degrees has none. */
  kind?: 'fisheye' | 'equirectangular' | undefined;
  /** Brown's terms, in units of the normalised image plane; 0 where the file has none. */
  k1: number;
  k2: number;
  k3: number;
  p1: number;
  p2: number;
  k4?: number | undefined;
}

/** What a file says of one photo's camera. */
export interface KnownCamera {
  /** As the file names it; may hold folders. */
  name: string;
  intrinsics?: KnownIntrinsics;
  /** Row-major 4x4; camera frame x right, y down, z forward. */
  worldFromCamera?: Float64Array;
  /** [3], where the file knows positions only. */
  position?: Float64Array;
}

/** Cameras of one file, all in one world of unknown scale, and what had to be decided while reading, a line each. */
export interface KnownCameraFile {
  /** Of the format, for the log. */
  format: string;
  cameras: KnownCamera[];
  notes: string[];
}

/** The same as a projection (geometry/projection.ts). */
export function projectionOf({ kind, k4 = 0, p1, p2, ...rest }: KnownIntrinsics): Projection {
  const { width, height } = rest;
  if (kind === 'equirectangular') return { kind, width, height };
  return kind === 'fisheye' ? { ...rest, kind, k4 } : { ...rest, kind: 'brown', p1, p2 };
}

export const NO_DISTORTION = { k1: 0, k2: 0, k3: 0, p1: 0, p2: 0 } as const;

/** A finite number, else undefined. */
export function numeric(value: unknown): number | undefined {
  const result = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof result === 'number' && Number.isFinite(result) ? result : undefined;
}

/** A row-major 4x4 of finite numbers whose 3x3 part is a rotation, perhaps scaled; else undefined. */
export function rigidMatrix(values: readonly unknown[]): Float64Array | undefined {
  const matrix = values.map(numeric);
  if (matrix.length !== 16 || matrix.some((value) => value === undefined)) return undefined;
  const m = Float64Array.from(matrix as number[]);
  const determinant =
    m[0]! * (m[5]! * m[10]! - m[6]! * m[9]!) -
    m[1]! * (m[4]! * m[10]! - m[6]! * m[8]!) +
    m[2]! * (m[4]! * m[9]! - m[5]! * m[8]!);
  if (!(determinant > 0)) return undefined;
  const cube = Math.cbrt(determinant);
  // A camera that is fixed stays what it is, to the bit.
  const scale = Math.abs(cube - 1) < 1e-4 ? 1 : cube;
  for (const row of [0, 4, 8]) {
    for (let k = 0; k < 3; k++) m[row + k] = m[row + k]! / scale;
    const length = Math.hypot(m[row]!, m[row + 1]!, m[row + 2]!);
    if (Math.abs(length - 1) > 1e-3) return undefined;
  }
  return m;
}

/** From a camera frame that looks along -z with y up (OpenGL, Blender, Bundler) to ours. */
export function fromOpenGl(worldFromCamera: Float64Array): Float64Array {
  return worldFromCamera.map((value, k) => (k < 12 && (k % 4 === 1 || k % 4 === 2) ? -value : value));
}

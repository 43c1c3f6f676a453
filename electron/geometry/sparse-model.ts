import type { Rejection } from './stage.js';
import type { PhotoId } from './types.js';

/**
 * The result of the sparse stage: cameras, lenses, points with their tracks, and the pairs of photos that hold.
 * Positions inside a photo are in long sides relative to the photo's centre (x right, y down; a pixel's centre is at
 * integer coordinates, the photo's centre at ((width - 1) / 2, (height - 1) / 2)); multiply by max(width, height) for
 * pixels. World frames differ from piece to piece, and so do their arbitrary scales.
 */
export interface SparseModel {
  /** Parallel to the photos that the stage was given. */
  cameras: SparseCamera[];
  lenses: SparseLens[];
  points: SparsePoints;
  /** Pairs whose two-view geometry was verified, indices into `cameras`. */
  pairs: SparsePair[];
  /** The other pairs, and why each was turned down. */
  rejected: Rejection[];
  /** What is likely wrong with the result or not known, and what to do about it: one line each for people. */
  warnings: string[];
}

/** A model that is still growing, as far as it can be drawn. */
export interface SparseLook {
  cameras: Pick<SparseCamera, 'photo' | 'lens' | 'pose'>[];
  lenses: Pick<SparseLens, 'focal' | 'k1' | 'k2' | 'cx' | 'cy'>[];
  points: Pick<SparsePoints, 'positions' | 'piece' | 'offsets' | 'trackCamera' | 'trackAt'>;
}

export interface SparseCamera {
  photo: PhotoId;
  /** Index into `SparseModel.lenses`. */
  lens: number;
  /** [n, 2] positions of the features found in the photo, distorted as in the photo. */
  features: Float32Array;
  /** Undefined for a photo that could not be placed. */
  pose?: SparsePose | undefined;
  /** Why it was not placed, one line for people. */
  reason?: string | undefined;
  /** Placed, but by few points: its pose deserves less trust. */
  weak?: boolean | undefined;
}

export interface SparsePose {
  /** Cameras with the same number see common points and share one world; 0 is the largest piece. */
  piece: number;
  /** Row-major 3x3 and [3]: camera from world. */
  rotation: Float64Array;
  translation: Float64Array;
}

/** Intrinsics that a group of photos shares: focal over the long side, radial terms as in COLMAP's RADIAL. */
export interface SparseLens {
  /** What the photos have in common that share it. */
  key: string;
  focal: number;
  k1: number;
  k2?: number | undefined;
  /** Principal point relative to the photo's centre, in long sides; the centre where absent. */
  cx?: number | undefined;
  cy?: number | undefined;
  /** The focal that its pairs were related with, before the cameras were placed. */
  related: number;
  /** True where neither the photos nor their overlap tell the focal (two photos, one of them): it is assumed. */
  assumed?: boolean | undefined;
  /** Where the photos are a fisheye's, which focal and radial terms can't tell: what it is, and they should be straightened by. */
  fisheye?: FisheyeTerms | undefined;
  /** Standard deviation of `focal`, where known. */
  focalSigma?: number | undefined;
}

/**
 * A fisheye: a ray at the angle t to the axis is seen at the radius focal t (1 + k1 t^2 + k2 t^4) round the principal point,
 * which lies at (cx, cy) from the photo's centre; long sides.
 */
export interface FisheyeTerms {
  focal: number;
  k1: number;
  k2: number;
  cx: number;
  cy: number;
}

/** N points as arrays; the sightings of point i are entries offsets[i] to offsets[i + 1] of the track arrays. */
export interface SparsePoints {
  /** [N, 3] in the world of its piece. */
  positions: Float64Array;
  /** [N] */
  piece: Uint16Array;
  /** [N + 1] */
  offsets: Uint32Array;
  /** Index into `SparseModel.cameras`, per sighting. */
  trackCamera: Uint32Array;
  /** Index of the feature in its photo, per sighting. */
  trackFeature: Uint32Array;
  /** [sightings, 2], long sides relative to the photo's centre, distorted as in the photo. */
  trackAt: Float32Array;
  /** [N] mean reprojection error, long sides. */
  error: Float32Array;
}

export interface SparsePair {
  a: number;
  b: number;
  /** Row-major 3x3 and [3], unit length: camera b from camera a, as the pair alone tells. */
  rotation: Float64Array;
  translation: Float64Array;
  inliers: number;
  /** Median angle between the rays of its points, degrees. */
  parallax: number;
  /** Share of its matches that a rotation alone explains, 0 to 1. */
  rotationShare: number;
  /** [inliers, 2] feature indices. */
  matches: Uint32Array;
}

/** A model in which nothing was found. */
export function emptySparseModel(photos: readonly PhotoId[]): SparseModel {
  return {
    cameras: photos.map((photo) => ({ photo, lens: 0, features: new Float32Array(0) })),
    lenses: [],
    warnings: [],
    points: {
      positions: new Float64Array(0),
      piece: new Uint16Array(0),
      offsets: new Uint32Array(1),
      trackCamera: new Uint32Array(0),
      trackFeature: new Uint32Array(0),
      trackAt: new Float32Array(0),
      error: new Float32Array(0),
    },
    pairs: [],
    rejected: [],
  };
}

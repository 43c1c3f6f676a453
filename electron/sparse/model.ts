import type { PhotoId } from '../geometry/types.js';

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
}

export interface SparseCamera {
  photo: PhotoId;
  /** Index into `SparseModel.lenses`. */
  lens: number;
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
  focal: number;
  k1: number;
  k2?: number | undefined;
  /** True where neither the photos nor their overlap tell the focal (two photos, one of them): it is assumed. */
  assumed?: boolean | undefined;
  /** Standard deviation of `focal`, where known. */
  focalSigma?: number | undefined;
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
  /** [inliers, 2] feature indices. */
  matches: Uint32Array;
}

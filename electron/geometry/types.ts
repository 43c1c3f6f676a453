import type { Projection } from './projection.js';
import type { SparseModel } from './sparse-model.js';

/**
 * The values that flow through the studio: photo files -> Photo -> View -> Pair -> Observation -> Scene -> files.
 *
 * Frames: a camera looks along +z, x right, y down. A pixel's centre is at integer coordinates inside a photo or view.
 * Matrices are row-major Float64Array; poses are named target-from-source (`worldFromCamera`).
 */

/**
 * SHA-256 of a photo file's bytes, lower-case hex. Identifies a photo everywhere; two copies of one file are one photo.
 */
export type PhotoId = string;

/** Where a focal length came from; always shown beside the number. */
export type FocalSource =
  | 'user' // typed in by the user, in pixels of the original photo
  | 'exif-35mm' // FocalLengthIn35mmFilm
  | 'exif-sensor' // FocalLength with a known sensor size
  | 'calibrated' // found by consensus over the pairs of the set
  | 'aligned' // estimated by global alignment
  | 'default'; // nothing known: a prior of 1.2 x the long side

export interface Focal {
  /** Pixels of the original (oriented) photo. */
  pixels: number;
  source: FocalSource;
}

/** WGS 84; altitude in metres above the ellipsoid or the sea, as the receiver has it; accuracy in metres. */
export interface GeoPosition {
  latitude: number;
  longitude: number;
  altitude?: number;
  accuracy?: number;
}

/** Where a gimbal pointed the camera: degrees in the local north-east-down frame; pitch -90 looks straight down. */
export interface CameraOrientation {
  yaw: number;
  pitch: number;
  roll: number;
}

/** A frame that was taken out of a video. */
export interface VideoFrame {
  /** File name of the video. */
  video: string;
  /** SHA-256 of the video file, lower-case hex. */
  videoId: string;
  /** Seconds from its start. */
  seconds: number;
}

/**
 * A pinhole view that was cut out of a picture which no pinhole camera shows whole (fisheye, 360 degrees) or whose known
 * lens has more terms than one radial one. Faces of one picture share its position: a rig with known rotations.
 */
export interface PhotoFace {
  /** File name of the picture, its absolute path, and SHA-256 of its bytes. */
  picture: string;
  path: string;
  pictureId: string;
  /** Of the picture's camera. */
  projection: Projection;
  /** Pixels of the face; its principal point is its centre. */
  focal: number;
  /** Row-major 3x3: from the picture's camera frame to the face's. */
  faceFromPicture: number[];
}

/** Which pixels of a photo may be used: a picture beside it. */
export interface MaskReference {
  /** Absolute path. */
  path: string;
  /** What of that file is the mask: its brightness, or the transparency of the photo itself. */
  channel: 'brightness' | 'alpha';
  /** SHA-256 of its bytes and of how they are read; part of every key of what is computed from masked pixels. */
  id: string;
  /** True where white marks what is to be left out; white marks what is kept otherwise. */
  inverted: boolean;
}

/** What was known of a photo's camera before the run, and what it is good for. */
export interface KnownPhotoCamera {
  /**
   * `fixed`: taken as it is; `prior`: the world's frame and scale, where the photos tell little also the pose, and where the
   * search for the lens begins; `intrinsics`: the lens alone.
   */
  use: 'fixed' | 'prior' | 'intrinsics';
  /** Pixels of the original photo, OpenCV's radial terms; taken as exact but for a prior. */
  lens?: { focal: number; k1: number; k2: number };
  /** Row-major 4x4. */
  worldFromCamera?: number[];
  /** [3], where positions only are known. */
  position?: number[];
  /** Of a prior, 1 by default: right to a degree and one per cent of the cameras' spread (sparse/pose-prior.ts). */
  weight?: number;
}

/** A photo as referenced by a project: never copied, never changed. Sizes are after EXIF orientation is applied. */
export interface Photo {
  id: PhotoId;
  /** Absolute path at the time of import. */
  path: string;
  /** File name, unique within a project (used as the camera's name in exports). */
  name: string;
  width: number;
  height: number;
  /** Bytes. */
  size: number;
  /** From EXIF or the user; undefined when nothing is known. */
  focal?: Focal;
  /** Make and model, used to share intrinsics between photos of one camera (same camera, same size). */
  camera?: string;
  /** ISO 8601, from EXIF. */
  takenAt?: string;
  /** 0 (blurred) to 1 (sharp). */
  sharpness: number;
  /** Brightness in coarse cells (photos/duplicates.ts): the same for copies of one picture. */
  look?: string;
  /** Lens model, from EXIF. */
  lens?: string;
  /** From GPS tags. */
  position?: GeoPosition;
  /** From a drone's gimbal. */
  orientation?: CameraOrientation;
  /** Set when the photo is a frame of a video. */
  frame?: VideoFrame;
  /** Set when the photo is a view of a wide picture. */
  face?: PhotoFace;
  mask?: MaskReference;
  known?: KnownPhotoCamera;
}

/**
 * From view pixels to pixels of the original photo.
 *
 * original = offset + scale * undistorted view pixel. When `radial` is set the view was resampled without lens
 * distortion: with (x, y) = (offset + scale * p - centre) / focal and r^2 = x^2 + y^2,
 * original = centre + focal * (x, y) * (1 + k1 r^2 + k2 r^4)  (COLMAP's RADIAL), where the centre is the principal point.
 */
export interface OriginalFromView {
  scaleX: number;
  scaleY: number;
  offsetX: number;
  offsetY: number;
  /** All in pixels of the original photo, k1 and k2 dimensionless. */
  radial?: { focal: number; centreX: number; centreY: number; k1: number; k2?: number };
}

/**
 * A photo as an estimator sees it: oriented, resized, cropped, perhaps undistorted, and the map back to the original.
 */
export interface View {
  photo: PhotoId;
  width: number;
  height: number;
  /** sRGB [height, width, 3]. */
  pixels: Uint8Array;
  originalFromView: OriginalFromView;
}

/**
 * Two photos to look at together, as indices into the photo list. Unordered unless an estimator says otherwise; a !==
 * b, except for one photo alone.
 */
export interface Pair {
  a: number;
  b: number;
}

/** One view's part in an observation. */
export interface ObservedView {
  photo: PhotoId;
  width: number;
  height: number;
  originalFromView: OriginalFromView;
  /**
   * [height, width, 3], in the frame of the observation's first view, unknown scale. Unreliable pixels hold any finite
   * value.
   */
  points: Float32Array;
  /** [height, width], at least 1; 1 means "no information" (log weight 0). */
  confidence: Float32Array;
  /** [height, width], 1 where the surface was not measured but completed from what lies around it, or said by a network alone; none without. */
  inferred?: Uint8Array;
  /** [height, width], 1 where the photo shows the sky, wholly or in part: no depth, and nothing before the sky; none where nobody looked. */
  sky?: Uint8Array;
}

/**
 * What an estimator says of two or more views: a pointmap and a confidence for each, all in one frame (the camera of
 * the first view), at one unknown scale. A pair is an observation of two views.
 */
export interface Observation {
  views: ObservedView[];
  /**
   * What the estimator knows about the intrinsics, in view pixels, one entry per view, when it calibrated the views
   * itself; alignment takes it as a prior. Undefined entries: unknown.
   */
  focal?: (number | undefined)[];
  /**
   * cameraFromFirst [16] per view, same unit as the points, when the estimator solved for it; a start value for
   * alignment.
   */
  firstFromCamera?: (Float64Array | undefined)[];
}

/** Of a picture of width x height, in its pixels; a pixel's centre is at integers. */
export interface Intrinsics {
  width: number;
  height: number;
  fx: number;
  fy: number;
  cx: number;
  cy: number;
}

/** A camera placed in the world; intrinsics in pixels of the original photo. */
export interface Camera extends Intrinsics {
  photo: PhotoId;
  name: string;
  /** Radial terms as in COLMAP's RADIAL, 0 when the view was not undistorted. */
  k1: number;
  k2?: number | undefined;
  focalSource: FocalSource;
  /** Row-major 4x4. */
  worldFromCamera: Float64Array;
  /** Of a view of a wide picture, in scenes that are exported. */
  face?: PhotoFace | undefined;
}

/** Depth along z in world units, on the pixels of a view. */
export interface DepthMap {
  photo: PhotoId;
  width: number;
  height: number;
  /** [height, width]; 0 where nothing is known. */
  depth: Float32Array;
  /** [height, width], at least 1. */
  confidence: Float32Array;
  /** [height, width], 1 where the surface was not measured but completed from what lies around it, or said by a network alone; none without. */
  inferred?: Uint8Array;
  /** [height, width], 1 where the photo shows the sky, wholly or in part: no depth, and nothing before the sky; none where nobody looked. */
  sky?: Uint8Array;
  originalFromView: OriginalFromView;
  /** Focal and principal point in view pixels. */
  focal: number;
  centreX: number;
  centreY: number;
}

/** Struct of arrays, N points. */
export interface PointCloud {
  /** [N, 3] world. */
  positions: Float32Array;
  /** [N, 3] sRGB. */
  colors: Uint8Array;
  /** [N, 3] unit vectors towards the camera side of the surface. */
  normals?: Float32Array;
  /** [N] */
  confidence: Float32Array;
  /** [N] index into Scene.cameras of the photo that gave the point. */
  source: Uint16Array;
  /** [N] pixel of that photo's depth map, in reading order: what deletions name a point by. */
  pixel?: Uint32Array;
  /** [N], 1 for points of surfaces that were completed, not measured. */
  inferred?: Uint8Array;
}

/**
 * A cloud photo by photo. The points of a photo are made when they are asked for, the same each time: never all lie in
 * memory.
 */
export interface CloudParts {
  /** Number of parts, one for each camera. */
  length: number;
  /** Points of each; unknown where some were taken away, see `pointCount` in cloud.ts. */
  counts?: readonly number[] | undefined;
  /** Points of all together, or a few more. */
  about: number;
  part(index: number): PointCloud;
}

export interface WholeCloud extends CloudParts {
  /** Of each square of so many pixels of a depth map, the scene's `cloud` has the first pixel that gives a point. */
  cell: number;
}

/** Red, green and blue factors, on linear light, that bring a photo to the light that all photos share. */
export type LightGain = readonly [number, number, number];

/** One aligned component. */
export interface Scene {
  cameras: Camera[];
  /** Parallel to cameras. */
  depthMaps: DepthMap[];
  /** Parallel to cameras: what brings each photo to the light that all share; undefined where nobody looked. */
  light?: readonly LightGain[] | undefined;
  cloud: PointCloud;
  /** All points where they are too many to be held: `cloud` is then an even part of them, for looking and sampling. */
  whole?: WholeCloud | undefined;
  /**
   * Points and tracks of the bundle adjustment that placed the cameras, where one did: `cameras` parallel to those of
   * the scene, positions and poses in the scene's world, one piece (0).
   */
  sparse?: SparseModel | undefined;
}

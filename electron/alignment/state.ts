import type { Similarity } from '../geometry/similarity.js';

/** Everything but the depths, which have a closed form given the rest. */
export interface AlignmentState {
  /** Per view: worldFromCamera (scale 1); undefined for views outside the component. */
  cameras: (Similarity | undefined)[];
  /** Per view, view pixels. */
  focal: Float64Array;
  /** Per observation: worldFromObservation. */
  observations: (Similarity | undefined)[];
}

/** A pose that a camera is softly held to. */
export interface PosePrior {
  worldFromCamera: Similarity;
  /** What is to be expected: radians, and world units of the camera's centre. */
  turn: number;
  shift: number;
  /** Of half the squared deviation, in units of the objective. */
  weight: number;
}

/** A focal that is expected, and how strongly. */
export interface FocalPrior {
  /** View pixels. */
  focal: number;
  /** Of the focal, that it may be off by. */
  share: number;
  /** Of half the squared deviation, in units of the objective. */
  weight: number;
}

/** What may move. */
export interface Freedom {
  camera: boolean[];
  focal: boolean[];
  /** All free focals are one. */
  sharedFocal: boolean;
  rough: (PosePrior | undefined)[];
  focals: (FocalPrior | undefined)[];
  /** Held poses give the scene its scale; otherwise the geometric mean of the observations' scales is held. */
  scaled: boolean;
}

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

/** What may move. */
export interface Freedom {
  camera: boolean[];
  focal: boolean[];
  /** All free focals are one. */
  sharedFocal: boolean;
  /** worldFromCamera that a view is softly held to. */
  rough: (Similarity | undefined)[];
}

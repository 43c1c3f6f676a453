import type { ObservationDigest } from '../geometry/digest.js';
import type { Observation, PhotoId } from '../geometry/types.js';
import type { SparsePrior } from './sparse-prior.js';

/** A photo as alignment sees it: the size of its view. All observations of a photo share that size. */
export interface AlignmentView {
  photo: PhotoId;
  width: number;
  height: number;
}

/** What is known beforehand about a view; everything in view pixels and world units. More knowledge never hurts. */
export interface ViewConstraint {
  /** Held fixed. */
  focal?: number;
  /** What a focal that is not given is started from and softly held to, and the share that it may be off by. */
  expectedFocal?: { focal: number; share: number };
  /** Held fixed; the view's centre (W/2, H/2) otherwise. */
  principalPoint?: [number, number];
  /**
   * [16] worldFromCamera. `fixed` holds it, `rough` makes it a soft prior, with what it is expected to be off by:
   * radians, and world units (0.1, and a tenth of the typical depth). Two poses in different places give the result its
   * scale.
   */
  pose?: { worldFromCamera: Float64Array; kind: 'fixed' | 'rough'; expected?: { turn: number; shift: number } };
}

/** An observation by reference: what is kept at hand, and the stored pointmaps (geometry/view-record.ts). */
export interface StoredObservation {
  digest: ObservationDigest;
  /** The record of one view; undefined when it is missing. */
  record(role: number): Uint8Array | undefined;
}

export interface AlignmentProblem<Held = Observation> {
  views: AlignmentView[];
  observations: Held[];
  constraints?: (ViewConstraint | undefined)[];
  /** One focal for all views (they must then have one size). */
  sharedFocal?: boolean;
  /**
   * Cameras and points of the bundle adjustment, parallel to the views. Where they are known they are final: the
   * pointmaps get no more than a scale.
   */
  sparse?: SparsePrior | undefined;
  /** Start from an earlier solution: [16] per view, or undefined for new views. */
  initial?: ({ worldFromCamera: Float64Array; focal: number } | undefined)[];
}

export interface AlignmentOptions {
  signal?: AbortSignal;
  /** Called after every step. */
  onStep?: (step: { iteration: number; objective: number; level: string }) => void;
  threads?: number;
  /** Bytes that pointmaps may take while depths are found; a third of the machine's when not given. */
  memory?: number;
}

/** One connected component, in its own world (first view = identity unless constrained). */
export interface AlignedComponent {
  /** Indices into AlignmentProblem.views. */
  views: number[];
  /** Parallel to views. */
  worldFromCamera: Float64Array[];
  focal: Float64Array;
  principalPoint: [number, number][];
  /** Parallel to views: [H, W] depth along z, and the confidence that fusion should use (at least 1). */
  depth: Float32Array[];
  confidence: Float32Array[];
  /** Parallel to views: [H, W], 1 where the depth was inferred and not measured; none where all was measured. */
  inferred: (Uint8Array | undefined)[];
  /** Parallel to views: [H, W], 1 where the sky is seen; none where nobody looked. */
  sky: (Uint8Array | undefined)[];
  objective: number;
}

export interface ObservationReport {
  index: number;
  /** Weighted median distance relative to depth. */
  residual: number;
  /** Left out because it contradicts the rest. */
  rejected: boolean;
}

export interface AlignmentResult {
  /** Largest first. */
  components: AlignedComponent[];
  /** Views in no observation that could be used. */
  unplaced: number[];
  observations: ObservationReport[];
  /** Per view, as in ObservationReport. */
  viewResidual: Float64Array;
  /** Lines for the user: poses that the data hardly holds, and so on. */
  warnings: string[];
  objective: number;
  objectiveInitial: number;
  iterations: number;
  seconds: number;
}

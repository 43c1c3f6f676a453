import type { Observation, Pair, Photo, View } from '../geometry/types.js';

/** What a run will cost, told before it starts. */
export interface CostEstimate {
  seconds: number;
  /** Peak, bytes. */
  memory: number;
}

export interface Progress {
  /** What is being done, in the present continuous: "finding features". */
  stage: string;
  done: number;
  total: number;
}

/** Bytes kept between runs (the project file behind it). Keys say everything the value depends on. */
export interface BlobStore {
  get(key: string): Uint8Array | undefined;
  put(key: string, value: Uint8Array): void;
}

export interface EstimatorContext {
  /** Aborting makes the call in flight reject with the signal's reason, soon. */
  signal?: AbortSignal;
  /** Awaited before each piece of work of a second or so: a paused run waits there. */
  pass?: () => Promise<void>;
  onProgress?: (progress: Progress) => void;
  /** One line that the user should see in the log. */
  onNote?: (message: string) => void;
  store: BlobStore;
}

/** Why a pair gave no observation. */
export type PairRejection =
  | 'no-overlap' // too few matches
  | 'rotation-only' // seen from one place: no depth
  | 'inconsistent' // contradicts the other pairs
  | 'not-needed' // tied in well enough by better pairs; no depth computed
  | 'failed';

export type PairOutcome =
  { kind: 'observation'; observation: Observation } | { kind: 'rejected'; reason: PairRejection; detail: string };

/**
 * A source of observations: the built-in geometric estimator, a network. Two steps, because an estimator without
 * learned weights must see the whole set first (calibration, consistency across pairs).
 */
export interface Estimator {
  readonly id: string;
  /** Changes whenever the same inputs would give other outputs; part of every cache key. */
  readonly version: string;
  /** SPDX identifier or name. */
  readonly licence: string;
  /** Canonical text of the settings in force; part of every cache key. */
  readonly settingsKey: string;
  /** Whether one photo without any pair is enough. */
  readonly alone?: boolean;
  /** What it computes on: "cpu", "cuda", ... where that was chosen while it was made. */
  readonly provider?: string;
  estimateCost(photos: readonly Photo[], pairs: readonly Pair[]): CostEstimate;
  /**
   * Set-level work over all pairs. Cached through context.store, so that a second call with the same photos is cheap
   * and a call with one more photo does only what is new.
   */
  open(photos: readonly Photo[], pairs: readonly Pair[], context: EstimatorContext): Promise<EstimatorSession>;
}

export interface EstimatorSession {
  /** The pairs worth observing, best first, and the reason for each that is not. */
  readonly plan: { observe: Pair[]; rejected: { pair: Pair; reason: PairRejection; detail: string }[] };
  /** The view that this session's observations of photo i refer to, with its pixels. */
  view(index: number): Promise<View>;
  /** Text that, with the photo ids, estimator id, version and settingsKey, determines the observation of this pair. */
  observationKey(pair: Pair): string;
  /** What the session found out about a photo's focal, if anything (pixels of the original). */
  focal(index: number): { pixels: number; k1: number } | undefined;
  observe(pair: Pair, context: EstimatorContext): Promise<PairOutcome>;
  close(): Promise<void>;
}

/**
 * Reads a photo at a size, EXIF orientation applied. Injected into estimators so that they need no file access of their
 * own.
 */
export interface PhotoReader {
  /** sRGB [height, width, 3], the long side at most `longSide` (never enlarged unless `enlarge`). */
  read(
    photo: Photo,
    size: { longSide?: number; width?: number; height?: number; enlarge?: boolean },
  ): Promise<{ width: number; height: number; pixels: Uint8Array }>;
}

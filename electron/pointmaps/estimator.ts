import type { SparseModel } from '../geometry/sparse-model.js';
import type { PairRejection, Rejection, StageContext } from '../geometry/stage.js';
import type { Observation, Pair, Photo, View } from '../geometry/types.js';

/** What a run will cost, told before it starts. */
export interface CostEstimate {
  seconds: number;
  /** Peak, bytes. */
  memory: number;
}

export type PairOutcome =
  { kind: 'observation'; observation: Observation } | { kind: 'rejected'; reason: PairRejection; detail: string };

/** What an estimator is opened with. */
export interface EstimatorContext extends StageContext {
  /** Cameras, points and tracks of these photos, where the sparse stage found any. */
  sparse?: SparseModel | undefined;
}

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
  /**
   * Whether the sparse stage runs before it is opened: it can't do without (a failure of that stage is the run's), it
   * takes what there is, or it has no use for it.
   */
  readonly sparse: 'required' | 'optional' | 'unused';
  /** What it computes on: "cpu", "cuda", ... where that was chosen while it was made. */
  readonly provider?: string;
  estimateCost(photos: readonly Photo[], pairs: readonly Pair[]): CostEstimate;
  /**
   * Set-level work over all pairs. Cached through context.store, so that a second call with the same photos is cheap
   * and a call with one more photo does only what is new. The sparse model, where there is one, is the same for the same
   * photos and pairs.
   */
  open(photos: readonly Photo[], pairs: readonly Pair[], context: EstimatorContext): Promise<EstimatorSession>;
}

export interface EstimatorSession {
  /** Pairs worth asking for at once; as many as there are threads when not given. */
  readonly width?: number | undefined;
  /** The pairs worth observing, best first, and the reason for each that is not. */
  readonly plan: { observe: Pair[]; rejected: Rejection[] };
  /** The view that this session's observations of photo i refer to, with its pixels. */
  view(index: number): Promise<View>;
  /** Text that, with the photo ids, estimator id, version and settingsKey, determines the observation of this pair. */
  observationKey(pair: Pair): string;
  /** What the session found out about a photo's focal, if anything (pixels of the original). */
  focal(index: number): { pixels: number; k1: number; assumed?: boolean | undefined } | undefined;
  observe(pair: Pair, context: StageContext): Promise<PairOutcome>;
  /**
   * Pieces of the work so far, where pairs share most of it and counting them would tell a wrong time; told by
   * `context.onProgress` as they are done. Pairs are counted when not given.
   */
  progress?(): { done: number; total: number };
  close(): Promise<void>;
}

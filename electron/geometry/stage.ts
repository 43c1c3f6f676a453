import type { Execution } from '../compute/execution.js';
import type { Pair, Photo } from './types.js';

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

/** What a stage of a run is given from around it. */
export interface StageContext {
  /** Aborting makes the call in flight reject with the signal's reason, soon. */
  signal?: AbortSignal;
  /** Awaited before each piece of work of a second or so: a paused run waits there. */
  pass?: () => Promise<void>;
  onProgress?: (progress: Progress) => void;
  /** One line that the user should see in the log. */
  onNote?: (message: string) => void;
  store: BlobStore;
  /** Who computes; threads of this process when not given. */
  execution?: Execution | undefined;
  /** Nothing new is to be computed: what was planned before stays as it was, as far as it still can. */
  cachedOnly?: boolean;
}

/** Why a pair gave no observation. */
export type PairRejection =
  | 'no-overlap' // too few matches
  | 'rotation-only' // seen from one place: no depth
  | 'inconsistent' // contradicts the other pairs
  | 'not-needed' // tied in well enough by better pairs; no depth computed
  | 'failed';

export interface Rejection {
  pair: Pair;
  reason: PairRejection;
  detail: string;
}

/**
 * Reads a photo at a size, EXIF orientation applied. Injected into estimators so that they need no file access of their
 * own.
 */
export interface PhotoReader {
  /**
   * sRGB [height, width, 3], the long side at most `longSide` (never enlarged unless `enlarge`); `keep` for a photo with
   * a mask: [height, width], 1 where the photo may be used.
   */
  read(
    photo: Photo,
    size: { longSide?: number; width?: number; height?: number; enlarge?: boolean },
  ): Promise<{ width: number; height: number; pixels: Uint8Array; keep?: Uint8Array | undefined }>;
}

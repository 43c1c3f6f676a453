import type { Transferable } from 'node:worker_threads';
import { WorkerPool } from './pool.js';

/** The rooms whose threads may be those of another machine. */
export type ExecutedRoom = 'sparse' | 'stereo' | 'cloud' | 'surface';

export interface RequestOptions {
  transfer?: readonly Transferable[];
  /** Its abort ends the request, wherever it is computed. */
  signal?: AbortSignal | undefined;
  /** Awaited before the request is begun: where a pause holds what has not begun. */
  pass?: (() => Promise<void>) | undefined;
}

/** Where the requests of one room are answered, until it is closed. */
export interface Executor {
  /** Requests worth having under way at once. */
  readonly size: number;
  /**
   * Whether requests name a photo where they need its pixels: whoever computes them then reads the file, and nobody
   * decodes every photo for all others.
   */
  readonly readsPhotos?: boolean;
  /**
   * @param request plain data and typed arrays; arrays must not change while it is under way
   * @throws what the computation threw, the signal's reason when that was aborted
   */
  run<Response>(request: unknown, options?: RequestOptions): Promise<Response>;
  close(): Promise<void>;
}

/**
 * Who computes what the rooms ask for. By default threads of this process; with a queue, worker processes on any
 * machine (electron/execution). What is asked and what is answered is the same to the last bit.
 */
export interface Execution {
  /** Pieces of work that are worth preparing at once; undefined: as many as there are threads. */
  readonly width?: number;
  /** @param worker module that answers the room's requests, in threads of this process */
  open(room: ExecutedRoom, worker: URL, threads?: number): Executor;
}

export const threadExecution: Execution = { open: (_, worker, threads) => new WorkerPool(worker, threads) };

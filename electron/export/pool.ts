import { WorkerPool } from '../compute/pool.js';
import type { RunTask } from './tasks.js';

const url = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './export-worker.js', import.meta.url);

/** Threads for the tasks of one export. */
export class ExportPool {
  private readonly pool: WorkerPool;

  constructor(threads?: number) {
    this.pool = new WorkerPool(url, threads);
  }

  readonly run: RunTask = (task, request) => {
    // A photo's pixels are large, and nobody needs them afterwards.
    const transfer = 'pixels' in request ? [request.pixels.samples.buffer as ArrayBuffer] : [];
    return this.pool.run({ task, request }, { transfer });
  };

  /** How many files are worth beginning before their turn: more wait in memory for nothing. */
  get ahead(): number {
    return Math.min(MOST_AHEAD, this.pool.size);
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

/** A photo of 24 megapixels takes 150 MB on its way. */
const MOST_AHEAD = 4;

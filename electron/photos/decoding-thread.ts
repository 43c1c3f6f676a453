import { WorkerPool } from '../compute/pool.js';

/** Starting one takes longer than decoding a small picture; keeping one that nobody needs costs half a gigabyte. */
const IDLE_MILLISECONDS = 3000;

/** A thread for a decoder that takes seconds and much memory: started when it is wanted, and ended soon after. */
export class DecodingThread {
  private pool: WorkerPool | undefined;
  private busy = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param module worker module beside this one, without its ending */
  constructor(private readonly module: string) {}

  async run<Result>(request: unknown): Promise<Result> {
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.pool ??= new WorkerPool(new URL(`./${this.module}.${ending}`, import.meta.url), 1);
    clearTimeout(this.timer);
    this.busy++;
    try {
      return await this.pool.run<Result>(request);
    } finally {
      if (--this.busy === 0) this.timer = setTimeout(() => this.end(), IDLE_MILLISECONDS).unref();
    }
  }

  private end(): void {
    void this.pool?.close();
    this.pool = undefined;
  }
}

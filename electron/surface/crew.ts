import type { Executor } from '../compute/execution.js';
import type { StageContext } from '../geometry/stage.js';
import { breath } from '../scene/kept-pixels.js';
import type { StepName, Steps } from './worker.js';

/** The threads that do the steps of one build, and who is told of it. */
export class Crew {
  /** Wall-clock seconds per step. */
  readonly seconds: Record<string, number> = {};
  /** Awaited between pieces of work of this thread. */
  readonly breathe: () => Promise<void>;

  constructor(
    private readonly pool: Executor,
    readonly context: Partial<StageContext>,
  ) {
    this.breathe = breath(context.signal);
  }

  ask<S extends StepName>(step: S, request: Steps[S]['request']): Promise<Steps[S]['answer']> {
    const { signal, pass } = this.context;
    return this.pool.run<Steps[S]['answer']>({ step, request }, { signal, pass });
  }

  /** One piece of work more than there are threads is under way, so that none waits for a file. */
  async each(count: number, work: (index: number) => Promise<void>): Promise<void> {
    let next = 0;
    const runners = Array.from({ length: Math.min(count, this.pool.size + 1) }, async () => {
      while (next < count) await work(next++);
    });
    await Promise.all(runners);
  }

  /** @throws the signal's reason when cancelled */
  tell(stage: string, done: number, total: number): void {
    this.context.signal?.throwIfAborted();
    this.context.onProgress?.({ stage, done, total });
  }

  async timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.seconds[name] = Math.round(performance.now() - started) / 1000;
    return result;
  }
}

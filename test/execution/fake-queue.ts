import type { JobRunner } from '../../electron/execution/runner.js';
import type { JobData, JobQueue, JobStanding, Presence } from '../../electron/execution/queue.js';

/** A queue in this process: each job is given to the next worker, and tried three times. */
export class FakeQueue implements JobQueue {
  readonly wanted = new Set<string>();
  readonly submitted: JobData[] = [];
  readonly cancelled: string[] = [];
  readonly jobs = new Map<string, JobStanding>();
  /** Called before a job is given to a worker; false loses it, as a server without its data does. */
  before: (data: JobData) => Promise<boolean> | boolean = () => true;
  /** Called with what a worker gave. */
  after: (output: string) => Promise<void> | void = () => undefined;
  people: Presence = { slots: 2, workers: 2, memory: 1e9, others: [] };
  private listener: (id: string) => void = () => undefined;
  private next = 0;

  constructor(private readonly workers: () => readonly Pick<JobRunner, 'run'>[]) {}

  async submit(id: string, data: JobData): Promise<void> {
    if (this.jobs.has(id)) return;
    this.submitted.push(data);
    this.jobs.set(id, { state: 'waiting' });
    void this.work(id, data);
  }

  async standing(id: string): Promise<JobStanding> {
    const standing = this.jobs.get(id) ?? { state: 'unknown' };
    if (standing.state === 'failed') this.jobs.delete(id);
    return standing;
  }

  async forget(id: string): Promise<void> {
    this.jobs.delete(id);
  }

  onSettled(listener: (id: string) => void): void {
    this.listener = listener;
  }

  async begin(epoch: string): Promise<void> {
    this.wanted.add(epoch);
  }

  async cancel(epoch: string): Promise<void> {
    this.wanted.delete(epoch);
    this.cancelled.push(epoch);
  }

  async presence(): Promise<Presence> {
    return this.people;
  }

  async close(): Promise<void> {}

  private async work(id: string, data: JobData): Promise<void> {
    let reason = '';
    for (let tries = 0; tries < 3; tries++) {
      if (!(await this.before(data))) return void this.jobs.delete(id);
      const all = this.workers();
      const worker = all[this.next++ % all.length]!;
      try {
        const output = await worker.run(data, new AbortController().signal);
        await this.after(output);
        return this.settle(id, { state: 'done', output });
      } catch (error) {
        reason = (error as Error).message;
        if (/^\[(lost-input|cancelled|refused)\]/.test(reason)) break;
      }
    }
    this.settle(id, { state: 'failed', reason });
  }

  private settle(id: string, standing: JobStanding): void {
    this.jobs.set(id, standing);
    this.listener(id);
  }
}

import type { ExecutedRoom } from '../compute/execution.js';
import { WorkerPool } from '../compute/pool.js';
import { UserError } from '../contract/errors.js';
import { jobs, roomWorkers, type JobKind, type JobName } from './jobs.js';
import { MemoryGate } from './memory.js';
import { Parcels } from './parcels.js';
import { readSentPhoto } from './photos.js';
import { jobData, JobFailure, type JobData } from './queue.js';
import { LostBlob, type BlobFolder } from './store.js';

export interface RunnerOptions {
  store: BlobFolder;
  program: string;
  threads: number;
  /** Bytes that jobs may take together. */
  memory: number;
  /** Whether anybody still wants what is computed for this epoch. */
  wanted: (epoch: string) => Promise<boolean>;
}

/** Of the memory, what is kept for arrays that the next jobs may need again. */
const KEPT_SHARE = 0.25;

/** Does the jobs of a worker in this machine's threads: the same modules, given the same requests, as without a queue. */
export class JobRunner {
  private readonly pools = new Map<ExecutedRoom, WorkerPool>();
  private readonly parcels: Parcels;
  private readonly gate: MemoryGate;

  constructor(private readonly options: RunnerOptions) {
    const kept = KEPT_SHARE * options.memory;
    this.parcels = new Parcels(options.store, kept);
    this.gate = new MemoryGate(options.memory - kept);
  }

  /** Whether a job may ever be begun here. */
  fits({ memory }: Pick<JobData, 'memory'>): boolean {
    return memory <= this.gate.budget;
  }

  /** What jobs may take together, bytes. */
  get budget(): number {
    return this.gate.budget;
  }

  /**
   * @returns the hash of the answers
   * @throws JobFailure
   */
  async run(given: unknown, signal: AbortSignal): Promise<string> {
    const data = this.checked(given);
    if (!(await this.options.wanted(data.epoch))) throw new JobFailure('cancelled', 'nobody waits for it any more');
    const release = await this.gate.enter(data.memory, signal);
    try {
      return await this.compute(data, signal);
    } catch (error) {
      throw failureOf(error, signal);
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.close()));
  }

  private checked(given: unknown): JobData {
    const parsed = jobData.safeParse(given);
    if (!parsed.success)
      throw new JobFailure('refused', `it is not a job that this program knows: ${issueOf(parsed.error)}`);
    const { name, version, program } = parsed.data;
    if (program !== this.options.program || version !== jobs[name].version)
      throw new JobFailure('refused', `it is of version ${program}, this worker of ${this.options.program}`);
    return parsed.data;
  }

  private async compute({ name, input }: JobData, signal: AbortSignal): Promise<string> {
    const kind: JobKind = jobs[name];
    const requests = await this.parcels.get(input);
    if (requests.length === 0 || requests.length > kind.batch)
      throw new JobFailure('refused', `it has ${requests.length} requests, at most ${kind.batch} are allowed`);
    const pool = this.pool(kind.room);
    const answers: unknown[] = [];
    for (const request of requests) {
      const parsed = kind.request.safeParse(request);
      if (!parsed.success)
        throw new JobFailure('refused', `a request is not what ${name} takes: ${issueOf(parsed.error)}`);
      signal.throwIfAborted();
      answers.push(await pool.run(await this.ready(name, parsed.data), { signal }));
    }
    return this.parcels.put(answers);
  }

  private async ready(name: JobName, request: unknown): Promise<unknown> {
    return name === 'sparse/features'
      ? readSentPhoto(request as Parameters<typeof readSentPhoto>[0], this.options.store)
      : request;
  }

  private pool(room: ExecutedRoom): WorkerPool {
    let pool = this.pools.get(room);
    if (!pool) this.pools.set(room, (pool = new WorkerPool(roomWorkers[room], this.options.threads)));
    return pool;
  }
}

function failureOf(error: unknown, signal: AbortSignal): JobFailure {
  if (error instanceof JobFailure) return error;
  if (signal.aborted) return new JobFailure('cancelled', 'nobody waits for it any more');
  if (error instanceof LostBlob) return new JobFailure('lost-input', error.hash);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UserError && error.code === 'disk-full') return new JobFailure('store-full', message);
  return new JobFailure('failed', message);
}

function issueOf({ issues }: { issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  const [issue] = issues;
  return issue ? `${issue.path.map(String).join('.')} ${issue.message}` : 'unknown';
}

import { createHash, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { ExecutedRoom, Execution, Executor, RequestOptions } from '../compute/execution.js';
import { WorkerPool } from '../compute/pool.js';
import { UserError } from '../contract/errors.js';
import { jobName, jobs, type JobName } from './jobs.js';
import { Parcels } from './parcels.js';
import { sendPhoto } from './photos.js';
import { parseFailure, type JobData, type JobQueue, type JobStanding, type Presence } from './queue.js';
import { LostBlob, type SharedFolder } from './store.js';

export interface CoordinatorOptions {
  queue: JobQueue;
  store: Pick<SharedFolder, 'id' | 'has' | 'put' | 'get' | 'file' | 'forget'>;
  /** Version of this program: workers of another one do not get its jobs. */
  program: string;
  onNote?: (message: string) => void;
  /** How often is looked whether a job ended without being told so, and who is there; milliseconds. */
  lookMilliseconds?: number;
}

/** Until the first workers are seen: as if so many jobs were computed at once. */
const LEAST_SLOTS = 4;
/** A job is sent when so many milliseconds passed since its first request, however few there are. */
const GATHER_MILLISECONDS = 5;
/** A job whose files were lost on the way is begun again so often. */
const TRIES = 3;
const LOOK_MILLISECONDS = 2000;
/** Most requests that travel as one job. */
const LARGEST_BATCH = Math.max(...Object.values(jobs).map(({ batch }) => batch));

interface Waiting {
  request: unknown;
  resolve: (answer: unknown) => void;
  reject: (reason: unknown) => void;
}

/**
 * Execution by workers on any machine: requests become jobs in a queue, what they need and what they give lies in a
 * store that all reach. A job's id is the hash of all that its answer depends on: whoever asks for the same again, by a
 * retry or from another coordinator, gets the answer that is there.
 *
 * A job that fails is tried three times by the queue. What this class adds: files that were lost or changed on the way
 * are written again, jobs that the queue lost (a server without its data) are put there again, and what a run gives up
 * is taken back by its epoch.
 */
export class QueueExecution implements Execution {
  private readonly parcels: Parcels;
  private readonly batches = new Map<string, Waiting[]>();
  private readonly slotsTaken = new Map<JobName, number>();
  private readonly slotQueue = new Map<JobName, (() => void)[]>();
  private readonly epochs = new WeakMap<AbortSignal, string>();
  private readonly ownEpoch = newEpoch();
  private readonly begun = new Map<string, Promise<void>>();
  private readonly settled = new Map<string, () => void>();
  private readonly looks: NodeJS.Timeout;
  private presence: Presence = { slots: 0, workers: 0, memory: Infinity, others: [] };
  private told = '';
  private closed = false;

  constructor(private readonly options: CoordinatorOptions) {
    this.parcels = new Parcels(options.store);
    options.queue.onSettled((id) => this.settled.get(id)?.());
    this.looks = setInterval(
      () => void this.look().catch(() => undefined),
      options.lookMilliseconds ?? LOOK_MILLISECONDS,
    );
    this.looks.unref();
  }

  /** Twice as many as are computed, so that no worker waits for the next. */
  get width(): number {
    return 2 * Math.max(LEAST_SLOTS, this.presence.slots) + 1;
  }

  open(room: ExecutedRoom, worker: URL, threads?: number): Executor {
    return new QueueExecutor(this, room, new WorkerPool(worker, threads));
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.looks);
    await this.options.queue.close();
  }

  /** @throws as an executor's `run` */
  async answer(name: JobName, request: unknown, { signal, pass }: RequestOptions): Promise<unknown> {
    await this.slot(name, signal);
    try {
      await pass?.();
      signal?.throwIfAborted();
      const epoch = await this.epochOf(signal);
      return await this.gather(name, epoch, request, signal);
    } finally {
      this.freeSlot(name);
    }
  }

  /** A photo is sent as a file. */
  private async sendable(name: JobName, request: unknown): Promise<unknown> {
    return name === 'sparse/features'
      ? sendPhoto(request as Parameters<typeof sendPhoto>[0], this.options.store)
      : request;
  }

  /** Waits until fewer requests of this kind are under way than are worth it. */
  private async slot(name: JobName, signal: AbortSignal | undefined): Promise<void> {
    while ((this.slotsTaken.get(name) ?? 0) >= this.width * jobs[name].batch) {
      await new Promise<void>((resolve) => {
        this.slotQueue.set(name, [...(this.slotQueue.get(name) ?? []), resolve]);
      });
    }
    signal?.throwIfAborted();
    this.slotsTaken.set(name, (this.slotsTaken.get(name) ?? 0) + 1);
  }

  private freeSlot(name: JobName): void {
    this.slotsTaken.set(name, this.slotsTaken.get(name)! - 1);
    this.slotQueue.get(name)?.shift()?.();
  }

  /** What one signal would end is one epoch. */
  private async epochOf(signal: AbortSignal | undefined): Promise<string> {
    const epoch = (signal && this.epochs.get(signal)) ?? (signal ? newEpoch() : this.ownEpoch);
    if (signal && !this.epochs.has(signal)) {
      this.epochs.set(signal, epoch);
      setMaxListeners(0, signal);
      signal.addEventListener('abort', () => void this.cancel(epoch), { once: true });
    }
    if (!this.begun.has(epoch)) this.begun.set(epoch, this.options.queue.begin(epoch));
    await this.begun.get(epoch);
    return epoch;
  }

  private async cancel(epoch: string): Promise<void> {
    this.begun.delete(epoch);
    // The run is over for whoever asked, whether the queue can be told or not: workers see the epoch expire.
    await this.options.queue.cancel(epoch).catch(() => undefined);
  }

  /** Puts a request to others of its kind, and sends them when they are enough or nobody else comes. */
  private gather(name: JobName, epoch: string, request: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal!.reason);
      const done = (): void => signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      const waiting: Waiting = {
        request,
        resolve: (answer) => (done(), resolve(answer)),
        reject: (reason) => (done(), reject(reason)),
      };
      const key = `${name} ${epoch}`;
      const batch = this.batches.get(key);
      if (batch) batch.push(waiting);
      else {
        this.batches.set(key, [waiting]);
        setTimeout(() => this.send(name, epoch), GATHER_MILLISECONDS);
      }
      if (this.batches.get(key)!.length >= jobs[name].batch) this.send(name, epoch);
    });
  }

  private send(name: JobName, epoch: string): void {
    const key = `${name} ${epoch}`;
    const batch = this.batches.get(key);
    // The timer of a batch that was full before.
    if (!batch) return;
    this.batches.delete(key);
    const requests = batch.map(({ request }) => request);
    this.compute(name, epoch, requests).then(
      (answers) => batch.forEach(({ resolve }, k) => resolve(answers[k])),
      (error: unknown) => batch.forEach(({ reject }) => reject(error)),
    );
  }

  private async compute(name: JobName, epoch: string, requests: readonly unknown[]): Promise<unknown[]> {
    const { store } = this.options;
    for (let lost = 0; ;) {
      const { id, data } = await this.jobOf(name, epoch, requests);
      const standing = await this.finish(id, data);
      try {
        if (standing.state === 'done') return await this.answersOf(name, standing.output, requests.length);
        this.raise(name, epoch, standing);
      } catch (error) {
        // Files that are not what they were: written, or computed, again.
        if (!(error instanceof LostBlob) || ++lost >= TRIES) throw error;
        store.forget();
        await this.options.queue.forget(id);
      }
    }
  }

  private async jobOf(
    name: JobName,
    epoch: string,
    requests: readonly unknown[],
  ): Promise<{ id: string; data: JobData }> {
    const { version, memory } = jobs[name];
    const { program } = this.options;
    const sent = await Promise.all(requests.map((request) => this.sendable(name, request)));
    const input = await this.parcels.put(sent);
    const needed = Math.max(...sent.map((request) => memory(request)));
    const id = createHash('sha256')
      .update(JSON.stringify([name, version, program, input]))
      .digest('hex');
    return { id: `job-${id}`, data: { name, version, program, input, epoch, memory: needed } };
  }

  /** @throws LostBlob for what may be done again, UserError for what concerns more than this job */
  private raise(name: JobName, epoch: string, standing: JobStanding): void {
    if (standing.state !== 'failed') return;
    const { code, reason } = parseFailure(standing.reason);
    if (code === 'lost-input') throw new LostBlob(reason, 'missing');
    if (code === 'store-full')
      throw new UserError(
        'disk-full',
        `the store is full, a worker could not write into it; make room, then start again: ${reason}`,
      );
    if (code === 'refused') throw new UserError('unsupported', `no worker takes the job ${name}: ${reason}`);
    if (code === 'cancelled' && !this.begun.has(epoch)) throw new Error('the job was cancelled');
    // Of another coordinator's epoch, or of ours that the server forgot.
    if (code === 'cancelled') throw new LostBlob('(cancelled)', 'missing');
    throw new Error(`${reason} (${TRIES} tries)`);
  }

  private async answersOf(name: JobName, output: string, count: number): Promise<unknown[]> {
    const answers = await this.parcels.get(output);
    if (answers.length !== count) throw new LostBlob(output, 'damaged');
    return answers.map((answer) => {
      const checked = jobs[name].answer.safeParse(answer);
      if (!checked.success) throw new LostBlob(output, 'damaged');
      return checked.data;
    });
  }

  /** Puts a job there and waits until it is done or has failed for good. */
  private async finish(id: string, data: JobData): Promise<JobStanding> {
    const { queue } = this.options;
    for (;;) {
      if (!this.begun.has(data.epoch)) throw new Error('the job was cancelled');
      if (this.presence.workers > 0 && data.memory > this.presence.memory)
        throw new UserError(
          'unsupported',
          `the job ${data.name} takes ${megabytes(data.memory)}, no worker may use more than ${megabytes(this.presence.memory)}; start one with a larger --memory`,
        );
      const ended = new Promise<void>((resolve) => this.settled.set(id, resolve));
      await queue.submit(id, data);
      await Promise.race([ended, this.pause()]);
      const standing = await queue.standing(id);
      if (standing.state === 'done' || standing.state === 'failed') {
        this.settled.delete(id);
        return standing;
      }
    }
  }

  /** Until something may have happened that nobody told. */
  private pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.options.lookMilliseconds ?? LOOK_MILLISECONDS).unref());
  }

  /** Sees who is there, and says so when that changed. */
  async look(): Promise<void> {
    if (this.closed) return;
    this.presence = await this.options.queue.presence();
    const { slots, workers, others } = this.presence;
    const line =
      workers > 0
        ? `${workers === 1 ? '1 worker computes' : `${workers} workers compute`}, ${slots} jobs at once`
        : `no worker of version ${this.options.program} answers; start one with: pointmap worker --queue ... --store ...`;
    const text = [line, ...others].join('; ');
    if (text !== this.told) this.options.onNote?.(text);
    this.told = text;
  }

  /** Requests worth having under way at once, whatever their kind. */
  get size(): number {
    return this.width * LARGEST_BATCH;
  }
}

class QueueExecutor implements Executor {
  readonly readsPhotos = true;

  /** @param here for what is not worth sending */
  constructor(
    private readonly execution: QueueExecution,
    private readonly room: ExecutedRoom,
    private readonly here: WorkerPool,
  ) {}

  get size(): number {
    return this.execution.size;
  }

  run<Response>(request: unknown, options: RequestOptions = {}): Promise<Response> {
    const name = jobName(this.room, request);
    if (!name) return this.here.run<Response>(request, options);
    return this.execution.answer(name, request, options) as Promise<Response>;
  }

  async close(): Promise<void> {
    await this.here.close();
  }
}

const newEpoch = (): string => randomUUID();

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { DelayedError, UnrecoverableError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { UserError } from '../contract/errors.js';
import {
  BEAT_MILLISECONDS,
  CANCELLED_CHANNEL,
  isWanted,
  leaveWorker,
  readCoordinators,
  sayWorker,
  type CoordinatorFacts,
  type WorkerFacts,
} from './alive.js';
import { LOCK_MILLISECONDS, PREFIX, queueName, STALLED_MILLISECONDS, tellAbsence, TRIES, withinTime } from './bull.js';
import type { JobName } from './jobs.js';
import { JobFailure, type JobData } from './queue.js';
import { connect, patient, queueAddress } from './redis.js';
import { JobRunner } from './runner.js';
import { SharedFolder } from './store.js';

export interface WorkerOptions {
  url: string;
  /** Folder that the coordinator reaches too. */
  store: string;
  program: string;
  threads: number;
  /** Bytes that jobs and what is kept for them may take. */
  memory: number;
  onNote: (message: string) => void;
}

/** A job that is too large for this worker is offered again after so long. */
const OFFER_AGAIN_MILLISECONDS = 2000;
const CLOSE_MILLISECONDS = 20_000;

/** A worker of the queue, until it is closed. */
export class QueueWorker {
  private readonly id = randomUUID();
  private readonly worker: Worker<JobData, string>;
  private readonly runner: JobRunner;
  private readonly running = new Map<string, { name: JobName; epoch: string; since: number; abort: AbortController }>();
  private readonly facts: WorkerFacts;
  private readonly refused = new Set<string>();
  private readonly beats: NodeJS.Timeout;

  private constructor(
    private readonly options: WorkerOptions,
    private readonly redis: Redis,
    private readonly listening: Redis,
    store: SharedFolder,
  ) {
    const { program, threads, memory } = options;
    this.runner = new JobRunner({ store, program, threads, memory, wanted: (epoch) => isWanted(redis, epoch) });
    this.facts = {
      ...{ host: hostname(), pid: process.pid, program, store: store.id, since: Date.now() },
      ...{ slots: threads, memory: this.runner.budget, done: 0, failed: 0, jobs: [], kinds: {} },
    };
    const address = queueAddress(options.url);
    this.worker = new Worker<JobData, string>(
      queueName(program, store.id),
      (job, token, signal) => this.process(job, token, signal),
      {
        connection: patient(address),
        prefix: PREFIX,
        name: `${hostname()} ${process.pid}`,
        concurrency: threads,
        lockDuration: LOCK_MILLISECONDS,
        stalledInterval: STALLED_MILLISECONDS,
        maxStalledCount: TRIES - 1,
        autorun: false,
      },
    );
    this.worker.on('error', () => undefined);
    tellAbsence(redis, address, options.onNote);
    listening.on('message', (_, epoch) => this.cancel(epoch));
    this.beats = setInterval(() => void this.beat().catch(() => undefined), BEAT_MILLISECONDS);
  }

  /** @throws UserError when the queue or the store can't be reached, or only coordinators of other versions are there */
  static async start(options: WorkerOptions): Promise<QueueWorker> {
    const address = queueAddress(options.url);
    const store = await SharedFolder.open(options.store);
    const redis = await connect(address);
    const listening = redis.duplicate();
    listening.on('error', () => undefined);
    try {
      refuse(await readCoordinators(redis), { program: options.program, store: store.id });
      await listening.subscribe(CANCELLED_CHANNEL);
    } catch (error) {
      redis.disconnect();
      listening.disconnect();
      throw error;
    }
    const worker = new QueueWorker(options, redis, listening, store);
    await worker.beat();
    void worker.worker.run().catch(() => undefined);
    await worker.worker.waitUntilReady();
    return worker;
  }

  /** Ends what is computed within a while, or gives it back. */
  async close(): Promise<void> {
    clearInterval(this.beats);
    await withinTime(this.worker.close(), CLOSE_MILLISECONDS);
    await withinTime(leaveWorker(this.redis, this.id), 1000);
    this.redis.disconnect();
    this.listening.disconnect();
    await withinTime(this.worker.disconnect(), 1000);
    await this.runner.close();
  }

  private async process(job: Job<JobData, string>, token?: string, given?: AbortSignal): Promise<string> {
    if (!this.runner.fits({ memory: Number(job.data.memory) })) {
      // Another worker may have more; the coordinator knows whether one has.
      await job.moveToDelayed(Date.now() + OFFER_AGAIN_MILLISECONDS, token);
      throw new DelayedError();
    }
    const abort = new AbortController();
    const signal = given ? AbortSignal.any([given, abort.signal]) : abort.signal;
    const since = Date.now();
    const { name, epoch } = job.data;
    this.running.set(job.id!, { name, epoch, since, abort });
    try {
      const output = await this.runner.run(job.data, signal);
      this.count(name, (Date.now() - since) / 1000);
      return output;
    } catch (error) {
      this.facts.failed++;
      // Only what may go better another time is tried again.
      if (error instanceof JobFailure && ['lost-input', 'cancelled', 'refused'].includes(error.code))
        throw new UnrecoverableError(error.message);
      throw error;
    } finally {
      this.running.delete(job.id!);
    }
  }

  private count(name: JobName, seconds: number): void {
    const { done, seconds: before } = this.facts.kinds[name] ?? { done: 0, seconds: 0 };
    this.facts.kinds[name] = { done: done + 1, seconds: before + seconds };
    this.facts.done++;
  }

  private cancel(epoch: string): void {
    for (const job of this.running.values()) if (job.epoch === epoch) job.abort.abort(new Error('cancelled'));
  }

  private async beat(): Promise<void> {
    const now = Date.now();
    const jobs = [...this.running.values()].map(({ name, since }) => ({ name, seconds: (now - since) / 1000 }));
    await sayWorker(this.redis, this.id, { ...this.facts, jobs });
    for (const coordinator of await readCoordinators(this.redis)) {
      const [line] = against(coordinator, this.facts);
      if (line === undefined || this.refused.has(line)) continue;
      this.refused.add(line);
      this.options.onNote(line);
    }
  }
}

/** @throws UserError when all coordinators that are there are of other versions or use other stores */
function refuse(coordinators: readonly CoordinatorFacts[], own: { program: string; store: string }): void {
  const lines = coordinators.map((coordinator) => against(coordinator, own));
  if (lines.length > 0 && lines.every(([line]) => line !== undefined))
    throw new UserError('unsupported', lines[0]![0]!);
}

/** Why a coordinator's jobs are not for this worker: a line, or none. */
function against(coordinator: CoordinatorFacts, own: { program: string; store: string }): string[] {
  const who = `the run ${coordinator.pid} on ${coordinator.host}`;
  if (coordinator.program !== own.program)
    return [`${who} is of version ${coordinator.program}, this worker of ${own.program}; install the same version`];
  if (coordinator.store !== own.store)
    return [`${who} uses another store; give this worker the folder that is used there with --store`];
  return [];
}

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Queue, QueueEvents, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import {
  BEAT_MILLISECONDS,
  endEpoch,
  keepEpoch,
  leaveCoordinator,
  readWorkers,
  sayCoordinator,
  type CoordinatorFacts,
  type WorkerFacts,
} from './alive.js';
import type { JobData, JobQueue, JobStanding, Presence } from './queue.js';
import { connect, patient, queueAddress, type QueueAddress } from './redis.js';

/** Keys of the queue, and of nothing else. */
export const PREFIX = 'pointmap';

/** One queue for each version and store: a worker that can't do a job never sees it. */
export const queueName = (program: string, store: string): string => `${program}-${store}`.replaceAll(':', '_');

/** A worker that is killed is missed after so long; its jobs are then given to others. */
export const LOCK_MILLISECONDS = 15_000;
export const STALLED_MILLISECONDS = 5_000;
/** The first try and two more, whether the job failed or its worker was lost. */
export const TRIES = 3;
const RETRY_MILLISECONDS = 500;
/** What is done is remembered for a day: who asks again has the answer. */
const KEPT_SECONDS = 86_400;
/** Closing does not wait longer for a server that is away. */
const CLOSE_MILLISECONDS = 2000;

export interface BullOptions {
  url: string;
  program: string;
  store: string;
  onNote?: ((message: string) => void) | undefined;
}

/** A coordinator's end of a BullMQ queue on Redis. */
export class BullQueue implements JobQueue {
  private readonly queue: Queue<JobData, string>;
  private readonly events: QueueEvents;
  private readonly id = randomUUID();
  private readonly epochs = new Set<string>();
  /** Jobs submitted and not seen to end, with their epochs. */
  private readonly open = new Map<string, string>();
  private readonly beats: NodeJS.Timeout;
  private readonly facts: CoordinatorFacts;

  private constructor(
    private readonly redis: Redis,
    address: QueueAddress,
    private readonly options: BullOptions,
  ) {
    const name = queueName(options.program, options.store);
    this.queue = new Queue(name, { connection: patient(address), prefix: PREFIX });
    this.events = new QueueEvents(name, { connection: patient(address), prefix: PREFIX });
    // Connections come back by themselves; `tellAbsence` tells of it.
    this.queue.on('error', () => undefined);
    this.events.on('error', () => undefined);
    tellAbsence(redis, address, options.onNote);
    const { program, store } = options;
    this.facts = { host: hostname(), pid: process.pid, program, store, since: Date.now() };
    this.beats = setInterval(() => void this.beat().catch(() => undefined), BEAT_MILLISECONDS);
    this.beats.unref();
    // A server that comes back without its data must hear of the epochs before a worker asks.
    redis.on('ready', () => void this.beat().catch(() => undefined));
  }

  /** @throws UserError as `queueAddress` and `connect` */
  static async open(options: BullOptions): Promise<BullQueue> {
    const address = queueAddress(options.url);
    const queue = new BullQueue(await connect(address), address, options);
    await queue.beat();
    await queue.events.waitUntilReady();
    return queue;
  }

  async submit(id: string, data: JobData): Promise<void> {
    this.open.set(id, data.epoch);
    // One that is there already stays as it is.
    await this.queue.add(data.name, data, {
      jobId: id,
      attempts: TRIES,
      backoff: { type: 'exponential', delay: RETRY_MILLISECONDS },
      removeOnComplete: { age: KEPT_SECONDS },
      removeOnFail: { age: KEPT_SECONDS },
    });
  }

  async standing(id: string): Promise<JobStanding> {
    const job = await this.queue.getJob(id);
    if (!job) return { state: 'unknown' };
    const state = await job.getState();
    if (state === 'unknown') return { state: 'unknown' };
    if (state !== 'completed' && state !== 'failed') return { state: 'waiting' };
    this.open.delete(id);
    if (state === 'completed') return { state: 'done', output: String(job.returnvalue) };
    const reason = job.failedReason ?? 'it failed';
    // Whoever asks again wants it tried again.
    await job.remove().catch(() => undefined);
    return { state: 'failed', reason };
  }

  async forget(id: string): Promise<void> {
    const job = await this.queue.getJob(id);
    // One that is being computed is locked.
    await job?.remove().catch(() => undefined);
  }

  onSettled(listener: (id: string) => void): void {
    this.events.on('completed', ({ jobId }) => listener(jobId));
    this.events.on('failed', ({ jobId }) => listener(jobId));
  }

  async begin(epoch: string): Promise<void> {
    this.epochs.add(epoch);
    await keepEpoch(this.redis, epoch);
  }

  async cancel(epoch: string): Promise<void> {
    this.epochs.delete(epoch);
    await endEpoch(this.redis, epoch);
    const ids = [...this.open].filter(([, each]) => each === epoch).map(([id]) => id);
    for (const id of ids) this.open.delete(id);
    const jobs = await Promise.all(ids.map((id) => this.queue.getJob(id)));
    await Promise.all(jobs.map((job: Job | undefined) => job?.remove().catch(() => undefined)));
  }

  async presence(): Promise<Presence> {
    const { program, store } = this.options;
    const all = await readWorkers(this.redis);
    const ours = all.filter((worker) => worker.program === program && worker.store === store);
    return {
      workers: ours.length,
      slots: ours.reduce((sum, { slots }) => sum + slots, 0),
      memory: Math.max(0, ...ours.map(({ memory }) => memory)),
      others: all.flatMap((worker) => reasonAgainst(worker, this.options)),
    };
  }

  async close(): Promise<void> {
    clearInterval(this.beats);
    const work = async (): Promise<void> => {
      await Promise.all([...this.epochs].map((epoch) => this.cancel(epoch)));
      await leaveCoordinator(this.redis, this.id);
      await Promise.all([this.queue.close(), this.events.close()]);
    };
    await withinTime(work(), CLOSE_MILLISECONDS);
    await withinTime(Promise.all([this.queue.disconnect(), this.events.disconnect()]), CLOSE_MILLISECONDS);
    this.redis.disconnect();
  }

  private async beat(): Promise<void> {
    await sayCoordinator(this.redis, this.id, this.facts);
    await Promise.all([...this.epochs].map((epoch) => keepEpoch(this.redis, epoch)));
  }
}

/** Why a worker does not get a coordinator's jobs: a line, or none. */
function reasonAgainst(
  worker: Pick<WorkerFacts, 'host' | 'pid' | 'program' | 'store'>,
  { program, store }: { program: string; store: string },
): string[] {
  const who = `worker ${worker.pid} on ${worker.host}`;
  if (worker.program !== program)
    return [`${who} is of version ${worker.program} and gets no jobs of version ${program}; install the same version`];
  if (worker.store !== store) return [`${who} uses another store; give it the folder that is used here`];
  return [];
}

/** Says once when the server is away, and when it is back. */
export function tellAbsence(
  redis: Redis,
  { name }: QueueAddress,
  onNote: ((message: string) => void) | undefined,
): void {
  let away = false;
  redis.on('close', () => {
    if (away || redis.status === 'end') return;
    away = true;
    onNote?.(`the queue does not answer; it is waited for: ${name}`);
  });
  redis.on('ready', () => {
    if (away) onNote?.(`the queue answers again: ${name}`);
    away = false;
  });
}

export async function withinTime(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}

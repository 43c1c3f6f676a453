import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { UserError } from '../contract/errors.js';
import { readCoordinators, readWorkers, type CoordinatorFacts, type WorkerFacts } from './alive.js';
import { PREFIX, queueName } from './bull.js';
import { connect, queueAddress, type QueueAddress } from './redis.js';

export interface QueueStatus {
  workers: WorkerFacts[];
  coordinators: CoordinatorFacts[];
  /** One for each version and store that somebody who is there works with. */
  queues: { program: string; store: string; waiting: number; active: number; done: number; failed: number }[];
}

/** A server that was there and does not answer for so long is asked no more. */
const ANSWER_MILLISECONDS = 5000;

/** Who is there, what they do, and what waits: asked again and again over one connection. */
export class QueueWatch {
  private readonly address: QueueAddress;
  private redis: Redis | undefined;
  private readonly queues = new Map<string, Queue>();

  /** @throws UserError 'usage' as `queueAddress` */
  constructor(url: string) {
    this.address = queueAddress(url);
  }

  /**
   * A connection that was lost is opened again by the next question.
   *
   * @throws UserError as `connect`
   */
  async look(): Promise<QueueStatus> {
    const redis = await this.connection();
    try {
      return await this.ask(redis);
    } catch (error) {
      await this.close();
      // Says why, where the server is not there any more.
      (await connect(this.address)).disconnect();
      const { name } = this.address;
      throw new UserError('not-found', `the queue was lost and is there again (${String(error)}); look again: ${name}`);
    }
  }

  async close(): Promise<void> {
    const { redis } = this;
    this.redis = undefined;
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
    this.queues.clear();
    redis?.disconnect();
  }

  private async connection(): Promise<Redis> {
    if (this.redis?.status === 'ready') return this.redis;
    await this.close();
    const options = { commandTimeout: ANSWER_MILLISECONDS, retryStrategy: () => null };
    this.redis = await connect(this.address, options);
    return this.redis;
  }

  private async ask(redis: Redis): Promise<QueueStatus> {
    const [workers, coordinators] = await Promise.all([readWorkers(redis), readCoordinators(redis)]);
    const pairs = new Map(
      [...workers, ...coordinators].map(({ program, store }) => [queueName(program, store), { program, store }]),
    );
    const queues = await Promise.all(
      [...pairs].map(async ([name, pair]) => {
        const counts = await this.queueOf(name, redis).getJobCounts('wait', 'delayed', 'active', 'completed', 'failed');
        const { wait = 0, delayed = 0, active = 0, completed = 0, failed = 0 } = counts;
        return { ...pair, waiting: wait + delayed, active, done: completed, failed };
      }),
    );
    return { workers, coordinators, queues };
  }

  private queueOf(name: string, connection: Redis): Queue {
    const known = this.queues.get(name);
    if (known) return known;
    const queue = new Queue(name, { connection, prefix: PREFIX });
    queue.on('error', () => undefined);
    this.queues.set(name, queue);
    return queue;
  }
}

/** Asked once. @throws UserError as `connect` */
export async function queueStatus(url: string): Promise<QueueStatus> {
  const watch = new QueueWatch(url);
  try {
    return await watch.look();
  } finally {
    await watch.close();
  }
}

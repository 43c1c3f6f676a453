import { Queue } from 'bullmq';
import { readCoordinators, readWorkers, type CoordinatorFacts, type WorkerFacts } from './alive.js';
import { PREFIX, queueName } from './bull.js';
import { connect, patient, queueAddress } from './redis.js';

export interface QueueStatus {
  workers: WorkerFacts[];
  coordinators: CoordinatorFacts[];
  /** One for each version and store that somebody who is there works with. */
  queues: { program: string; store: string; waiting: number; active: number; done: number; failed: number }[];
}

/** Who is there, what they do, and what waits. @throws UserError as `connect` */
export async function queueStatus(url: string): Promise<QueueStatus> {
  const address = queueAddress(url);
  const redis = await connect(address);
  try {
    const [workers, coordinators] = await Promise.all([readWorkers(redis), readCoordinators(redis)]);
    const pairs = new Map(
      [...workers, ...coordinators].map(({ program, store }) => [queueName(program, store), { program, store }]),
    );
    const queues = await Promise.all(
      [...pairs].map(async ([name, pair]) => {
        const queue = new Queue(name, { connection: patient(address), prefix: PREFIX });
        queue.on('error', () => undefined);
        const counts = await queue.getJobCounts('wait', 'delayed', 'active', 'completed', 'failed');
        await queue.close();
        const { wait = 0, delayed = 0, active = 0, completed = 0, failed = 0 } = counts;
        return { ...pair, waiting: wait + delayed, active, done: completed, failed };
      }),
    );
    return { workers, coordinators, queues };
  } finally {
    redis.disconnect();
  }
}

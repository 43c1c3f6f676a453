import { z } from 'zod';
import type { Redis } from 'ioredis';
import { jobNames } from './jobs.js';

/** Who is there: each process writes a small value that expires when it is not written again. */

const EXPIRES_SECONDS = 12;
export const BEAT_MILLISECONDS = 3000;

const facts = {
  host: z.string().max(300),
  pid: z.int(),
  program: z.string().max(100),
  /** Of the store that it reaches. */
  store: z.string().max(100),
  since: z.number(),
};

const whole = z.int().min(0).catch(0);

/** What one of another version says of itself may differ: who it is holds at least. */
export const workerFacts = z.object({
  ...facts,
  /** Jobs computed at once, and the bytes they may take together. */
  slots: whole,
  memory: z.number().min(0).catch(0),
  done: whole,
  failed: whole,
  /** What is computed now, and for how long, seconds. */
  jobs: z
    .array(z.object({ name: z.enum(jobNames), seconds: z.number() }))
    .max(1000)
    .catch([]),
  /** Per kind, how many jobs took how long together, seconds. */
  kinds: z.partialRecord(z.enum(jobNames), z.object({ done: whole, seconds: z.number() })).catch({}),
});
export type WorkerFacts = z.infer<typeof workerFacts>;

export const coordinatorFacts = z.object(facts);
export type CoordinatorFacts = z.infer<typeof coordinatorFacts>;

const PREFIX = 'pointmap-alive';
const workerKey = (id: string): string => `${PREFIX}:worker:${id}`;
const coordinatorKey = (id: string): string => `${PREFIX}:coordinator:${id}`;
const epochKey = (epoch: string): string => `${PREFIX}:epoch:${epoch}`;

export const CANCELLED_CHANNEL = `${PREFIX}:cancelled`;

export const sayWorker = (redis: Redis, id: string, given: WorkerFacts): Promise<unknown> =>
  redis.set(workerKey(id), JSON.stringify(given), 'EX', EXPIRES_SECONDS);

export const sayCoordinator = (redis: Redis, id: string, given: CoordinatorFacts): Promise<unknown> =>
  redis.set(coordinatorKey(id), JSON.stringify(given), 'EX', EXPIRES_SECONDS);

export const leaveWorker = (redis: Redis, id: string): Promise<unknown> => redis.del(workerKey(id));
export const leaveCoordinator = (redis: Redis, id: string): Promise<unknown> => redis.del(coordinatorKey(id));

/** An epoch outlives a server that is away for a minute, and not the death of who began it. */
const EPOCH_SECONDS = 60;

export const keepEpoch = (redis: Redis, epoch: string): Promise<unknown> =>
  redis.set(epochKey(epoch), '1', 'EX', EPOCH_SECONDS);

export const isWanted = async (redis: Redis, epoch: string): Promise<boolean> =>
  (await redis.exists(epochKey(epoch))) === 1;

export async function endEpoch(redis: Redis, epoch: string): Promise<void> {
  await redis.del(epochKey(epoch));
  await redis.publish(CANCELLED_CHANNEL, epoch);
}

export const readWorkers = (redis: Redis): Promise<WorkerFacts[]> => readAll(redis, workerKey('*'), workerFacts);

export const readCoordinators = (redis: Redis): Promise<CoordinatorFacts[]> =>
  readAll(redis, coordinatorKey('*'), coordinatorFacts);

async function readAll<T>(redis: Redis, pattern: string, schema: z.ZodType<T>): Promise<T[]> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1000);
    keys.push(...found);
    cursor = next;
  } while (cursor !== '0');
  if (keys.length === 0) return [];
  const texts = await redis.mget([...new Set(keys)].sort());
  return texts.flatMap((text) => {
    const parsed = schema.safeParse(parseJson(text));
    return parsed.success ? [parsed.data] : [];
  });
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PREFIX, queueName } from '../../electron/execution/bull.js';
import { programVersion } from '../../electron/engine/environment.js';
import { hasRedis, type Program } from '../fixtures/farm.js';
import { LIMIT, WorkerRuns } from '../fixtures/worker-runs.js';

const KINDS = [
  ...['features', 'match', 'fit', 'pose', 'guide'].map((kind) => `sparse/${kind}`),
  ...['stereo/match', 'stereo/judge', 'surface/fuse'],
];

const STANDING = 'stereo/judge';

describe.skipIf(!hasRedis)('when somebody of those who compute together ends in the middle', () => {
  const farm = new WorkerRuns();
  beforeAll(() => farm.begin(), LIMIT);
  afterEach(() => farm.stop());
  afterAll(() => farm.end());

  test(
    'workers are killed in the middle of every kind of job, one stands still and comes back, and nothing is lost',
    { timeout: LIMIT },
    async () => {
      const { out, store } = farm.fresh();
      const all = new Map(
        (await Promise.all([farm.worker(store), farm.worker(store)])).map((each) => [each.pid, each]),
      );
      const { id } = JSON.parse(readFileSync(join(store, 'pointmap-store.json'), 'utf8')) as { id: string };
      const connection = { url: farm.server.url, maxRetriesPerRequest: null };
      const name = queueName(programVersion(), id);
      const queue = new Queue(name, { connection, prefix: PREFIX });
      const events = new QueueEvents(name, { connection, prefix: PREFIX });
      const redis = new Redis(farm.server.url);
      await events.waitUntilReady();
      const killed = new Set<string>();
      let standing: Program | undefined;
      const kill = async (jobId: string): Promise<void> => {
        const job = await queue.getJob(jobId);
        if (!job || killed.has(job.name) || !KINDS.includes(job.name)) return;
        const victim = all.get(Number(job.processedBy?.split(' ').at(-1)));
        // Held where it is: only then is it known that it had not finished.
        victim?.child.kill('SIGSTOP');
        if (!victim || !(await job.isActive())) return void victim?.child.kill('SIGCONT');
        killed.add(job.name);
        all.delete(victim.pid);
        // One only stands still, as a machine that sleeps does, and comes back when its job was given to another.
        if (job.name === STANDING) standing = victim;
        else await victim.stop();
        // As if the 15 seconds had passed that its lock holds.
        await redis.del(`${PREFIX}:${name}:${jobId}:lock`);
        const next = await farm.worker(store);
        all.set(next.pid, next);
      };
      let order = Promise.resolve();
      events.on('active', ({ jobId }) => (order = order.then(() => kill(jobId))));
      const ended = await farm.reconstruct(out, '--mesh', ...farm.shared(store)).ended;
      await order;
      await Promise.all([queue.close(), events.close()]);
      redis.disconnect();
      standing?.child.kill('SIGCONT');
      await farm.expectDone(ended, out);
      expect([...killed].sort()).toEqual([...KINDS].sort());
      expect(existsSync(join(out, 'mesh.glb'))).toBe(true);
      expect(standing!.child.exitCode).toBeNull();
      await standing!.stop('SIGTERM');
      expect((await standing!.ended).code).toBe(0);
    },
  );

  test('the server is killed in mid-run, and comes back without its data', { timeout: LIMIT }, async () => {
    const { out, store } = farm.fresh();
    await farm.worker(store);
    const run = farm.reconstruct(out, ...farm.shared(store));
    await expect.poll(() => run.errors, { timeout: LIMIT }).toMatch(/matching|finding features [23]/);
    await farm.server.kill();
    await expect.poll(() => run.errors, { timeout: LIMIT }).toContain('the queue does not answer; it is waited for');
    await farm.server.begin();
    const ended = await run.ended;
    await farm.expectDone(ended, out);
    expect(ended.errors).toContain('the queue answers again');
  });

  test('a run is stopped, and its jobs with it', { timeout: LIMIT }, async () => {
    const { out, store } = farm.fresh();
    await farm.worker(store);
    const run = farm.reconstruct(out, ...farm.shared(store));
    await expect.poll(() => run.errors, { timeout: LIMIT }).toMatch(/finding features/);
    run.child.kill('SIGINT');
    expect((await run.ended).errors).toContain('stopped; run the same command again');
    await expect
      .poll(async () => (await farm.status()).workers.flatMap(({ jobs }) => jobs), { timeout: LIMIT })
      .toEqual([]);
    // Workers that an earlier test killed are still told of for some seconds.
    const { queues } = await farm.status();
    expect(queues.map(({ waiting, active }) => waiting + active)).toEqual(queues.map(() => 0));
  });
});

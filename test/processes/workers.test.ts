import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sayCoordinator, sayWorker, type WorkerFacts } from '../../electron/execution/alive.js';
import { programVersion } from '../../electron/engine/environment.js';
import { hasRedis, RedisServer, type Ended } from '../fixtures/farm.js';
import { LIMIT, WorkerRuns } from '../fixtures/worker-runs.js';

const SECRET = 'open-sesame-7';

const blobs = (store: string): string[] =>
  readdirSync(join(store, 'blobs')).flatMap((part) =>
    readdirSync(join(store, 'blobs', part)).map((name) => join(store, 'blobs', part, name)),
  );

/** The one line of a command that fails. */
function lineOf({ code, errors }: Ended): string {
  expect(code).not.toBe(0);
  const lines = errors.trim().split('\n');
  expect(lines).toHaveLength(1);
  return lines[0]!;
}

describe.skipIf(!hasRedis)('with a queue on a server of its own', () => {
  const farm = new WorkerRuns();
  beforeAll(() => farm.begin(), LIMIT);
  afterEach(() => farm.stop());
  afterAll(() => farm.end());

  test(
    'four workers give the same bits as none, nobody does anything twice, and a store that was tampered with is found out',
    {
      timeout: LIMIT,
    },
    async () => {
      const { out, store } = farm.fresh();
      const [one] = await Promise.all([1, 2, 3, 4].map(() => farm.worker(store)));
      await farm.expectDone(await farm.reconstruct(out, ...farm.shared(store)).ended, out);
      // What a worker says of itself is at most some seconds old.
      const done = async (): Promise<number[]> => {
        const { workers, queues } = await farm.status();
        const queue = queues.find(({ store: id }) => id === workers[0]?.store);
        expect(queue).toMatchObject({ waiting: 0, active: 0, failed: 0 });
        return [workers.length, workers.reduce((sum, each) => sum + each.done, 0) - queue!.done];
      };
      await expect.poll(done, { timeout: LIMIT }).toEqual([4, 0]);

      const paths = blobs(store);
      for (const path of paths) writeFileSync(path, 'tampered');
      const again = join(out, '..', 'again');
      await farm.expectDone(await farm.reconstruct(again, ...farm.shared(store)).ended, again);
      const right = (path: string): boolean =>
        createHash('sha256').update(readFileSync(path)).digest('hex') === path.slice(-64);
      expect(blobs(store).filter(right).length).toBeGreaterThan(paths.length / 2);
      await one!.stop('SIGTERM');
      expect((await one!.ended).code).toBe(0);
    },
  );

  test('the store is full: one line; with room the run goes on', { timeout: LIMIT }, async ({ skip }) => {
    const { out, store } = farm.fresh();
    mkdirSync(store);
    const mount = (options: string): boolean =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', store]).status === 0;
    if (!mount('size=800k')) skip('only root may mount a small disk');
    try {
      await farm.worker(store);
      const full = await farm.reconstruct(out, ...farm.shared(store)).ended;
      expect(full.code).toBe(1);
      expect(full.errors).toMatch(/the store is full/);
      expect(readdirSync(join(store, 'partial'))).toEqual([]);
      mount('remount,size=300m');
      await farm.expectDone(await farm.reconstruct(out, ...farm.shared(store)).ended, out);
    } finally {
      await farm.stop();
      spawnSync('umount', [store]);
    }
  });

  test('workers and runs of different versions tell each other apart', { timeout: LIMIT }, async () => {
    const { out, store } = farm.fresh();
    const redis = new Redis(farm.server.url);
    const facts = { host: hostname(), pid: 7, program: '0.0.9', store: 'another', since: 0 };
    await sayCoordinator(redis, 'other', facts);
    const refused = lineOf(await farm.start(['worker', ...farm.shared(store)]).ended);
    expect(refused).toContain(`of version 0.0.9, this worker of ${programVersion()}; install the same version`);
    await redis.flushall();
    const other: WorkerFacts = { ...facts, slots: 4, memory: 1e9, done: 0, failed: 0, jobs: [], kinds: {} };
    await sayWorker(redis, 'other', other);
    const run = farm.reconstruct(out, ...farm.shared(store));
    await expect
      .poll(() => run.errors, { timeout: LIMIT })
      .toMatch(/no worker of version .* answers.*worker 7 on .* is of version 0.0.9/);
    run.child.kill('SIGINT');
    await run.ended;
    redis.disconnect();
  });

  test('a wrong address, password or store is one line, and no password is shown', { timeout: LIMIT }, async () => {
    const { store, out } = farm.fresh();
    const locked = await RedisServer.start(join(farm.folder, 'locked'), ['--requirepass', SECRET]);
    const place = `127.0.0.1:${locked.port}`;
    const workers = (url: string, environment?: Record<string, string>): Promise<Ended> =>
      farm.start(['workers', '--queue', url], environment).ended;
    try {
      expect(lineOf(await workers('somewhere'))).toContain('the address of the queue is no URL');
      expect(lineOf(await workers('redis://127.0.0.1:1'))).toContain('no Redis answers there (ECONNREFUSED)');
      expect(lineOf(await workers(`redis://${place}`))).toContain(
        'the queue does not take the password, or asks for one',
      );
      const wrong = { POINTMAP_QUEUE: `redis://:not-${SECRET}@${place}`, POINTMAP_STORE: store };
      const refused = await farm.start(['reconstruct', farm.photos, '--out', out], wrong).ended;
      expect(lineOf(refused)).toContain('the queue does not take the password');
      expect(refused.errors).not.toContain(SECRET);
      const right = { POINTMAP_QUEUE: `redis://:${SECRET}@${place}`, POINTMAP_STORE: store };
      const working = farm.start(['worker', '--threads', '1'], right);
      await expect.poll(() => working.output, { timeout: LIMIT }).toContain('computing 1 jobs at once');
      const shown = await farm.start(['workers'], right).ended;
      expect(shown.output).toContain(`${hostname()} ${working.pid}`);
      expect(shown.output + shown.errors + working.output + working.errors).not.toContain(SECRET);
      // Given on the command line all the same, it is gone from the list of processes.
      const careless = farm.start([
        'worker',
        '--queue',
        `redis://:${SECRET}@${place}`,
        '--store',
        store,
        '--threads',
        '1',
      ]);
      await expect.poll(() => careless.output, { timeout: LIMIT }).toContain('computing 1 jobs at once');
      if (existsSync('/proc/self/cmdline'))
        expect(readFileSync(`/proc/${careless.pid}/cmdline`, 'utf8')).not.toContain(SECRET);
      const noStore = farm.start(['reconstruct', farm.photos, '--out', out, '--queue', farm.server.url]);
      expect(lineOf(await noStore.ended)).toContain('no store is named; give --store DIR');
    } finally {
      await locked.kill();
    }
  });

  test('TLS works, and a certificate that nobody knows is refused', { timeout: LIMIT }, async () => {
    const place = join(farm.folder, 'tls');
    mkdirSync(place);
    const [key, certificate] = [join(place, 'key.pem'), join(place, 'certificate.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2', '-nodes'];
    spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-keyout', key, '-out', certificate, ...subject]);
    const words = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
    const safe = await RedisServer.start(place, [
      '--tls-auth-clients',
      'no',
      ...words,
      '--port',
      '0',
      '--tls-port',
      '7443',
    ]);
    try {
      const url = 'rediss://localhost:7443';
      expect(lineOf(await farm.start(['workers', '--queue', url]).ended)).toContain('no safe connection to the queue');
      const known = await farm.start(['workers', '--queue', url], { NODE_EXTRA_CA_CERTS: certificate }).ended;
      expect(known).toMatchObject({ code: 0, output: 'no worker answers\n' });
    } finally {
      await safe.kill();
    }
  });
});

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sayCoordinator, sayWorker, type WorkerFacts } from '../../electron/execution/alive.js';
import { PREFIX, queueName } from '../../electron/execution/bull.js';
import type { QueueStatus } from '../../electron/execution/status.js';
import { programVersion } from '../../electron/engine/environment.js';
import { Program, RedisServer, hasRedis, type Ended } from '../fixtures/farm.js';

const LIMIT = 600_000;
const SIDE = 320;
const SECRET = 'open-sesame-7';

let folder: string;
let photos: string;
let server: RedisServer;
let alone: Promise<Record<string, string>> | undefined;
let started: Program[] = [];
let runs = 0;

const start = (words: string[], environment?: Record<string, string>): Program => {
  const program = new Program(words, environment);
  started.push(program);
  return program;
};

const reconstruct = (out: string, ...more: string[]): Program =>
  start(['reconstruct', photos, '--out', out, '--quality', 'draft', ...more]);

const shared = (store: string): string[] => ['--queue', server.url, '--store', store];
const fresh = (): { out: string; store: string } => {
  const place = join(folder, `run-${++runs}`);
  mkdirSync(place);
  return { out: join(place, 'out'), store: join(place, 'store') };
};

async function worker(store: string, environment?: Record<string, string>): Promise<Program> {
  const program = start(['worker', ...shared(store), '--threads', '1', '--memory', '1.5'], environment);
  await expect.poll(() => program.output + program.errors, { timeout: LIMIT }).toMatch(/\n/);
  return program;
}

async function status(): Promise<QueueStatus> {
  const { output } = await start(['workers', '--queue', server.url, '--json']).ended;
  return JSON.parse(output) as QueueStatus;
}

/** Hashes of what a run wrote; the mesh's textures come from the same faces. */
const results = (out: string): Record<string, string> =>
  Object.fromEntries(
    ['scene.ply', 'cameras.json'].map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(out, name)))
        .digest('hex'),
    ]),
  );

const blobs = (store: string): string[] =>
  readdirSync(join(store, 'blobs')).flatMap((part) =>
    readdirSync(join(store, 'blobs', part)).map((name) => join(store, 'blobs', part, name)),
  );

/** What a run without a queue gives. */
async function withoutQueue(): Promise<Record<string, string>> {
  const { out } = fresh();
  const ended = await reconstruct(out, '--threads', '1').ended;
  expect(ended.code, ended.errors).toBe(0);
  return results(out);
}

/** Whole, and the same bits as without a queue. */
async function expectDone({ code, errors }: Ended, out: string): Promise<void> {
  expect(code, errors).toBe(0);
  expect(results(out)).toEqual(await (alone ??= withoutQueue()));
}

/** The one line of a command that fails. */
function lineOf({ code, errors }: Ended): string {
  expect(code).not.toBe(0);
  const lines = errors.trim().split('\n');
  expect(lines).toHaveLength(1);
  return lines[0]!;
}

describe.skipIf(!hasRedis)('with a queue on a server of its own', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-workers-'));
    photos = join(folder, 'photos');
    mkdirSync(photos);
    for (const k of ['01', '02', '03'])
      await sharp(`resources/samples/courtyard/courtyard-${k}.jpg`)
        .resize(SIDE)
        .toFile(join(photos, `${k}.png`));
    server = await RedisServer.start(join(folder, 'redis'));
  }, LIMIT);
  afterEach(async () => {
    await Promise.all(started.map((program) => program.stop()));
    started = [];
  });
  afterAll(async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('four workers give the same bits as none, and nobody does anything twice', { timeout: LIMIT }, async () => {
    const { out, store } = fresh();
    await Promise.all([1, 2, 3, 4].map(() => worker(store)));
    await expectDone(await reconstruct(out, ...shared(store)).ended, out);
    // What a worker says of itself is at most some seconds old.
    const done = async (): Promise<number[]> => {
      const { workers, queues } = await status();
      const queue = queues.find(({ store: id }) => id === workers[0]?.store);
      expect(queue).toMatchObject({ waiting: 0, active: 0, failed: 0 });
      return [workers.length, workers.reduce((sum, each) => sum + each.done, 0) - queue!.done];
    };
    await expect.poll(done, { timeout: LIMIT }).toEqual([4, 0]);
  });

  test('one worker too; and a store that was tampered with is found out', { timeout: LIMIT }, async () => {
    const { out, store } = fresh();
    const one = await worker(store);
    await expectDone(await reconstruct(out, ...shared(store)).ended, out);
    const paths = blobs(store);
    for (const path of paths) writeFileSync(path, 'tampered');
    const again = join(out, '..', 'again');
    await expectDone(await reconstruct(again, ...shared(store)).ended, again);
    const right = (path: string): boolean =>
      createHash('sha256').update(readFileSync(path)).digest('hex') === path.slice(-64);
    expect(blobs(store).filter(right).length).toBeGreaterThan(paths.length / 2);
    await one.stop('SIGTERM');
    expect((await one.ended).code).toBe(0);
  });

  test.each([
    { kinds: ['features', 'match', 'fit', 'pose', 'guide'].map((kind) => `sparse/${kind}`), more: [] },
    { kinds: ['stereo/match', 'stereo/judge', 'surface/fuse'], more: ['--mesh'] },
  ])('workers are killed in the middle of $kinds, and nothing is lost', { timeout: LIMIT }, async ({ kinds, more }) => {
    const { out, store } = fresh();
    const all = new Map((await Promise.all([worker(store), worker(store)])).map((each) => [each.pid, each]));
    const { id } = JSON.parse(readFileSync(join(store, 'pointmap-store.json'), 'utf8')) as { id: string };
    const connection = { url: server.url, maxRetriesPerRequest: null };
    const name = queueName(programVersion(), id);
    const queue = new Queue(name, { connection, prefix: PREFIX });
    const events = new QueueEvents(name, { connection, prefix: PREFIX });
    const redis = new Redis(server.url);
    await events.waitUntilReady();
    const killed = new Set<string>();
    const kill = async (jobId: string): Promise<void> => {
      const job = await queue.getJob(jobId);
      if (!job || killed.has(job.name) || !kinds.includes(job.name)) return;
      const victim = all.get(Number(job.processedBy?.split(' ').at(-1)));
      // Held where it is: only then is it known that it had not finished.
      victim?.child.kill('SIGSTOP');
      if (!victim || !(await job.isActive())) return void victim?.child.kill('SIGCONT');
      killed.add(job.name);
      all.delete(victim.pid);
      await victim.stop();
      // As if the 15 seconds had passed that its lock holds.
      await redis.del(`${PREFIX}:${name}:${jobId}:lock`);
      const next = await worker(store);
      all.set(next.pid, next);
    };
    let order = Promise.resolve();
    events.on('active', ({ jobId }) => (order = order.then(() => kill(jobId))));
    const ended = await reconstruct(out, ...more, ...shared(store)).ended;
    await order;
    await Promise.all([queue.close(), events.close()]);
    redis.disconnect();
    await expectDone(ended, out);
    expect([...killed].sort()).toEqual([...kinds].sort());
    expect(existsSync(join(out, 'mesh.glb'))).toBe(more.length > 0);
  });

  test('the server is killed in mid-run, and comes back without its data', { timeout: LIMIT }, async () => {
    const { out, store } = fresh();
    await worker(store);
    const run = reconstruct(out, ...shared(store));
    await expect.poll(() => run.errors, { timeout: LIMIT }).toMatch(/matching|finding features [23]/);
    await server.kill();
    await expect.poll(() => run.errors, { timeout: LIMIT }).toContain('the queue does not answer; it is waited for');
    await server.begin();
    const ended = await run.ended;
    await expectDone(ended, out);
    expect(ended.errors).toContain('the queue answers again');
  });

  test('a run is stopped, and its jobs with it', { timeout: LIMIT }, async () => {
    const { out, store } = fresh();
    await worker(store);
    const run = reconstruct(out, ...shared(store));
    await expect.poll(() => run.errors, { timeout: LIMIT }).toMatch(/finding features/);
    run.child.kill('SIGINT');
    expect((await run.ended).errors).toContain('stopped; run the same command again');
    await expect.poll(async () => (await status()).workers.flatMap(({ jobs }) => jobs), { timeout: LIMIT }).toEqual([]);
    // Workers that an earlier test killed are still told of for some seconds.
    const { queues } = await status();
    expect(queues.map(({ waiting, active }) => waiting + active)).toEqual(queues.map(() => 0));
  });

  test('the store is full: one line; with room the run goes on', { timeout: LIMIT }, async ({ skip }) => {
    const { out, store } = fresh();
    mkdirSync(store);
    const mount = (options: string): boolean =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', store]).status === 0;
    if (!mount('size=1500k')) skip('only root may mount a small disk');
    try {
      await worker(store);
      const full = await reconstruct(out, ...shared(store)).ended;
      expect(full.code).toBe(1);
      expect(full.errors).toMatch(/the store is full/);
      expect(readdirSync(join(store, 'partial'))).toEqual([]);
      mount('remount,size=300m');
      await expectDone(await reconstruct(out, ...shared(store)).ended, out);
    } finally {
      await Promise.all(started.map((program) => program.stop()));
      spawnSync('umount', [store]);
    }
  });

  test('workers and runs of different versions tell each other apart', { timeout: LIMIT }, async () => {
    const { out, store } = fresh();
    const redis = new Redis(server.url);
    const facts = { host: hostname(), pid: 7, program: '0.0.9', store: 'another', since: 0 };
    await sayCoordinator(redis, 'other', facts);
    const refused = lineOf(await start(['worker', ...shared(store)]).ended);
    expect(refused).toContain(`of version 0.0.9, this worker of ${programVersion()}; install the same version`);
    await redis.flushall();
    const other: WorkerFacts = { ...facts, slots: 4, memory: 1e9, done: 0, failed: 0, jobs: [], kinds: {} };
    await sayWorker(redis, 'other', other);
    const run = reconstruct(out, ...shared(store));
    await expect
      .poll(() => run.errors, { timeout: LIMIT })
      .toMatch(/no worker of version .* answers.*worker 7 on .* is of version 0.0.9/);
    run.child.kill('SIGINT');
    await run.ended;
    redis.disconnect();
  });

  test('a wrong address, password or store is one line, and no password is shown', { timeout: LIMIT }, async () => {
    const { store, out } = fresh();
    const locked = await RedisServer.start(join(folder, 'locked'), ['--requirepass', SECRET]);
    const place = `127.0.0.1:${locked.port}`;
    const workers = (url: string, environment?: Record<string, string>): Promise<Ended> =>
      start(['workers', '--queue', url], environment).ended;
    try {
      expect(lineOf(await workers('somewhere'))).toContain('the address of the queue is no URL');
      expect(lineOf(await workers('redis://127.0.0.1:1'))).toContain('no Redis answers there (ECONNREFUSED)');
      expect(lineOf(await workers(`redis://${place}`))).toContain(
        'the queue does not take the password, or asks for one',
      );
      const wrong = { POINTMAP_QUEUE: `redis://:not-${SECRET}@${place}`, POINTMAP_STORE: store };
      const refused = await start(['reconstruct', photos, '--out', out], wrong).ended;
      expect(lineOf(refused)).toContain('the queue does not take the password');
      expect(refused.errors).not.toContain(SECRET);
      const right = { POINTMAP_QUEUE: `redis://:${SECRET}@${place}`, POINTMAP_STORE: store };
      const working = start(['worker', '--threads', '1'], right);
      await expect.poll(() => working.output, { timeout: LIMIT }).toContain('computing 1 jobs at once');
      const shown = await start(['workers'], right).ended;
      expect(shown.output).toContain(`${hostname()} ${working.pid}`);
      expect(shown.output + shown.errors + working.output + working.errors).not.toContain(SECRET);
      // Given on the command line all the same, it is gone from the list of processes.
      const careless = start(['worker', '--queue', `redis://:${SECRET}@${place}`, '--store', store, '--threads', '1']);
      await expect.poll(() => careless.output, { timeout: LIMIT }).toContain('computing 1 jobs at once');
      if (existsSync('/proc/self/cmdline'))
        expect(readFileSync(`/proc/${careless.pid}/cmdline`, 'utf8')).not.toContain(SECRET);
      const noStore = start(['reconstruct', photos, '--out', out, '--queue', server.url]);
      expect(lineOf(await noStore.ended)).toContain('no store is named; give --store DIR');
    } finally {
      await locked.kill();
    }
  });

  test('TLS works, and a certificate that nobody knows is refused', { timeout: LIMIT }, async () => {
    const place = join(folder, 'tls');
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
      expect(lineOf(await start(['workers', '--queue', url]).ended)).toContain('no safe connection to the queue');
      const known = await start(['workers', '--queue', url], { NODE_EXTRA_CA_CERTS: certificate }).ended;
      expect(known).toMatchObject({ code: 0, output: 'no worker answers\n' });
    } finally {
      await safe.kill();
    }
  });
});

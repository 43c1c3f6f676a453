import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WorkerPool } from '../../electron/compute/pool.js';
import { QueueExecution } from '../../electron/execution/coordinator.js';
import { JobRunner, type RunnerOptions } from '../../electron/execution/runner.js';
import { SharedFolder } from '../../electron/execution/store.js';
import { sparseWorker } from '../../electron/sparse/worker-address.js';
import { fuse } from '../../electron/scene/fuse.js';
import { floatingWorker } from '../../electron/scene/kept-pixels.js';
import type { Executor } from '../../electron/compute/execution.js';
import { FakeQueue } from './fake-queue.js';

let folder: string;
let store: SharedFolder;
let runners: JobRunner[];
let queue: FakeQueue;
let execution: QueueExecution;
let sparse: Executor;
let notes: string[];

const runner = async (changes: Partial<RunnerOptions> = {}): Promise<JobRunner> =>
  new JobRunner({
    store: await SharedFolder.open(folder),
    program: '1.0.0',
    threads: 1,
    memory: 1e9,
    wanted: async (epoch) => queue.wanted.has(epoch),
    ...changes,
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-queue-'));
  store = await SharedFolder.open(folder, true);
  notes = [];
  queue = new FakeQueue(() => runners);
  runners = [await runner(), await runner()];
  execution = new QueueExecution({
    queue,
    store,
    program: '1.0.0',
    onNote: (note) => notes.push(note),
    lookMilliseconds: 30,
  });
  sparse = execution.open('sparse', sparseWorker, 1);
});
afterEach(async () => {
  await sparse.close();
  await execution.close();
  await Promise.all(runners.map((each) => each.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** Correspondences of a shift, with a few that are wrong. */
function fitRequest(seed: number) {
  const x1 = Float64Array.from({ length: 80 }, (_, k) => Math.sin(k * 12.9898 + seed) * 0.4);
  const x2 = x1.map((value, k) => value + (k % 2 === 0 ? 0.05 * Math.cos(k) : 0));
  return { kind: 'fit', x1, x2, options: { limit: 0.002, hypotheses: 100, seed: seed + 1 } };
}

/** As many bytes as travel apart from their request. */
function featuresOf(seed: number) {
  const count = 600;
  return {
    count,
    keypoints: Float32Array.from({ length: 4 * count }, (_, k) => (k * 37 + seed) % 1000),
    descriptors: Uint8Array.from({ length: 128 * count }, (_, k) => (k * k + seed * 31) % 97),
  };
}

const blobs = (): string[] =>
  readdirSync(join(folder, 'blobs')).flatMap((part) =>
    readdirSync(join(folder, 'blobs', part)).map((name) => join(folder, 'blobs', part, name)),
  );

test('workers answer what threads answer, to the last bit, whoever computes', async () => {
  const threads = new WorkerPool(sparseWorker, 1);
  const [a, b] = [featuresOf(1), featuresOf(2)];
  const requests = [...Array.from({ length: 20 }, (_, k) => fitRequest(k)), { kind: 'match', a, b }];
  const here = await Promise.all(requests.map((request) => threads.run(request)));
  await threads.close();
  const there = await Promise.all(requests.map((request) => sparse.run(request)));
  expect(there).toEqual(here);
  // 16 of a kind travel as one job.
  expect(queue.submitted.map(({ name }) => name).sort()).toEqual(['sparse/fit', 'sparse/fit', 'sparse/match']);
});

test('what many requests share is written once, and the same question is computed once', async () => {
  const [a, b, c] = [featuresOf(1), featuresOf(2), featuresOf(3)];
  const ask = (): Promise<unknown> =>
    Promise.all(
      [
        [a, b],
        [a, c],
        [b, c],
      ].map(([p, q]) => sparse.run({ kind: 'match', a: p, b: q })),
    );
  const first = await ask();
  const files = blobs().length;
  // Three photos' descriptors, one job, one answer; keypoints are small.
  expect(files).toBe(5);
  expect(await ask()).toEqual(first);
  expect(blobs()).toHaveLength(files);
  expect(queue.submitted).toHaveLength(1);
});

test('what no worker does is done here', async () => {
  // Threads don't know it either, and say so.
  await expect(sparse.run({ kind: 'unheard of' })).rejects.toThrow(TypeError);
  expect(queue.submitted).toEqual([]);
});

test('a file that was changed on its way is found out, and the answer is right all the same', async () => {
  const request = { kind: 'match', a: featuresOf(1), b: featuresOf(2) };
  const right = await sparse.run(request);
  queue.jobs.clear();
  const damage = (): void => blobs().forEach((path) => writeFileSync(path, 'tampered'));
  // Once what is sent, once what comes back.
  let sent = 0;
  let come = 0;
  queue.before = () => {
    if (sent++ === 0) damage();
    return true;
  };
  queue.after = () => {
    if (come++ === 0) damage();
  };
  expect(await sparse.run(request)).toEqual(right);
  // Sent thrice: the first was damaged before it was read, the second's answer before it came back.
  expect([sent, come]).toEqual([3, 2]);
});

test('a job that the server lost is put there again', async () => {
  let lost = 0;
  queue.before = () => lost++ > 1;
  await expect(sparse.run(fitRequest(1))).resolves.toBeDefined();
  expect(queue.submitted).toHaveLength(3);
});

test('what fails three times is rejected with its reason', async () => {
  const failing = { run: () => Promise.reject(new Error('[failed] the kernel broke')) };
  runners = [failing as unknown as JobRunner];
  await expect(sparse.run(fitRequest(1))).rejects.toThrow('the kernel broke (3 tries)');
  runners = [];
});

test('a full store stops the run with a line that says what to do', async () => {
  const full = await SharedFolder.open(folder);
  full.put = () => Promise.reject(Object.assign(new Error(), { code: 'ENOSPC' }));
  const real = await SharedFolder.open(folder);
  const { UserError } = await import('../../electron/contract/errors.js');
  real.put = () => Promise.reject(new UserError('disk-full', 'the store is full'));
  runners = [await runner({ store: real })];
  await expect(sparse.run(fitRequest(1))).rejects.toMatchObject({ code: 'disk-full' });
  // With room again, the same request is answered.
  await Promise.all(runners.map((each) => each.close()));
  runners = [await runner()];
  await expect(sparse.run(fitRequest(1))).resolves.toBeDefined();
});

test('a worker of another version refuses, and is told of', async () => {
  runners = [await runner({ program: '2.0.0' })];
  await expect(sparse.run(fitRequest(1))).rejects.toThrow('it is of version 1.0.0, this worker of 2.0.0');
  queue.people = { slots: 0, workers: 0, memory: 0, others: ['worker 7 on b is of version 2.0.0'] };
  await execution.look();
  expect(notes.at(-1)).toMatch(/no worker of version 1.0.0 answers.*worker 7 on b is of version 2.0.0/);
});

test('a job that is not what its kind takes is refused before a kernel sees it', async () => {
  const request = { kind: 'match', a: featuresOf(1), b: { ...featuresOf(2), count: 601 } };
  await expect(sparse.run(request)).rejects.toThrow(/no worker takes the job sparse\/match: a request is not what/);
});

test('an abort is answered at once, and takes the jobs of its epoch back', async () => {
  let begun: () => void;
  const waiting = new Promise<void>((resolve) => (begun = resolve));
  queue.before = () => {
    begun();
    return new Promise(() => undefined);
  };
  const abort = new AbortController();
  const answer = sparse.run(fitRequest(1), { signal: abort.signal });
  await waiting;
  const { epoch } = queue.submitted[0]!;
  abort.abort(new Error('enough'));
  await expect(answer).rejects.toThrow('enough');
  expect(queue.cancelled).toEqual([epoch]);
  const left = queue.submitted[0]!;
  const [worker] = runners;
  await expect(worker!.run(left, new AbortController().signal)).rejects.toThrow('nobody waits for it any more');
});

test('a job that no worker has the memory for is refused in one line', async () => {
  queue.people = { slots: 2, workers: 2, memory: 1000, others: [] };
  await execution.look();
  await expect(sparse.run(fitRequest(1))).rejects.toThrow(/takes 5 MB, no worker may use more than 0 MB.*--memory/);
});

test('the cloud of a queue is the cloud of threads', async () => {
  const size = 40;
  const map = (z: number) => ({
    ...{ photo: 'p', width: size, height: size, focal: size, centreX: size / 2, centreY: size / 2 },
    depth: Float32Array.from({ length: size * size }, (_, k) => z + ((k * 7919) % 13) / 20),
    confidence: new Float32Array(size * size).fill(5),
    originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
  });
  const camera = (x: number) =>
    ({
      ...{ photo: 'p', name: 'p', width: size, height: size, fx: size, fy: size, cx: 20, cy: 20, k1: 0 },
      worldFromCamera: Float64Array.of(1, 0, 0, x, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
    }) as never;
  const input = [
    [camera(0), camera(0.1), camera(0.2)],
    [map(2), map(2.2), map(1.8)],
  ] as const;
  const grey = new Uint8Array(3 * size * size).fill(99);
  const pixelsOf = () => grey;
  const options = { minConfidence: 2, removeFloating: true, threads: 1 };
  const here = await fuse(input[0], input[1], pixelsOf, options);
  const there = await fuse(input[0], input[1], pixelsOf, { ...options, execution, threadsFrom: 0 });
  expect(there).toEqual(here);
  expect(queue.submitted.map(({ name }) => name)).toContain('cloud/floating');
  expect(floatingWorker.pathname).toContain('floating-worker');
});

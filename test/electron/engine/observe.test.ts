import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { UserError } from '../../../electron/contract/errors.js';
import { observePairs } from '../../../electron/engine/observe.js';
import type { Pair } from '../../../electron/geometry/types.js';
import type { Estimator, EstimatorSession, PairOutcome } from '../../../electron/pointmaps/estimator.js';
import { Project } from '../../../electron/project/project.js';

const folder = mkdtempSync(join(tmpdir(), 'pointmap-observe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const estimator = { id: 'e', version: '1', settingsKey: '' } as Estimator;
const rejected: PairOutcome = { kind: 'rejected', reason: 'no-overlap', detail: 'shows something else' };

function project(name: string): Project {
  const opened = Project.open(join(folder, name), 'create');
  const photos = ['p0', 'p1', 'p2', 'p3'].map((id) => ({
    photo: { id, path: `/${id}.jpg`, name: `${id}.jpg`, width: 400, height: 300, size: 9, sharpness: 0.5 },
    thumbnail: new Uint8Array([1]),
  }));
  opened.addPhotos(photos);
  return opened;
}

const pairs: Pair[] = [
  { a: 0, b: 1 },
  { a: 0, b: 2 },
  { a: 0, b: 3 },
  { a: 1, b: 2 },
  { a: 1, b: 3 },
  { a: 2, b: 3 },
];
const session = (observe: EstimatorSession['observe']): EstimatorSession => ({
  plan: { observe: pairs, rejected: [] },
  observationKey: () => '',
  focal: () => undefined,
  view: () => Promise.reject(new Error('not asked for')),
  observe,
  close: () => Promise.resolve(),
});

test('a pair that ends the run ends all loops before it is told, and nothing is asked for afterwards', async () => {
  const opened = project('failing.pointmap');
  opened.planPairs(pairs.map(({ a, b }) => ({ a: `p${a}`, b: `p${b}` })));
  let asked = 0;
  let running = 0;
  const failing = session(async ({ a, b }, { signal }) => {
    asked++;
    running++;
    try {
      if (a === 0 && b === 1) throw new UserError('disk-full', 'the disk is full');
      await new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)));
      return rejected;
    } finally {
      running--;
    }
  });
  const run = observePairs(opened, estimator, failing, opened.photos(), {
    context: { store: opened.blobs },
    threads: 3,
    before: () => Promise.resolve(),
    onProgress: () => undefined,
  });
  await expect(run).rejects.toThrow('the disk is full');
  expect(running).toBe(0);
  expect(asked).toBeLessThanOrEqual(3);
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toBeLessThanOrEqual(3);
  // What was in flight is planned still: it was not found impossible.
  expect(opened.pairs().map(({ state }) => state)).toEqual(pairs.map(() => 'planned'));
  opened.close();
});

test('a loop that is held by a pause ends with the others', async () => {
  const opened = project('paused.pointmap');
  const failing = session(() => Promise.reject(new UserError('not-found', 'the photo is gone')));
  let held = 0;
  const run = observePairs(opened, estimator, failing, opened.photos(), {
    context: { store: opened.blobs },
    threads: 2,
    before: (stop) =>
      held++ === 0
        ? new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason as Error)))
        : Promise.resolve(),
    onProgress: () => undefined,
  });
  await expect(run).rejects.toThrow('the photo is gone');
  opened.close();
});

test('pairs that fail say why, each reason once, and are asked for again by the next run', async () => {
  const opened = project('unlucky.pointmap');
  opened.planPairs(pairs.map(({ a, b }) => ({ a: `p${a}`, b: `p${b}` })));
  const context = { store: opened.blobs };
  const options = { context, threads: 2, before: () => Promise.resolve(), onProgress: () => undefined };
  const unlucky = session(({ a }) =>
    a === 0 ? Promise.reject(new Error('out of memory')) : Promise.resolve(rejected),
  );
  const first = await observePairs(opened, estimator, unlucky, opened.photos(), options);
  expect(first).toMatchObject({ computed: 6, missing: 0, failures: ['out of memory'] });
  const again: Pair[] = [];
  const lucky = session((pair) => (again.push(pair), Promise.resolve(rejected)));
  expect(await observePairs(opened, estimator, lucky, opened.photos(), options)).toMatchObject({ failures: [] });
  expect(again.map(({ a }) => a)).toEqual([0, 0, 0]);
  opened.close();
});

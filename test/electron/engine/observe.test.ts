import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserError } from '../../../electron/contract/errors.js';
import { Engine } from '../../../electron/engine/engine.js';
import type { EstimatorEntry } from '../../../electron/engine/estimators.js';
import type { Estimator } from '../../../electron/pointmaps/estimator.js';
import { roomEstimator, roomPhotos } from '../../fixtures/room-estimator.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-observe-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The room's estimator, of which the first pair finds its photo gone while another one is computed. */
function failing(events: string[]): EstimatorEntry {
  const entry = roomEstimator();
  const create = async (...given: Parameters<EstimatorEntry['create']>): Promise<Estimator> => {
    const estimator = await entry.create(...given);
    const open: Estimator['open'] = async (...opened) => ({
      ...(await estimator.open(...opened)),
      observe: async (_, { signal }) => {
        events.push('begun');
        if (events.length === 1) {
          await wait(50);
          throw new UserError('not-found', 'the photo is gone; put it back: /0.png');
        }
        while (!signal!.aborted) await wait(5);
        await wait(50);
        events.push('stopped');
        throw signal!.reason;
      },
      close: async () => void events.push('closed'),
    });
    return { ...estimator, open };
  };
  return { ...entry, create };
}

test('a pair that fails stops those beside it, and nothing is asked or told of the session once it is closed', async () => {
  const events: string[] = [];
  const engine = new Engine({ dataFolder: join(folder, 'data'), threads: 2, estimators: [() => [failing(events)]] });
  await engine.request('project.create', { path: join(folder, 'failing.pointmap') });
  await engine.request('photos.add', { paths: [await roomPhotos(folder, 4)] });
  const settings = { estimator: 'room', graph: 'complete' };
  await engine.request('edit.apply', { edit: { kind: 'settings', settings } });
  await engine.request('run.start', {});
  const ended = await engine.settled();
  expect(ended).toMatchObject({ state: 'failed', error: 'the photo is gone; put it back: /0.png' });
  await wait(100);
  expect(events).toEqual(['begun', 'begun', 'stopped', 'closed']);
  const { pairs } = (await engine.request('project.state', {}))!;
  expect(pairs.filter(({ state }) => state === 'rejected')).toEqual([]);
  await engine.close();
});

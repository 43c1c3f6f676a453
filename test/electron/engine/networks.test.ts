import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Engine } from '../../../electron/engine/engine.js';
import type { Result } from '../../../electron/contract/api.js';
import { tinyEncoder } from '../../fixtures/segment-graphs.js';

describe('networks, asked of the engine', () => {
  let folder: string;
  let engine: Engine;
  const before = process.env.POINTMAP_MODELS;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pointmap-networks-'));
    process.env.POINTMAP_MODELS = join(folder, 'models');
    engine = new Engine({ dataFolder: join(folder, 'data') });
  });
  afterEach(async () => {
    await engine.close();
    if (before === undefined) delete process.env.POINTMAP_MODELS;
    else process.env.POINTMAP_MODELS = before;
    await rm(folder, { recursive: true, force: true });
  });
  const find = async (id: string): Promise<Result<'models.list'>['models'][number] | undefined> =>
    (await engine.request('models.list', {})).models.find((model) => model.id === id);

  test('are listed with publisher, licence and use; those for paid work apart from the others', async () => {
    expect(await find('da3-base')).toMatchObject({ publisher: 'depth-anything', nonCommercial: false, use: 'depth' });
    expect(await find('dust3r-512-dpt')).toMatchObject({
      ...{ publisher: 'naver', licence: 'CC-BY-NC-SA-4.0', nonCommercial: true, state: 'available' },
    });
    expect(await find('aliked-n32')).toMatchObject({ publisher: 'colmap', use: 'features' });
    expect(await find('mobilesam-decoder')).toMatchObject({ use: 'masks' });
  });

  test('are installed from a file and removed, and what is under way is told and has an end', async () => {
    const told: unknown[] = [];
    engine.on('models.progress', (progress) => told.push(progress && progress.id));
    const path = join(folder, 'mobilesam-encoder.onnx');
    await tinyEncoder(path, 'sam');
    await engine.request('models.import', { path });
    expect(told[0]).toBe('mobilesam-encoder.onnx');
    expect(told.at(-1)).toBe(null);
    expect(await find('mobilesam-encoder')).toMatchObject({ state: 'installed', use: 'masks' });
    await expect(engine.request('models.import', { path })).rejects.toThrow('already installed');
    expect(told.at(-1)).toBe(null);
    await engine.request('models.remove', { id: 'mobilesam-encoder' });
    expect(await find('mobilesam-encoder')).toMatchObject({ state: 'available' });
  });

  test('of a file that is called as all are, take the name of their folder', async () => {
    await mkdir(join(folder, 'Of Mine'));
    const path = join(folder, 'Of Mine', 'model.safetensors');
    await writeFile(path, 'no network at all');
    await mkdir(join(folder, 'models', 'of-mine'), { recursive: true });
    await expect(engine.request('models.import', { path })).rejects.toThrow('A model of-mine is already installed');
  });

  test('that nobody publishes, or whose licence was not accepted, are not fetched', async () => {
    await expect(engine.request('models.get', { id: 'none', licenceAccepted: true })).rejects.toThrow(
      "no network 'none'",
    );
    const asked = { id: 'da3-base', licenceAccepted: false } as unknown as { id: string; licenceAccepted: true };
    await expect(engine.request('models.get', asked)).rejects.toThrow('licenceAccepted');
  });

  test('workers are those that the engine was given, or none', async () => {
    expect(await engine.request('app.workers', {})).toBe(null);
    const state = { workers: [], queues: [{ program: '1', waiting: 2, active: 0 }] };
    const other = new Engine({ dataFolder: join(folder, 'other'), workers: () => Promise.resolve(state) });
    expect(await other.request('app.workers', {})).toEqual(state);
    await other.close();
  });
});

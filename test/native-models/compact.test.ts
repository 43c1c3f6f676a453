import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelEstimators } from '../../electron/engine/models.js';
import { openPairNetwork } from '../../native-models/network.js';
import { builtInModels, installBuiltIn, trainingOf } from '../../native-models/registry/built-in.js';
import { deviationOf, testImage } from '../../native-models/registry/deviation.js';
import { importModel } from '../../native-models/registry/install.js';
import { compactConfig, compactShapes } from './random-compact.js';
import { randomTensor, writeSafetensors } from './random-network.js';

describe('the compact network', { timeout: 60_000 }, () => {
  let root: string;
  const models = () => join(root, 'models');
  const resources = () => join(root, 'resources');

  async function write(
    folder: string,
    config: Record<string, unknown> = {},
    change: (shapes: Map<string, number[]>) => void = () => {},
  ): Promise<string> {
    const shapes = compactShapes();
    change(shapes);
    await mkdir(folder, { recursive: true });
    await writeSafetensors(
      join(folder, 'model.safetensors'),
      shapes,
      (tensor, shape, index) =>
        tensor.endsWith('_scale') ? new Float32Array(shape[0] ?? 1).fill(1) : randomTensor(tensor, shape, index + 1),
      { licence: 'Apache-2.0', steps: '12' },
    );
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...compactConfig, ...config }));
    return folder;
  }

  beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'pointmap-compact-'))));
  afterAll(() => rm(root, { recursive: true, force: true }));

  it('takes views of any two sizes, and batches', async () => {
    const { folder, card } = await importModel(await write(join(root, 'sizes')), {
      id: 'sizes',
      root: models(),
      precisions: ['float32', 'float16', 'int8'],
    });
    expect(card).toMatchObject({
      architecture: 'compact',
      licence: 'Apache-2.0',
      nonCommercial: false,
      inputSize: 128,
      square: false,
      patch: 16,
    });
    expect(card.precisions.float16!.typical['points1']).toBeLessThan(5e-3);
    const network = openPairNetwork(folder, card, 'float32', 'cpu', 1);
    const wide = [
      await network.encode(testImage(32, 80, 0), 32, 80),
      await network.encode(testImage(32, 80, 9), 32, 80),
    ];
    const tall = await network.encode(testImage(48, 16, 5), 48, 16);
    const [first, second] = await network.decode([
      [wide[0]!, tall],
      [wide[1]!, tall],
    ]);
    const [alone] = await network.decode([[wide[1]!, tall]]);
    expect(first![0].points.length).toBe(32 * 80 * 3);
    expect([first![1].height, first![1].width]).toEqual([48, 16]);
    for (const view of [0, 1] as const)
      expect(deviationOf(second![view].points, alone![view].points).largest).toBeLessThan(1e-4);
    await network.close();
  });

  it('answers for a view of a single token, whose match has no entropy', async () => {
    const { folder, card } = await importModel(await write(join(root, 'single')), { id: 'single', root: models() });
    const network = openPairNetwork(folder, card, 'float32', 'cpu', 1);
    const token = await network.encode(testImage(16, 16, 0), 16, 16);
    const [maps] = await network.decode([[await network.encode(testImage(16, 32, 0), 16, 32), token]]);
    expect(maps![0].points.every(Number.isFinite) && maps![1].confidence.every((value) => value >= 1)).toBe(true);
    await network.close();
  });

  it.each([
    ['another version', { version: 2 }, undefined, /config version/],
    ['heads that do not divide the width', { headWidth: 24 }, undefined, /headWidth 24 does not divide width 32/],
    ['a matching layer after the last block', { matchAfter: 7 }, undefined, /matchAfter is 7 and there are 2/],
    [
      'other sizes than its tensors',
      { refine: 12 },
      undefined,
      /head\.skip\.weight has shape \[8,12,1,1\], expected \[12,12,1,1\]/,
    ],
    [
      'missing and foreign tensors',
      {},
      (shapes: Map<string, number[]>) => (shapes.delete('matching.norm.bias'), shapes.set('spare', [3])),
      /matching\.norm\.bias is missing.*spare is not part of it/,
    ],
  ] as const)('refuses %s', async (title, config, change, message) => {
    await expect(
      importModel(await write(join(root, 'bad'), config, change), { id: title.replaceAll(' ', '-'), root: models() }),
    ).rejects.toThrow(message);
  });

  it('is offered when the program carries it, prepared once, and again when it changed', async () => {
    const folder = await write(join(resources(), 'compact'));
    const [model] = builtInModels(resources());
    expect(model).toMatchObject({ id: 'compact', licence: 'Apache-2.0' });
    expect(await trainingOf(model!)).toBe('steps 12');
    const verdict = async (evaluation: string) => (
      await writeFile(join(folder, 'evaluation.json'), evaluation),
      builtInModels(resources())[0]!.verdict
    );
    expect(model!.verdict).toMatch(/not evaluated/);
    expect(await verdict('{"gates": {"1": {"passed": false}, "2": {"passed": true}}}')).toMatch(
      /passed 1 of 2 gates.*geometric is better/,
    );
    expect(await verdict('{"gates": {"1": {"passed": true}}}')).toMatch(/passed all gates/);
    expect(modelEstimators(resources(), models()).find(({ info }) => info.id === 'compact')?.info).toMatchObject({
      installed: true,
      nonCommercial: false,
    });
    expect(modelEstimators(join(root, 'nothing'), join(root, 'none')).some(({ info }) => info.id === 'compact')).toBe(
      false,
    );
    const made = async () => (await stat(join((await installBuiltIn(model!, models())).folder, 'card.json'))).ino;
    const first = await made();
    expect(await made()).toBe(first);
    await write(folder, {}, (shapes) => shapes.delete('head.covisibility.bias')); // An optional output's.
    expect(await made()).not.toBe(first);
  });
});

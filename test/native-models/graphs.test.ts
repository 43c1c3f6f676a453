import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel } from '../../native-models/registry/install.js';
import { installedModels } from '../../native-models/registry/folder.js';
import { verifyCheckpoint } from '../../native-models/registry/verify.js';
import { graphPath, openPairNetwork } from '../../native-models/network.js';
import { deviationOf, testImage } from '../../native-models/registry/deviation.js';
import { configOf, randomTensor, tensorShapes, tiny, writeSafetensors } from './random-network.js';

const recorded = join(import.meta.dirname, '../../../shared/reference');

describe.skipIf(!existsSync(recorded))(
  'recorded cases of the public reference (skipped where they are not present)',
  () => {
    it.each(['dust3r-linear-tiny', 'dust3r-dpt-tiny', 'croco-tiny'])(
      '%s: float32 within the limits',
      async (name) => {
        const results = await verifyCheckpoint(join(recorded, name));
        expect(results.length).toBe(name === 'croco-tiny' ? 1 : 30);
        for (const { deviation, limit } of results) expect(deviation).toBeLessThanOrEqual(limit);
      },
      60_000,
    );
  },
);

describe('importing', () => {
  let root: string;
  const checkpoint = (name: string) => join(root, name);
  async function write(
    name: string,
    change: (shapes: Map<string, number[]>) => void = () => {},
    config: Record<string, unknown> = {},
    poison?: string,
  ): Promise<string> {
    const shapes = tensorShapes(tiny);
    change(shapes);
    const path = checkpoint(`${name}.safetensors`);
    await writeSafetensors(path, shapes, (tensor, shape, index) => {
      const values = randomTensor(tensor, shape, index + 1);
      if (tensor === poison) values[3] = NaN;
      return values;
    });
    await writeFile(checkpoint('config.json'), JSON.stringify({ ...configOf(tiny), ...config }));
    return path;
  }
  const models = () => join(root, 'models');

  beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'pointmap-graphs-'))));
  afterAll(() => rm(root, { recursive: true, force: true }));

  it('is deterministic to the byte', async () => {
    const path = await write('same');
    const folders = [];
    for (const id of ['one', 'two']) folders.push((await importModel(path, { id, root: models() })).folder);
    for (const name of ['encoder', 'decoder']) {
      for (const ending of ['', '.data']) {
        const [a, b] = await Promise.all(
          folders.map((folder) => readFile(graphPath(folder, 'float32', name) + ending)),
        );
        // The data file's name is part of the graph and the same in both.
        expect(a!.equals(b!)).toBe(true);
      }
    }
  });

  it('measures the other precisions, and each stays near float32', async () => {
    const { card } = await importModel(await write('precise'), {
      id: 'precise',
      root: models(),
      precisions: ['float32', 'float16', 'int8'],
    });
    expect(card.precisions.float32).toBeNull();
    expect(card.precisions.float16!.typical['points1']).toBeLessThan(5e-3);
    expect(card.precisions.int8!.typical['points1']).toBeLessThan(0.1);
    expect(card.precisions.int8!.typical['points1']).toBeGreaterThan(card.precisions.float16!.typical['points1']!);
  });

  it('computes the dense head in 8 bits, on odd grids too, and stays near float32', async () => {
    const sizes = { ...tiny, head: 'dpt' as const };
    const path = checkpoint('dense.safetensors');
    await writeSafetensors(path, tensorShapes(sizes), (tensor, shape, index) => randomTensor(tensor, shape, index + 1));
    await writeFile(checkpoint('config.json'), JSON.stringify(configOf(sizes)));
    const { folder, card } = await importModel(path, { id: 'dense', root: models(), precisions: ['float32', 'int8'] });
    const decoded = await Promise.all(
      (['float32', 'int8'] as const).map(async (precision) => {
        const network = openPairNetwork(folder, card, precision, 'cpu', 1);
        const pair = [
          await network.encode(testImage(48, 80, 0), 48, 80),
          await network.encode(testImage(80, 16, 5), 80, 16),
        ] as const;
        const [maps] = await network.decode([pair]);
        await network.close();
        return maps!;
      }),
    );
    for (const view of [0, 1] as const) {
      expect(deviationOf(decoded[1]![view].points, decoded[0]![view].points).typical).toBeLessThan(0.15);
      expect(deviationOf(decoded[1]![view].confidence, decoded[0]![view].confidence).typical).toBeLessThan(0.1);
    }
  });

  it('decodes a batch as it decodes one by one, portrait with landscape', async () => {
    const { folder, card } = await importModel(await write('batch'), { id: 'batch', root: models() });
    const network = openPairNetwork(folder, card, 'float32', 'cpu', 1);
    const wide = [
      await network.encode(testImage(32, 48, 0), 32, 48),
      await network.encode(testImage(32, 48, 9), 32, 48),
    ];
    const tall = await network.encode(testImage(64, 16, 5), 64, 16);
    const together = await network.decode([
      [wide[0]!, tall],
      [wide[1]!, tall],
    ]);
    const alone = (await network.decode([[wide[1]!, tall]]))[0]!;
    expect(together[1]![0].points.length).toBe(32 * 48 * 3);
    expect([together[1]![1].height, together[1]![1].width]).toEqual([64, 16]);
    for (const view of [0, 1] as const)
      expect(deviationOf(together[1]![view].points, alone[view].points).largest).toBeLessThan(1e-4);
    expect(together[0]![0].confidence.every((value) => value >= 1)).toBe(true);
    await network.close();
  });

  it('reads MASt3R as DUSt3R with descriptors beside, and counts a tensor of two names once', async () => {
    const shapes = tensorShapes({ ...tiny, head: 'dpt' });
    const count = () => [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((p, size) => p * size, 1), 0);
    for (const head of [1, 2]) shapes.set(`downstream_head${head}.head_local_features.fc1.weight`, [8, 64]);
    const expected = count();
    for (const head of [1, 2])
      shapes.set(`downstream_head${head}.dpt.scratch.layer_rn.0.weight`, [tiny.features, tiny.levels[0], 3, 3]);
    const path = checkpoint('mast3r.safetensors');
    await writeSafetensors(path, shapes, (tensor, shape, index) => randomTensor(tensor, shape, index + 1));
    await writeFile(checkpoint('config.json'), JSON.stringify(configOf({ ...tiny, head: 'dpt' })));
    const { card } = await importModel(path, { id: 'mast3r', root: models() });
    expect(card).toMatchObject({ architecture: 'dust3r', title: 'MASt3R (mast3r)', parameters: expected });
    expect(count()).toBeGreaterThan(expected);
  });

  it('names every wrong tensor, and leaves nothing registered', async () => {
    const path = await write('wrong', (shapes) => {
      shapes.delete('enc_norm.bias');
      shapes.set('dec_norm.weight', [31]);
      shapes.set('something.else', [2]);
    });
    const failure = await importModel(path, { id: 'wrong', root: models() }).catch((error: Error) => error.message);
    for (const part of [
      'enc_norm.bias is missing',
      'dec_norm.weight has shape [31], expected [32]',
      'something.else is not part of it',
      '(3 differences)',
    ])
      expect(failure).toContain(part);
    expect((await installedModels(models())).some(({ card }) => card.id === 'wrong')).toBe(false);
  });

  it.each([
    ['a config that contradicts the tensors', { enc_depth: 3 }, 'enc_depth is 3 and the tensors have 2'],
    ['heads that do not divide the width', { dec_num_heads: 5 }, 'dec_num_heads 5'],
    ['another position embedding', { pos_embed: 'cosine' }, 'pos_embed cosine'],
    ['a config of the wrong types', { enc_depth: 'many' }, 'enc_depth'],
  ])('refuses %s', async (_, config, message) => {
    await expect(
      importModel(await write('contradiction', undefined, config), { id: 'contradiction', root: models() }),
    ).rejects.toThrow(message);
  });

  it('refuses NaN weights after building began, and clears up', async () => {
    await expect(
      importModel(await write('poisoned', undefined, {}, 'dec_blocks.1.mlp.fc1.weight'), {
        id: 'poisoned',
        root: models(),
      }),
    ).rejects.toThrow('NaN in tensor dec_blocks.1.mlp.fc1.weight (element 3)');
    const { readdir } = await import('node:fs/promises');
    expect((await readdir(models())).filter((name) => name.includes('poisoned'))).toEqual([]);
  });

  it('refuses another architecture', async () => {
    const path = await write('other', (shapes) => {
      shapes.clear();
      shapes.set('layer.weight', [4, 4]);
    });
    await expect(importModel(path, { id: 'other', root: models() })).rejects.toThrow('another architecture');
  });
});

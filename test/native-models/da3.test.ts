import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cameraNumbers, cameraOf } from '../../native-models/da3/camera-numbers.js';
import { openGroupNetwork, type GroupFeatures } from '../../native-models/da3/network.js';
import { referenceView } from '../../native-models/da3/reference-view.js';
import { deviationOf, testImage } from '../../native-models/registry/deviation.js';
import { importModel } from '../../native-models/registry/install.js';
import { verifyCheckpoint } from '../../native-models/registry/verify.js';
import { da3Config, da3Shapes, tinyDa3 } from './random-da3.js';
import { randomTensor, writeSafetensors } from './random-network.js';

const recorded = join(import.meta.dirname, '../../../shared/reference/da3-tiny');

describe.skipIf(!existsSync(recorded))(
  'recorded cases (skipped where they are not present)',
  { timeout: 60_000 },
  () => {
    it('one, two, three and five views, and given cameras: float32 within the limit', async () => {
      const results = await verifyCheckpoint(recorded);
      expect(results.length).toBe(5 * 14);
      for (const { deviation, limit } of results) expect(deviation).toBeLessThanOrEqual(limit);
    });
  },
);

/** A camera turned about a skew axis and moved. */
function posed(angle: number): Float64Array {
  const camera = cameraOf([0.3, -0.2, 1, 0.6 * Math.sin(angle), 0, 0.8 * Math.sin(angle), Math.cos(angle), 1, 1], 2, 2);
  return camera.worldFromCamera;
}

// Building a model takes seconds where the machine is busy.
describe('Depth Anything 3', { timeout: 60_000 }, () => {
  let root: string;
  const models = () => join(root, 'models');

  async function write(
    name: string,
    change: (shapes: Map<string, number[]>) => void = () => {},
    config: Record<string, unknown> = da3Config(tinyDa3),
    values: typeof randomTensor = randomTensor,
  ): Promise<string> {
    const shapes = da3Shapes(tinyDa3);
    change(shapes);
    const folder = join(root, name);
    await mkdir(folder, { recursive: true });
    await writeSafetensors(join(folder, 'model.safetensors'), shapes, (tensor, shape, index) =>
      values(tensor, shape, index + 1),
    );
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    return folder;
  }

  beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'pointmap-da3-'))));
  afterAll(() => rm(root, { recursive: true, force: true }));

  it('imports in all precisions, and runs any number of views of any shape', async () => {
    const { folder, card } = await importModel(await write('any'), {
      id: 'any',
      root: models(),
      precisions: ['float32', 'float16', 'int8'],
    });
    expect(card).toMatchObject({ architecture: 'da3', patch: 14, inputSize: 504, square: false });
    expect(card.precisions.float16!.typical['depth']).toBeLessThan(5e-3);
    expect(card.precisions.int8!.typical['features']).toBeLessThan(0.05);
    const network = openGroupNetwork(folder, card.patch, 'float32', 'cpu', 1);
    for (const [count, height, width] of [
      [1, 14, 70],
      [4, 56, 28],
    ] as const) {
      const photos = [];
      for (let view = 0; view < count; view++)
        photos.push(await network.photo(testImage(height, width, 7 * view), height, width));
      const group = await network.group(photos);
      expect(group.cameras.length).toBe(count);
      const depth = await network.depth(group, count - 1);
      expect([depth.height, depth.width, depth.depth.length]).toEqual([height, width, height * width]);
      expect(depth.depth.every((value) => value > 0) && depth.confidence.every((value) => value >= 1)).toBe(true);
    }
    const [wide, tall] = [
      await network.photo(testImage(14, 28, 0), 14, 28),
      await network.photo(testImage(28, 14, 0), 28, 14),
    ];
    await expect(network.group([wide, tall])).rejects.toThrow('one shape');
    await expect(network.group([wide], [])).rejects.toThrow('for all photos');
    await expect(network.photo(testImage(15, 28, 0), 15, 28)).rejects.toThrow('patches of 14');
    await network.close();
  });

  it('says the same of views in another order: the reference is found, not the first', async () => {
    const { folder, card } = await importModel(await write('order'), { id: 'order', root: models() });
    const network = openGroupNetwork(folder, card.patch, 'float32', 'cpu', 1);
    const photos = [];
    for (const shift of [0, 30, 60]) photos.push(await network.photo(testImage(42, 28, shift), 42, 28));
    const same = (a: GroupFeatures, va: number, b: GroupFeatures, vb: number) =>
      deviationOf(a.features[3]![va]!, b.features[3]![vb]!).largest;
    const [forward, backward] = [await network.group(photos), await network.group([...photos].reverse())];
    for (const view of [0, 1, 2]) expect(same(forward, view, backward, 2 - view)).toBeLessThan(1e-4);
    expect(same(forward, 0, backward, 0)).toBeGreaterThan(1e-3);
    // Given cameras change what is seen, and take the place of the reference.
    const cameras = photos.map((_, view) => ({ worldFromCamera: posed(view / 5), fx: 30, fy: 30 }));
    expect(same(await network.group(photos, cameras), 0, forward, 0)).toBeGreaterThan(1e-3);
    await network.close();
  });

  it('names what a config contradicts, tensors that are missing, and NaN; nothing is registered', async () => {
    const config = da3Config(tinyDa3) as { config: { net: Record<string, unknown> } };
    config.config.net['alt_start'] = 6;
    await expect(importModel(await write('wrong', undefined, config), { id: 'wrong', root: models() })).rejects.toThrow(
      'alt_start is 6 and the tensors have 4',
    );
    const without = (shapes: Map<string, number[]>) => void shapes.delete('model.cam_dec.fc_t.bias');
    await expect(importModel(await write('without', without), { id: 'without', root: models() })).rejects.toThrow(
      'model.cam_dec.fc_t.bias is missing',
    );
    const poisoned: typeof randomTensor = (name, shape, seed) =>
      name.endsWith('camera_token') ? randomTensor(name, shape, seed).fill(NaN) : randomTensor(name, shape, seed);
    await expect(
      importModel(await write('poisoned', undefined, undefined, poisoned), { id: 'poisoned', root: models() }),
    ).rejects.toThrow('NaN in tensor model.backbone.pretrained.camera_token');
    const folder = await write('short');
    const file = join(folder, 'model.safetensors');
    await writeFile(file, (await readFile(file)).subarray(0, -100));
    await expect(importModel(folder, { id: 'short', root: models() })).rejects.toThrow('cannot be read');
    for (const id of ['wrong', 'without', 'poisoned', 'short']) expect(existsSync(join(models(), id))).toBe(false);
  });
});

describe('cameras as nine numbers', () => {
  it.each([0.1, 1.2, 2, 3.1])('come back as they went, turned by %s', (angle) => {
    const camera = { worldFromCamera: posed(angle), fx: 400, fy: 380 };
    const numbers = cameraNumbers(camera, 300, 504);
    expect(numbers[6]).toBeGreaterThanOrEqual(0);
    const back = cameraOf(numbers, 300, 504);
    camera.worldFromCamera.forEach((value, k) => expect(back.worldFromCamera[k]).toBeCloseTo(value, 12));
    expect(back.fx).toBeCloseTo(400, 9);
    expect(back.fy).toBeCloseTo(380, 9);
  });
});

describe('the reference view', () => {
  it('is the first of one or two, and a middling one of more', () => {
    const token = (x: number, y: number) => Float32Array.of(x, y, 0.5);
    expect(referenceView([token(5, 1), token(1, 1)])).toBe(0);
    // Lengths and variances grow from view to view; the second's are nearest to the middle.
    expect(referenceView([token(1, 0.5), token(2, 0.8), token(3, 1)])).toBe(1);
  });
});

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Segmenting } from '../../electron/engine/segmenting.js';
import type { Photo } from '../../electron/geometry/types.js';
import { catalog } from '../../native-models/registry/catalog.js';
import { importModel } from '../../native-models/registry/install.js';
import { openSegmenter, type SegmentKind } from '../../native-models/segmentation/sam.js';
import { tinyDecoder, tinyEncoder } from '../fixtures/segment-graphs.js';

const picture = { pixels: new Uint8Array(3 * 40 * 20).fill(90), width: 40, height: 20 };
const share = (mask: ArrayLike<number>, from: number, to: number): number => {
  let sum = 0;
  for (let y = 0; y < 20; y++) for (let x = from; x < to; x++) sum += mask[y * 40 + x]!;
  return sum / (20 * (to - from));
};

describe('finding objects by click and box', { timeout: 60_000 }, () => {
  let root: string;
  const at = (name: string) => join(root, name);
  const before = process.env.POINTMAP_MODELS;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'pointmap-segment-'));
    for (const kind of ['sam', 'sam2'] as const) {
      await tinyEncoder(at(`${kind}-encoder.onnx`), kind);
      await tinyDecoder(at(`${kind}-decoder.onnx`), kind);
    }
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  afterEach(() => {
    if (before === undefined) delete process.env.POINTMAP_MODELS;
    else process.env.POINTMAP_MODELS = before;
  });
  const open = (kind: SegmentKind) =>
    openSegmenter({ encoder: at(`${kind}-encoder.onnx`), decoder: at(`${kind}-decoder.onnx`) }, 'cpu', 1);

  it.each(['sam', 'sam2'] as const)(
    'runs %s as it is published: places on its own scale, the surest mask',
    async (kind) => {
      const segmenter = await open(kind);
      const view = await segmenter.look(picture);
      const right = await segmenter.mask(view, { points: [{ x: 30, y: 10, isObject: true }] });
      expect([share(right, 0, 18), share(right, 22, 40)]).toEqual([1, 0]);
      const box = await segmenter.mask(view, { points: [], box: { x0: 12, y0: 15, x1: 3, y1: 4 } });
      expect([share(box, 0, 18), share(box, 22, 40)]).toEqual([0, 1]);
      await segmenter.close();
    },
  );

  it('refuses graphs of another form, of two networks, and in each other’s place', async () => {
    await tinyEncoder(at('thin.onnx'), 'sam', 128);
    await expect(
      openSegmenter({ encoder: at('thin.onnx'), decoder: at('sam-decoder.onnx') }, 'cpu', 1),
    ).rejects.toThrow('output image_embeddings has shape [1, 128, 64, 64], expected [1, 256, 64, 64]');
    await expect(
      openSegmenter({ encoder: at('sam-encoder.onnx'), decoder: at('sam2-decoder.onnx') }, 'cpu', 1),
    ).rejects.toThrow('not the decoder that belongs to the encoder');
    await expect(
      openSegmenter({ encoder: at('sam-decoder.onnx'), decoder: at('sam-decoder.onnx') }, 'cpu', 1),
    ).rejects.toThrow('this is the decoder, where the encoder is expected');
  });

  it('is installed in two parts, told where it is missing, and answers in pixels of the page', async () => {
    process.env.POINTMAP_MODELS = at('models');
    await mkdir(at('models'));
    let reads = 0;
    const segmenting = new Segmenting({ read: () => (reads++, Promise.resolve(picture)) });
    const photo = { id: 'a', name: 'a.jpg' } as Photo;
    const ask = (x: number) =>
      segmenting.ask(photo, { width: 20, height: 10, points: [{ x, y: 5, isObject: true }], box: undefined });
    await expect(ask(15)).rejects.toThrow(/not installed.*pointmap models add mobilesam-encoder/);
    for (const part of ['encoder', 'decoder']) {
      const { card } = await importModel(at(`sam-${part}.onnx`), { id: `mobilesam-${part}`, licence: 'Apache-2.0' });
      expect(card).toMatchObject({ architecture: `sam-${part}`, licence: 'Apache-2.0', nonCommercial: false });
    }
    const [right, left] = [await ask(15), await ask(2)];
    // Runs beside and on the object by turns: ten rows of 20, the object on one side of each.
    expect(right.runs.slice(0, 4)).toEqual([0, 10, 10, 10]);
    expect(left.runs.slice(0, 3)).toEqual([10, 10, 10]);
    for (const { runs } of [right, left]) expect(runs.reduce((sum, run) => sum + run, 0)).toBe(200);
    expect(reads).toBe(1);
    await segmenting.close();
  });

  it('is known by name, with licence and hash', () => {
    const known = catalog.filter(({ id }) => id.startsWith('mobilesam-'));
    expect(known.map(({ architecture }) => architecture)).toEqual(['sam-encoder', 'sam-decoder']);
    for (const { licence, nonCommercial, origin } of known) {
      expect([licence, nonCommercial]).toEqual(['Apache-2.0', false]);
      expect('sha256' in origin && origin.sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});

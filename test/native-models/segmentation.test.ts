import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Segmenting } from '../../electron/engine/segmenting.js';
import type { Photo } from '../../electron/geometry/types.js';
import { Graph } from '../../native-models/onnx/graph.js';
import { catalog } from '../../native-models/registry/catalog.js';
import { importModel } from '../../native-models/registry/install.js';
import { openSegmenter } from '../../native-models/segmentation/sam.js';

type Kind = 'sam' | 'sam2';

/** The encoder's signature; it tells the picture's mean everywhere. */
async function tinyEncoder(path: string, kind: Kind, channels = 256): Promise<void> {
  const graph = new Graph('encoder');
  const image =
    kind === 'sam'
      ? graph.input('input_image', 'float32', ['h', 'w', 3])
      : graph.input('image', 'float32', [1, 3, 1024, 1024]);
  const mean = graph.node('ReduceMean', [image], { attributes: { keepdims: 0 } });
  const one = graph.node('Reshape', [mean, graph.ints([1, 1, 1, 1])]);
  const out = (name: string, shape: number[]) =>
    graph.output(name, graph.node('Expand', [one, graph.ints(shape)]), 'float32', shape);
  out(kind === 'sam' ? 'image_embeddings' : 'image_embed', [1, channels, 64, 64]);
  if (kind === 'sam2') {
    out('high_res_feats_0', [1, 32, 256, 256]);
    out('high_res_feats_1', [1, 64, 128, 128]);
  }
  await graph.save(path);
}

/**
 * The decoder's signature. Its mask is the left half for a first place right of the middle, else the right half; of SAM
 * 2.1's three masks the second is the surest, and the others are the reverse.
 */
async function tinyDecoder(path: string, kind: Kind): Promise<void> {
  const graph = new Graph('decoder');
  if (kind === 'sam') graph.input('image_embeddings', 'float32', [1, 256, 64, 64]);
  else {
    graph.input('image_embed', 'float32', [1, 256, 64, 64]);
    graph.input('high_res_feats_0', 'float32', [1, 32, 256, 256]);
    graph.input('high_res_feats_1', 'float32', [1, 64, 128, 128]);
  }
  const places = graph.input('point_coords', 'float32', [1, 'n', 2]);
  graph.input('point_labels', 'float32', [1, 'n']);
  graph.input('mask_input', 'float32', [1, 1, 256, 256]);
  graph.input('has_mask_input', 'float32', [1]);
  if (kind === 'sam') graph.input('orig_im_size', 'float32', [2]);
  const first = graph.node('Slice', [places, graph.ints([0, 0, 0]), graph.ints([1, 1, 1]), graph.ints([0, 1, 2])]);
  const off = graph.node('Sub', [graph.node('Reshape', [first, graph.ints([1])]), graph.floats([512])]);
  const signs = kind === 'sam' ? [1, -1] : [-1, 1, 1, -1, -1, 1];
  const masks = graph.node('Mul', [off, graph.floats(signs)]);
  const count = signs.length / 2;
  graph.output('masks', graph.node('Reshape', [masks, graph.ints([1, count, 1, 2])]), 'float32', [1, count, 1, 2]);
  const sure = graph.node('Reshape', [graph.floats(kind === 'sam' ? [0.5] : [0.1, 0.9, 0.2]), graph.ints([1, count])]);
  graph.output('iou_predictions', sure, 'float32', [1, count]);
  await graph.save(path);
}

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
  const open = (kind: Kind) =>
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

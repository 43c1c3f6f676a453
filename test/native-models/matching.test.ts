import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findAll } from '../../electron/sparse/correspondence.js';
import type { Photo } from '../../electron/geometry/types.js';
import { openAliked } from '../../native-models/matching/aliked.js';
import { openLightGlue, type MatchedFeatures } from '../../native-models/matching/lightglue.js';
import { Graph } from '../../native-models/onnx/graph.js';
import { catalog } from '../../native-models/registry/catalog.js';
import { importModel } from '../../native-models/registry/install.js';

/**
 * A graph of LightGlue's signature that matches each descriptor to the most similar one, is as sure as they are alike,
 * and leaves out what lies beyond the middle of the picture.
 */
async function tinyMatcher(
  path: string,
  change: { descriptor?: number; without?: string; plain?: boolean } = {},
): Promise<void> {
  const graph = new Graph('matcher');
  const both = (name: string, dims: (number | string)[]) =>
    [0, 1].map((k) =>
      graph.input(
        `${name}${k}`,
        'float32',
        dims.map((side) => (side === 'n' ? `n${k}` : side)),
      ),
    );
  const places = both('kpts', [1, 'n', 2]);
  const descriptors = both('desc', [1, 'n', change.descriptor ?? 128]);
  const sizes = both('image_size', [1, 2]);
  if (!change.plain) both('scales', [1, 'n']);
  if (!change.plain && change.without !== 'oris') both('oris', [1, 'n']);
  const turned = graph.node('Transpose', [descriptors[1]!], { attributes: { perm: [0, 2, 1] } });
  const likeness = graph.node('Squeeze', [graph.node('MatMul', [descriptors[0]!, turned]), graph.ints([0])]);
  const best = graph.node('ArgMax', [likeness], { attributes: { axis: 1, keepdims: 0 } });
  const sure = graph.node('ReduceMax', [likeness, graph.ints([1])], { attributes: { keepdims: 0 } });
  const first = (value: typeof likeness) =>
    graph.node('Squeeze', [
      graph.node('Gather', [value, graph.ints([0])], { attributes: { axis: -1 } }),
      graph.ints([-1]),
    ]);
  const middle = graph.node('Mul', [first(sizes[0]!), graph.floats([0.5])]);
  const left = graph.node('Squeeze', [graph.node('Less', [first(places[0]!), middle]), graph.ints([0])]);
  graph.output('matches0', graph.node('Where', [left, best, graph.int(-1)]), 'int64', ['n0']);
  graph.output('mscores0', sure, 'float32', ['n0']);
  await graph.save(path);
}

/** A graph of ALIKED's signature: three features at told places, as many as asked for, described by the picture's first value. */
async function tinyFinder(path: string, change: { descriptor?: number } = {}): Promise<void> {
  const graph = new Graph('finder');
  const image = graph.input('image', 'float32', [1, 3, 'h', 'w']);
  const most = graph.input('max_keypoints', 'int64', []);
  const least = graph.input('min_score', 'float32', []);
  const width = change.descriptor ?? 128;
  // Of a picture padded to 64x32: (31.5, 15.5), the far corner (63, 31), and (0, 0).
  const places = graph.node('Reshape', [graph.floats([0, 0, 1, 1, -1, -1]), graph.ints([1, 3, 2])]);
  const count = graph.node('Unsqueeze', [most, graph.ints([0])]);
  const upTo = (value: typeof places) => graph.node('Slice', [value, graph.ints([0]), count, graph.ints([1])]);
  const brightest = graph.node('ReduceMax', [image, graph.ints([1, 2, 3])], { attributes: { keepdims: 0 } });
  const score = graph.node('Add', [graph.node('Mul', [graph.floats([1, 1, 1]), brightest]), least]);
  const scores = graph.node('Reshape', [score, graph.ints([1, 3])]);
  const tall = graph.node('Reshape', [score, graph.ints([1, 3, 1])]);
  const vectors = graph.node('Expand', [tall, graph.ints([1, 3, width])]);
  graph.output('keypoints', upTo(places), 'float32', [1, 'n', 2]);
  graph.output('descriptors', upTo(vectors), 'float32', [1, 'n', width]);
  graph.output('scores', upTo(scores), 'float32', [1, 'n']);
  await graph.save(path);
}

/** Features in a row, each with a descriptor of its own number. */
function features(numbers: number[]): MatchedFeatures {
  const keypoints = Float32Array.from(numbers.flatMap((_, k) => [10 * k, 5, 2, 0.5]));
  const descriptors = new Uint8Array(128 * numbers.length);
  numbers.forEach((number, k) => descriptors.set([180, 90], 128 * k + 2 * number));
  return { count: numbers.length, keypoints, descriptors, width: 60, height: 20 };
}

describe('learned matching', { timeout: 60_000 }, () => {
  let root: string;
  const at = (name: string) => join(root, name);
  beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'pointmap-matching-'))));
  afterAll(() => rm(root, { recursive: true, force: true }));

  it('runs a graph of the published signature as it is', async () => {
    await tinyMatcher(at('sift.onnx'));
    const matcher = await openLightGlue(at('sift.onnx'), 'sift', 'cpu', 1);
    // Beyond half of 60 pixels nothing is matched, whatever it is; an unlike one is not sure enough.
    const matches = await matcher.match(features([3, 9, 30, 5]), features([5, 3, 9]));
    expect([...matches]).toEqual([0, 1, 1, 2]);
    expect((await matcher.match(features([]), features([1]))).length).toBe(0);
    await matcher.close();
  });

  it('refuses a graph whose inputs are others, naming each', async () => {
    await tinyMatcher(at('wide.onnx'), { descriptor: 256 });
    await expect(openLightGlue(at('wide.onnx'), 'wide', 'cpu', 1)).rejects.toThrow(
      'input desc0 has shape [1, n0, 256], expected [any, any, 128]',
    );
    await tinyMatcher(at('short.onnx'), { without: 'oris' });
    await expect(openLightGlue(at('short.onnx'), 'short', 'cpu', 1)).rejects.toThrow('input oris0 is missing');
  });

  it('finds features with ALIKED, of the picture and its mask only', async () => {
    await tinyFinder(at('aliked.onnx'));
    const finder = await openAliked(at('aliked.onnx'), 'aliked', 'cpu', 1, { maximum: 3, least: 0.25 });
    const [width, height] = [40, 20]; // padded to 64x32: the corner's feature lies outside
    const pixels = new Uint8Array(3 * width * height);
    pixels[5] = 255;
    const all = await finder.find({ pixels, width, height });
    expect([...all.keypoints]).toEqual([31.5, 15.5, 1, 0, 0, 0, 1, 0]);
    expect(all.vectors.length).toBe(2 * 128);
    expect(all.vectors[0]).toBeCloseTo(1.25, 6); // the brightest value, 1, and the least score
    const keep = new Uint8Array(width * height).fill(1);
    keep[0] = 0;
    expect((await finder.find({ pixels, width, height, keep })).count).toBe(1);
    await finder.close();
    await tinyFinder(at('narrow.onnx'), { descriptor: 64 });
    await expect(openAliked(at('narrow.onnx'), 'narrow', 'cpu', 1)).rejects.toThrow(
      'output descriptors has shape [1, n, 64], expected [any, any, 128]',
    );
  });

  it('matches what ALIKED finds, kept for the next run', async () => {
    await tinyFinder(at('aliked.onnx'));
    await tinyMatcher(at('glue.onnx'), { plain: true });
    const finder = await openAliked(at('aliked.onnx'), 'aliked', 'cpu', 1, { maximum: 3, least: 0.25 });
    const matcher = await openLightGlue(at('glue.onnx'), 'glue', 'cpu', 1, undefined, finder);
    expect(matcher.id).toContain(finder.id);
    const kept = new Map<string, Uint8Array>();
    let reads = 0;
    const photo = { id: 'a', name: 'a', width: 40, height: 20 } as Photo;
    const reader = {
      read: async () => (reads++, { width: 40, height: 20, pixels: new Uint8Array(3 * 40 * 20).fill(200) }),
    };
    const store = {
      get: (key: string) => kept.get(key),
      put: (key: string, value: Uint8Array) => void kept.set(key, value),
    };
    const find = () => findAll([photo], reader, undefined as never, { store, matcher });
    const [first] = await find();
    const [second] = await find();
    expect(reads).toBe(1);
    expect(second).toEqual(first);
    const picture = { ...first!, width: 40, height: 20 };
    // The matcher leaves out what lies beyond half of the picture.
    expect([...(await matcher.match(picture, picture))]).toEqual([1, 0]);
    await matcher.close();
    await tinyMatcher(at('sift.onnx'));
    await expect(openLightGlue(at('glue.onnx'), 'glue', 'cpu', 1)).rejects.toThrow('it takes ALIKED features');
  });

  it('is installed as it is, and nothing else is', async () => {
    await tinyMatcher(at('sift.onnx'));
    const { card, folder } = await importModel(at('sift.onnx'), {
      id: 'sift',
      root: at('models'),
      licence: 'Apache-2.0',
    });
    expect(card).toMatchObject({ architecture: 'lightglue', licence: 'Apache-2.0', nonCommercial: false });
    expect(await readFile(join(folder, 'graph.float32.onnx'))).toEqual(await readFile(at('sift.onnx')));
    await writeFile(at('damaged.onnx'), (await readFile(at('sift.onnx'))).subarray(0, 200));
    await expect(importModel(at('damaged.onnx'), { id: 'damaged', root: at('models') })).rejects.toThrow(
      'cannot be opened',
    );
    const other = new Graph('other');
    other.output('y', other.node('Neg', [other.input('x', 'float32', [1])]), 'float32', [1]);
    await other.save(at('other.onnx'));
    await expect(importModel(at('other.onnx'), { id: 'other', root: at('models') })).rejects.toThrow(
      'none that the studio runs',
    );
  });

  it('is known by name, with a hash for every file', () => {
    const ready = catalog.filter(({ architecture }) => architecture === 'lightglue' || architecture === 'aliked');
    expect(ready.map(({ id }) => id).sort()).toEqual([
      'aliked-lightglue',
      'aliked-n16rot',
      'aliked-n32',
      'sift-lightglue',
    ]);
    for (const { origin, nonCommercial } of ready) {
      expect(nonCommercial).toBe(false);
      expect('sha256' in origin && origin.sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});

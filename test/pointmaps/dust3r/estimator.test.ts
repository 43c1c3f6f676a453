import type { BlobStore, PhotoReader } from '../../../electron/geometry/stage.js';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptySparseModel } from '../../../electron/geometry/sparse-model.js';
import type { Pair, Photo } from '../../../electron/geometry/types.js';
import { createDust3rEstimator, type Dust3rOptions } from '../../../electron/pointmaps/dust3r/estimator.js';
import { planarImage, viewGeometry } from '../../../electron/pointmaps/dust3r/preprocess.js';
import { openPairNetwork, type PairNetwork } from '../../../native-models/network.js';
import { importModel } from '../../../native-models/registry/install.js';
import { configOf, randomTensor, tensorShapes, tiny, writeSafetensors } from '../../native-models/random-network.js';

describe('a view', () => {
  const large = { size: 512, square: false, patch: 16 };
  it.each([
    ['landscape', 4000, 3000, 512, 384],
    ['portrait', 3000, 4000, 384, 512],
    ['square, cut to 4:3', 2000, 2000, 512, 384],
    ['wide', 4032, 2268, 512, 288],
    ['a small photo, enlarged', 100, 80, 512, 400],
    ['a panorama thinner than a patch', 9000, 100, 512, 16],
  ])('of a %s photo', (_, width, height, viewWidth, viewHeight) => {
    const { crop, originalFromView: map } = viewGeometry({ width, height }, large);
    expect([crop.width, crop.height]).toEqual([viewWidth, viewHeight]);
    // The view's centre is the photo's centre, to half a view pixel of cropping.
    expect(Math.abs(map.offsetX + (map.scaleX * (viewWidth - 1)) / 2 - (width - 1) / 2)).toBeLessThanOrEqual(
      map.scaleX / 2 + 1e-9,
    );
    expect(Math.abs(map.offsetY + (map.scaleY * (viewHeight - 1)) / 2 - (height - 1) / 2)).toBeLessThanOrEqual(
      map.scaleY / 2 + 1e-9,
    );
  });
  it('of a square photo stays square for the compact network', () =>
    expect(viewGeometry({ width: 2000, height: 2000 }, { ...large, size: 128, keepSquares: true }).crop).toEqual({
      left: 0,
      top: 0,
      width: 128,
      height: 128,
    }));
  it('of a 224 model is the centre square', () => {
    const { resized, crop } = viewGeometry({ width: 4000, height: 3000 }, { size: 224, square: true, patch: 16 });
    expect([resized, crop]).toEqual([
      { width: 299, height: 224 },
      { left: 37, top: 0, width: 224, height: 224 },
    ]);
  });
  it('is scaled to -1..1, planar', () =>
    expect([...planarImage({ width: 2, height: 1, pixels: Uint8Array.of(0, 255, 51, 255, 0, 102) })]).toEqual([
      -1,
      1,
      1,
      -1,
      Math.fround(51 / 127.5 - 1),
      Math.fround(102 / 127.5 - 1),
    ]));
});

describe('the estimator', () => {
  let root: string;
  let folder: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'pointmap-dust3r-'));
    const path = join(root, 'tiny.safetensors');
    await writeSafetensors(path, tensorShapes(tiny), (name, shape, index) => randomTensor(name, shape, index + 1));
    await writeFile(join(root, 'config.json'), JSON.stringify({ ...configOf(tiny), img_size: [256, 256] }));
    ({ folder } = await importModel(path, { id: 'tiny', root: join(root, 'models'), licence: 'test' }));
  });
  afterAll(() => rm(root, { recursive: true }));

  const photos = Array.from({ length: 4 }, (_, k): Photo => ({
    id: `photo-${k}`,
    path: '',
    name: `${k}.jpg`,
    width: k === 3 ? 60 : 80,
    height: k === 3 ? 80 : 60,
    size: 0,
    sharpness: 1,
  }));
  const complete: Pair[] = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].filter((b) => b > a).map((b) => ({ a, b })));
  const reader: PhotoReader = {
    read: (photo, { width = 0, height = 0 }) =>
      Promise.resolve({
        width,
        height,
        pixels: Uint8Array.from(
          { length: 3 * width * height },
          (_, k) => (k * (7 + photo.id.charCodeAt(6)) * 13) & 255,
        ),
      }),
  };
  const store = (): BlobStore & { blobs: Map<string, Uint8Array> } => {
    const blobs = new Map<string, Uint8Array>();
    return { blobs, get: (key) => blobs.get(key), put: (key, value) => void blobs.set(key, value) };
  };
  function counted(): { counts: { encode: number; decode: number }; openNetwork: Dust3rOptions['openNetwork'] } {
    const counts = { encode: 0, decode: 0 };
    return {
      counts,
      openNetwork: (path, card, precision, provider): PairNetwork => {
        const network = openPairNetwork(path, card, precision, provider, 1);
        return {
          ...network,
          encode: (...args) => (counts.encode++, network.encode(...args)),
          decode: (pairs) => ((counts.decode += pairs.length), network.decode(pairs)),
        };
      },
    };
  }
  const observeAll = async (options: Dust3rOptions, list: Photo[] = photos, pairs = complete, blobs = store()) => {
    const estimator = await createDust3rEstimator(reader, folder, { provider: 'cpu', ...options });
    const session = await estimator.open(list, pairs, { store: blobs });
    const outcomes = await Promise.all(session.plan.observe.map((pair) => session.observe(pair, { store: blobs })));
    await session.close();
    return { session, outcomes };
  };

  it('takes 4 encodings and 12 decodings for the complete graph of 4 photos', async () => {
    const { counts, openNetwork } = counted();
    const { outcomes, session } = await observeAll({ openNetwork });
    expect(counts).toEqual({ encode: 4, decode: 12 });
    expect(new Set(session.plan.observe.map(({ a, b }) => `${a}-${b}`)).size).toBe(12);
    for (const [k, outcome] of outcomes.entries()) {
      if (outcome.kind !== 'observation') throw new Error('no observation');
      const { a, b } = session.plan.observe[k]!;
      expect(outcome.observation.views.map(({ photo }) => photo)).toEqual([photos[a]!.id, photos[b]!.id]);
      for (const view of outcome.observation.views) {
        expect(view.points.length).toBe(3 * view.width * view.height);
        expect(view.points.every(Number.isFinite) && view.confidence.every((value) => value >= 1)).toBe(true);
      }
    }
  });

  it('takes half the decodings one way', async () => {
    const { counts, openNetwork } = counted();
    await observeAll({ openNetwork, oneWay: true });
    expect(counts).toEqual({ encode: 4, decode: 6 });
  });

  it('finds stored features again', async () => {
    const blobs = store();
    await observeAll({ storeFeatures: true }, photos, complete, blobs);
    expect(blobs.blobs.size).toBe(4);
    const { counts, openNetwork } = counted();
    await observeAll({ storeFeatures: true, openNetwork }, photos, complete, blobs);
    expect(counts).toEqual({ encode: 0, decode: 12 });
  });

  it('takes one photo alone', async () => {
    const { counts, openNetwork } = counted();
    const { outcomes } = await observeAll({ openNetwork }, photos.slice(0, 1), []);
    expect(counts).toEqual({ encode: 1, decode: 1 });
    expect(outcomes[0]).toMatchObject({ kind: 'observation', observation: { views: [{ photo: 'photo-0' }] } });
  });

  it('is cancelled between pairs', async () => {
    const { counts, openNetwork } = counted();
    const stop = new AbortController();
    const context = { store: store(), signal: stop.signal };
    const estimator = await createDust3rEstimator(reader, folder, { provider: 'cpu', openNetwork });
    const session = await estimator.open(photos, complete, context);
    const [first, ...rest] = session.plan.observe.map((pair) =>
      session.observe(pair, context).catch((error: unknown) => error),
    );
    await first;
    stop.abort(new Error('enough'));
    const failures = await Promise.all(rest);
    expect(failures.filter((failure) => failure === stop.signal.reason).length).toBeGreaterThanOrEqual(rest.length - 1);
    expect(counts.decode).toBeLessThanOrEqual(2);
    await session.close();
  });

  it('makes its views without the distortion that the sparse stage found, and says so in its keys', async () => {
    const list = photos.slice(0, 3);
    const sparse = emptySparseModel(list.map(({ id }) => id));
    sparse.lenses.push({ key: '', focal: 1, k1: -0.2, related: 1 });
    const pose = { piece: 0, rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), translation: new Float64Array(3) };
    for (const camera of sparse.cameras.slice(0, 2)) camera.pose = pose;
    // A picture whose red is its column: what a view shows at a place tells where it was taken from.
    const columns: PhotoReader = {
      read: (_, { width = 0, height = 0 }) =>
        Promise.resolve({
          width,
          height,
          pixels: Uint8Array.from({ length: 3 * width * height }, (__, k) => (k % 3 === 0 ? (k / 3) % width : 0)),
        }),
    };
    const estimator = await createDust3rEstimator(columns, folder, { provider: 'cpu' });
    const open = (model?: typeof sparse) => estimator.open(list, complete, { store: store(), sparse: model });
    const [plain, removed] = [await open(), await open(sparse)];
    const corner = async (session: typeof plain, index: number) => (await session.view(index)).pixels[0]!;
    expect(await corner(plain, 0)).toBe(0);
    // At half a focal from the middle a barrel of -0.2 shows what is 5 % nearer to it and more in the corner.
    expect(await corner(removed, 0)).toBeGreaterThan(5);
    expect((await removed.view(0)).originalFromView.radial).toMatchObject({ focal: 80, k1: -0.2 });
    expect(removed.focal(0)).toEqual({ pixels: 80, k1: -0.2 });
    // One that was not placed is seen as it is.
    expect(await corner(removed, 2)).toBe(0);
    expect(removed.observationKey({ a: 0, b: 1 })).not.toBe(plain.observationKey({ a: 0, b: 1 }));
    await plain.close();
    await removed.close();
  });

  it('refuses a precision that is not installed', async () => {
    await expect(createDust3rEstimator(reader, folder, { provider: 'cpu', precision: 'int8' })).rejects.toThrow(
      'not installed in int8 (installed: float32)',
    );
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../electron/engine/engine.js';
import { buildLayer } from '../../electron/engine/meshing.js';
import { storedLayer } from '../../electron/engine/mesh-layer.js';
import type { DepthMap } from '../../electron/geometry/types.js';
import { originalOf } from '../../electron/pointmaps/resample.js';
import { decodeSparseModel } from '../../electron/sparse/model-record.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-masked-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Hidden: a disc and a strip on the left, in halves of the photo's pixels; `within`: so far inside of it. */
const isHidden = (x: number, y: number, within = 0): boolean =>
  Math.hypot(x - 250, y - 230) < 110 - within || x < 60 - within;

/**
 * The photo with what is hidden painted magenta, which nothing else in it is. Within the mask by more than a block of its
 * JPEG, so that no block holds both.
 */
async function painted(original: string): Promise<Buffer> {
  const { data, info } = await sharp(original).autoOrient().raw().toBuffer({ resolveWithObject: true });
  for (let k = 0; k < info.width * info.height; k++)
    if (isHidden((k % info.width) / 2, Math.floor(k / info.width) / 2, 6)) data.set([255, 0, 255], 3 * k);
  const raw = { width: info.width, height: info.height, channels: 3 } as const;
  return sharp(data, { raw }).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
}

const isMagenta = (pixels: Uint8Array, k: number): boolean =>
  pixels[3 * k]! > 170 && pixels[3 * k + 2]! > 170 && pixels[3 * k + 1]! < 90;

test('of the samples with masks, no feature, depth, point or texel lies on a masked pixel', async () => {
  mkdirSync(join(folder, 'photos'));
  for (const name of [1, 2, 3, 4].map((k) => `courtyard-0${k}.jpg`)) {
    const original = join(import.meta.dirname, '../../resources/samples/courtyard', name);
    writeFileSync(join(folder, 'photos', name), await painted(original));
    const { autoOrient } = await sharp(original).metadata();
    const [width, height] = [autoOrient.width / 2, autoOrient.height / 2];
    const mask = Uint8Array.from({ length: width * height }, (_, k) =>
      isHidden(k % width, Math.floor(k / width)) ? 0 : 255,
    );
    await sharp(mask, { raw: { width, height, channels: 1 } })
      .png()
      .toFile(join(folder, 'photos', `${name}.png`));
  }
  const engine = new Engine({ dataFolder: join(folder, 'data') });
  await engine.request('project.create', { path: join(folder, 'masked.pointmap') });
  await engine.request('photos.add', { paths: [join(folder, 'photos')] });
  await engine.request('edit.apply', { edit: { kind: 'settings', settings: { quality: 'draft' } } });
  await engine.request('run.start', {});
  expect(await engine.settled()).toMatchObject({ state: 'finished' });
  const { project, alignment } = engine.open;
  const photos = new Map(project.photos().map((photo) => [photo.id, photo]));

  const model = decodeSparseModel(project.blobs.get(alignment!.sparse!))!;
  const found = model.cameras.flatMap(({ photo: id, features }) => {
    const { width, height } = photos.get(id)!;
    const longSide = Math.max(width, height);
    return Array.from({ length: features.length / 2 }, (_, k) => [
      (features[2 * k]! * longSide + (width - 1) / 2) / 2,
      (features[2 * k + 1]! * longSide + (height - 1) / 2) / 2,
    ]);
  });
  expect(found.length).toBeGreaterThan(2000);
  expect(found.filter(([x, y]) => isHidden(x!, y!, 1))).toEqual([]);

  const { cloud, depthMaps } = engine.open.scenes!.components[0]!.scene;
  /** Within a pixel of the map, which is up to 1.3 of these. */
  const isMasked = (map: DepthMap, pixel: number): boolean => {
    const [x, y] = originalOf(map.originalFromView, pixel % map.width, Math.floor(pixel / map.width));
    return isHidden(x / 2, y / 2, 1.5);
  };
  const depths = depthMaps.flatMap((map) =>
    Array.from(map.depth.keys()).flatMap((pixel) =>
      isMasked(map, pixel) ? [map.depth[pixel]! > 0 && map.confidence[pixel]! > 1] : [],
    ),
  );
  expect(depths.length).toBeGreaterThan(30_000);
  expect(depths.filter(Boolean)).toEqual([]);
  expect(cloud.confidence.length).toBeGreaterThan(50_000);
  const points = cloud.source.reduce(
    (sum, source, k) => sum + (isMasked(depthMaps[source]!, cloud.pixel![k]!) ? 1 : 0),
    0,
  );
  expect(points).toBe(0);

  // The surface behind what one photo hides is known from the others, and has its colour from them.
  await buildLayer(engine.open, { faces: 100_000, textureSize: 2048 });
  const { mesh } = storedLayer(engine.open)!;
  expect(new Set(mesh.photo).size).toBeGreaterThan(3);
  for (const { picture } of mesh.pages) {
    const texels = await sharp(picture).removeAlpha().raw().toBuffer();
    const magenta = Array.from({ length: texels.length / 3 }, (_, k) => k).filter((k) => isMagenta(texels, k));
    expect(magenta).toHaveLength(0);
  }
  await engine.close();
}, 300_000);

/**
 * Masks that are found, on real sets: what they keep, and how well the sparse stage then places the photos.
 *
 *   node build/wasm.mjs && node --import tsx test/bench/masks.ts [SET,...] [--photos ../shared/photos] [--out FOLDER]
 *
 * Errors in degrees over all pairs of placed photos against the set's cameras.json, median / 90th percentile. With
 * --out each photo is drawn with what is masked in red. With --cache DIR features and matches are kept between runs.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { findMasks } from '../../electron/engine/find-masks.js';
import type { Photo } from '../../electron/geometry/types.js';
import { invertRigid, multiply4, rigid, rotationOf } from '../../electron/numerics/linear.js';
import { importPhotos } from '../../electron/photos/import.js';
import { readPixels } from '../../electron/photos/reader.js';
import type { Project } from '../../electron/project/project.js';
import { sparseModel } from '../../electron/sparse/stage.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    photos: { type: 'string' },
    out: { type: 'string' },
    cache: { type: 'string' },
    only: { type: 'boolean' },
  },
});
const memory = new Map<string, Uint8Array>();
const fileOf = (key: string): string => join(values.cache!, createHash('sha256').update(key).digest('hex'));
if (values.cache) mkdirSync(values.cache, { recursive: true });
const store = {
  get: (key: string) =>
    memory.get(key) ??
    (values.cache && existsSync(fileOf(key)) ? new Uint8Array(readFileSync(fileOf(key))) : undefined),
  put: (key: string, value: Uint8Array) => {
    memory.set(key, value);
    if (values.cache) writeFileSync(fileOf(key), value);
  },
};
const reader = { read: readPixels };
const quantile = (list: number[], share: number): string =>
  (list.sort((a, b) => a - b)[Math.floor(share * (list.length - 1))] ?? Number.NaN).toFixed(2);

for (const set of (positionals[0] ?? 'turntable').split(',')) {
  const folder = join(values.photos ?? '../shared/photos', set);
  const truth = new Map(
    (
      JSON.parse(readFileSync(join(folder, 'cameras.json'), 'utf8')) as {
        photos: { name: string; worldFromCamera: number[] }[];
      }
    ).photos.map(({ name, worldFromCamera }) => [name, Float64Array.from(worldFromCamera.flat())]),
  );
  const { imported } = await importPhotos([...truth.keys()].sort().map((name) => join(folder, name)));
  const photos = imported.map(({ photo }) => ({ ...photo, enabled: true, locked: false }));
  const project = {
    photos: () => photos,
    setFacts: (id: string, facts: Partial<Photo>) =>
      Object.assign(
        photos.find((photo) => photo.id === id)!,
        facts,
      ),
  } as unknown as Project;
  const masks = await findMasks(project, reader, mkdtempSync(join(tmpdir(), 'masks-')), { store });
  console.log(`${set}: ${masks.notes.join('; ') || 'no masks'}`);
  if (values.out) {
    mkdirSync(values.out, { recursive: true });
    for (const photo of photos) {
      const { pixels, width, height, keep } = await readPixels(photo, { longSide: 480 });
      keep?.forEach((flag, k) => {
        if (!flag) pixels.set([255, pixels[3 * k + 1]! >> 1, pixels[3 * k + 2]! >> 1], 3 * k);
      });
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(join(values.out, `${set}-${photo.name}.png`));
    }
  }
  if (values.only) continue;
  const pairs = photos.flatMap((_, a) => photos.slice(a + 1).map((__, k) => ({ a, b: a + 1 + k })));
  const model = await sparseModel(photos, pairs, reader, { store });
  const placed = model.cameras.flatMap(({ pose }, k) =>
    pose?.piece === 0
      ? [{ is: rigid(pose.rotation, pose.translation), should: invertRigid(truth.get(photos[k]!.name)!) }]
      : [],
  );
  model.cameras.forEach(({ reason }, k) => reason && console.log(`  ${photos[k]!.name}: ${reason}`));
  const [turns, directions]: [number[], number[]] = [[], []];
  for (const [i, a] of placed.entries())
    for (const b of placed.slice(0, i)) {
      const [is, should] = [multiply4(b.is, invertRigid(a.is)), multiply4(b.should, invertRigid(a.should))];
      turns.push(rotationDifference(rotationOf(is), rotationOf(should)));
      const [t, s] = [is, should].map((M) => [M[3]!, M[7]!, M[11]!]) as [number[], number[]];
      const cosine = t.reduce((sum, value, k) => sum + value * s[k]!, 0) / (Math.hypot(...t) * Math.hypot(...s));
      directions.push((Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI);
    }
  console.log(
    `  ${placed.length} of ${photos.length} placed; rotation ${quantile(turns, 0.5)} / ${quantile(turns, 0.9)}, ` +
      `translation ${quantile(directions, 0.5)} / ${quantile(directions, 0.9)}`,
  );
}

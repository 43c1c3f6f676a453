/**
 * Every photo set with reference cameras, and variants of them made in code, through the sparse stage; one table:
 *
 *   node build/wasm.mjs && node --import tsx test/bench/sets.ts [FOLDER] [--only NAME,...] [--colmap] [--dense] [--pairs]
 *     [--cache DIR]
 *
 * FOLDER (default: ../shared/photos) holds a folder per set: photos and `cameras.json`. Errors in degrees over all pairs
 * of photos in the largest piece, median / 90th percentile: relative rotation, direction of relative translation; focal
 * in per cent. CPU seconds count all threads, memory is the largest since the bench began. With --colmap, COLMAP's row
 * stands under ours. With --dense, a line tells how complete and right depth is (sets/dense.ts). With --pairs, every pair
 * that holds is compared with the reference: what it says alone, and what the placed cameras say of it. With --cache,
 * features and matches are kept between runs (their seconds are then not counted).
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WorkerPool } from '../../electron/compute/pool.js';
import type { BlobStore } from '../../electron/geometry/stage.js';
import type { Pair, Photo } from '../../electron/geometry/types.js';
import { invertRigid, multiply4, rigid, rotationOf } from '../../electron/numerics/linear.js';
import { importPhotos } from '../../electron/photos/import.js';
import { surveySet, type Survey } from '../../electron/sparse/survey.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { hasColmap, runColmap } from './sets/colmap.js';
import { denseFigures, type DenseFigures } from './sets/dense.js';
import {
  changedReader,
  cropped,
  doubled,
  every,
  grey,
  lit,
  small,
  square,
  stored,
  turned,
  type TruePhoto,
} from './sets/variants.js';

interface TestSet {
  name: string;
  photos: TruePhoto[];
}

interface Placed {
  photo: TruePhoto;
  rotation: Float64Array;
  translation: Float64Array;
  focal: number;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    colmap: { type: 'boolean' },
    dense: { type: 'boolean' },
    cache: { type: 'string' },
    threads: { type: 'string' },
    verbose: { type: 'boolean' },
    pairs: { type: 'boolean' },
  },
});

const originals = new Map<string, Photo>();

async function readSet(folder: string, scene: string): Promise<TruePhoto[]> {
  const reference = JSON.parse(readFileSync(join(folder, 'cameras.json'), 'utf8')) as {
    photos: { name: string; width: number; height: number; fx: number; worldFromCamera: number[] }[];
  };
  const names = reference.photos.map(({ name }) => name).sort();
  const { imported } = await importPhotos(names.map((name) => join(folder, name)));
  return imported.map(({ photo }) => {
    originals.set(photo.path, photo);
    const { width, height, fx, worldFromCamera } = reference.photos.find(({ name }) =>
      photo.path.endsWith(`/${name}`),
    )!;
    return { photo, focal: fx / Math.max(width, height), worldFromCamera: Float64Array.from(worldFromCamera), scene };
  });
}

/** The sets as they are, and what a person might hand in instead. */
function testSets(sets: ReadonlyMap<string, TruePhoto[]>): TestSet[] {
  const all: TestSet[] = [...sets].map(([name, photos]) => ({ name, photos }));
  const from = (name: string, variants: Record<string, (photos: TruePhoto[]) => TruePhoto[]>) => {
    const photos = sets.get(name);
    if (photos)
      for (const [variant, make] of Object.entries(variants))
        all.push({ name: `${name} ${variant}`, photos: make(photos) });
  };
  from('fox', {
    'half 1 lit': (photos) => lit(every(photos, 2)),
    'half 2 lit': (photos) => lit(every(photos, 2, 1), 2),
    turned,
    '640 px': (photos) => small(photos, 640),
    'first 3': (photos) => photos.slice(0, 3),
    cropped,
    stored: (photos) => stored(photos, 40),
  });
  from('kitchen', { lit, doubled, 'half 1': (photos) => every(photos, 2) });
  from('internet', { grey, 'one size': (photos) => square(photos, 672), 'first 3': (photos) => photos.slice(0, 3) });
  from('samples', {
    lit,
    '640 px': (photos) => small(photos, 640),
    'first 2': (photos) => photos.slice(0, 2),
    cropped,
    stored: (photos) => stored(photos, 40),
  });
  from('sceaux', {
    lit,
    'first 2': (photos) => photos.slice(0, 2),
    '640 px': (photos) => small(photos, 640),
    cropped,
    'half 2': (photos) => every(photos, 2, 1),
  });
  from('temple', { turned, 'half 1': (photos) => every(photos, 2), doubled, cropped, grey });
  const [sceaux, fox] = [sets.get('sceaux'), sets.get('fox')];
  if (sceaux && fox) all.push({ name: 'sceaux + fox', photos: [...sceaux.slice(0, 6), ...fox.slice(0, 7)] });
  return all;
}

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;

function errorsOf(placed: readonly Placed[]): { rotation: number[]; translation: number[]; focal: number[] } {
  const rotation: number[] = [];
  const translation: number[] = [];
  placed.forEach((p, i) => {
    for (const q of placed.slice(i + 1)) {
      // Photos of two scenes in one piece are as wrong as can be.
      if (p.photo.scene !== q.photo.scene) {
        rotation.push(180);
        translation.push(180);
        continue;
      }
      // Centre of the second camera in the first one's frame.
      const found = multiply4(rigid(p.rotation, p.translation), invertRigid(rigid(q.rotation, q.translation)));
      const truth = multiply4(invertRigid(p.photo.worldFromCamera), q.photo.worldFromCamera);
      const [turn, direction] = poseErrors(found, truth);
      rotation.push(turn);
      translation.push(direction);
    }
  });
  const sort = (list: number[]) => list.sort((a, b) => a - b);
  const focal = placed.map(({ focal: found, photo }) => Math.abs(found / photo.focal - 1) * 100);
  return { rotation: sort(rotation), translation: sort(translation), focal: sort(focal) };
}

/** Degrees between two relative poses: rotation, direction of translation. */
function poseErrors(found: Float64Array, truth: Float64Array): [number, number] {
  const [u, v] = [found, truth].map((pose) => [pose[3]!, pose[7]!, pose[11]!]) as [number[], number[]];
  const cosine = u.reduce((sum, x, k) => sum + x * v[k]!, 0) / (Math.hypot(...u) * Math.hypot(...v));
  return [
    rotationDifference(rotationOf(found), rotationOf(truth)),
    (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI,
  ];
}

function tellPairs(set: TestSet, { verified, pieces }: Survey): void {
  const rows = verified.map(({ a, b, rotation, translation, inlierCount, parallax, rotationShare }) => {
    const [p, q] = [set.photos[a]!, set.photos[b]!];
    const truth = multiply4(invertRigid(q.worldFromCamera), p.worldFromCamera);
    const piece = pieces.find(({ cameras }) => cameras.has(a) && cameras.has(b));
    const placed = [a, b]
      .map((photo) => piece?.cameras.get(photo))
      .map((each) => each && rigid(each.rotation, each.translation));
    const errors = [rigid(rotation, translation), placed[0] && multiply4(placed[1]!, invertRigid(placed[0]))].map(
      (pose) =>
        pose && p.scene === q.scene
          ? poseErrors(pose, truth)
              .map((value) => value.toFixed(1))
              .join(' / ')
          : '-',
    );
    const words = `${a}-${b}: ${inlierCount} inliers, ${parallax.toFixed(1)} deg, turned only ${rotationShare.toFixed(2)}`;
    return `    ${words.padEnd(55)} alone ${errors[0]!.padEnd(14)} placed ${errors[1]}`;
  });
  console.log(rows.join('\n'));
}

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell, k) => (k === 0 ? String(cell).padEnd(20) : String(cell).padStart(13))).join(' ');
}

function result(name: string, total: number, placed: readonly Placed[], rest: readonly (string | number)[]): string {
  const { rotation, translation, focal } = errorsOf(placed);
  const pair = (list: number[]) => `${quantile(list, 0.5).toFixed(2)} / ${quantile(list, 0.9).toFixed(2)}`;
  return row([
    name,
    `${placed.length} of ${total}`,
    pair(rotation),
    pair(translation),
    quantile(focal, 0.5).toFixed(2),
    ...rest,
  ]);
}

function storeIn(folder: string | undefined): BlobStore {
  const blobs = new Map<string, Uint8Array>();
  const fileOf = (key: string) => join(folder!, createHash('sha256').update(key).digest('hex'));
  const isKept = (key: string) => folder !== undefined && /features|matches/.test(key);
  return {
    get: (key) =>
      blobs.get(key) ??
      (isKept(key) && existsSync(fileOf(key)) ? new Uint8Array(readFileSync(fileOf(key))) : undefined),
    put: (key, value) => {
      blobs.set(key, value);
      if (isKept(key)) writeFileSync(fileOf(key), value);
    },
  };
}

async function ours(set: TestSet): Promise<void> {
  const photos = set.photos.map(({ photo }) => photo);
  const pairs: Pair[] = photos.flatMap((_, a) => photos.slice(a + 1).map((__, k) => ({ a, b: a + 1 + k })));
  const pool = new WorkerPool(
    new URL('../../electron/sparse/worker.ts', import.meta.url),
    values.threads ? Number(values.threads) : 2,
  );
  const seconds = new Map<string, number>();
  let mark = performance.now();
  const before = process.cpuUsage();
  const store = storeIn(values.cache);
  const reader = changedReader(set.photos, originals);
  const survey: Survey = await surveySet(photos, pairs, reader, pool, {
    store,
    onNote: (line) => values.verbose && console.log(`    ${line}`),
    // A stage lasts until its last report.
    onProgress: ({ stage }) => {
      const now = performance.now();
      seconds.set(stage, (seconds.get(stage) ?? 0) + (now - mark) / 1000);
      mark = now;
    },
  });
  const { user, system } = process.cpuUsage(before);
  await pool.close();
  const [largest, ...others] = survey.pieces;
  const placed = [...(largest?.cameras ?? [])].map(([index, { rotation, translation }]) => ({
    photo: set.photos[index]!,
    rotation,
    translation,
    focal: survey.lenses[survey.lensOf[index]!]!.focal,
  }));
  console.log(
    result(set.name, photos.length, placed, [
      others.map(({ cameras }) => cameras.size).join(' ') || '-',
      largest?.points.length ?? 0,
      ((user + system) / 1e6).toFixed(1),
      Math.round(process.resourceUsage().maxRSS / 1024),
    ]),
  );
  if (values.pairs) tellPairs(set, survey);
  for (const warning of survey.warnings) console.log(`    warning: ${warning}`);
  if (values.dense) console.log(denseLine(await denseFigures(photos, pairs, reader, { originals, store })));
  if (values.verbose) {
    console.log(`    ${[...seconds].map(([stage, time]) => `${stage} ${time.toFixed(1)} s`).join(', ')}`);
    console.log(
      `    lenses ${survey.lenses.map(({ focal, k1 }) => `${focal.toFixed(3)} ${k1.toFixed(3)}`).join(', ')}`,
    );
  }
}

function denseLine({ complete, right, good, goodMeasured, cpuSeconds }: DenseFigures): string {
  const truth = Number.isNaN(right)
    ? ''
    : `, right ${right.toFixed(3)}, good ${good.toFixed(3)} (measured alone ${goodMeasured.toFixed(3)})`;
  return `    depth: complete ${complete.toFixed(3)}${truth}, ${cpuSeconds.toFixed(1)} CPU s`;
}

function theirs(set: TestSet): void {
  // Variants exist in memory only.
  if (set.photos.some(({ change }) => change)) return;
  const sizes = new Set(set.photos.map(({ photo }) => `${photo.width}x${photo.height}`));
  const { cameras, models, points, cpuSeconds } = runColmap(
    set.photos.map(({ photo }) => photo.path),
    sizes.size === 1,
  );
  const placed = [...cameras].map(([name, camera]) => ({
    photo: set.photos.find(({ photo }) => photo.path.endsWith(`/${name}`))!,
    ...camera,
  }));
  console.log(
    result('  COLMAP', set.photos.length, placed, [
      models > 1 ? `${models} models` : '-',
      points,
      cpuSeconds.toFixed(1),
    ]),
  );
}

const top = positionals[0] ?? join(import.meta.dirname, '../../../shared/photos');
if (!existsSync(top)) {
  console.error(`no photo sets here; name a folder that holds one folder per set: ${top}`);
  process.exit(2);
}
if (values.cache) mkdirSync(values.cache, { recursive: true });
const sets = new Map<string, TruePhoto[]>();
const only = values.only?.split(',');
const isWanted = (set: string) =>
  !only || only.some((name) => set === name || (name.endsWith('*') && set.startsWith(name.slice(0, -1))));
// A variant's name begins with its set's.
const isNeeded = (set: string) => !only || only.some((name) => name.split(/[ *+]+/).includes(set));
for (const name of readdirSync(top).sort())
  if (isNeeded(name) && existsSync(join(top, name, 'cameras.json')))
    sets.set(name, await readSet(join(top, name), name));
const courtyard = 'resources/samples/courtyard';
if (isNeeded('samples') && existsSync(join(courtyard, 'cameras.json')))
  sets.set('samples', await readSet(courtyard, 'samples'));
const colmap = values.colmap === true && hasColmap();
console.log(
  row(['set', 'placed', 'rotation', 'translation', 'focal %', 'other pieces', 'points', 'CPU s', 'MB so far']),
);
for (const set of testSets(sets)) {
  if (!isWanted(set.name)) continue;
  await ours(set);
  if (colmap) theirs(set);
}

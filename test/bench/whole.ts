/**
 * Whole runs of many photos, from pictures that are rendered of sets with exact cameras (test/fixtures/large-set.ts):
 *
 *   node build/wasm.mjs && node --import tsx test/bench/whole.ts [orbit|street] [--sizes 50,100] [--quality draft]
 *
 * Per size: photos placed, processor seconds, peak memory of the process, points, and how far the cameras are from the
 * truth (rmse, share of the extent): as the bundle adjustment left them, and as they are in the result. Between sizes,
 * how memory grows with each photo.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { Workspace } from '../../electron/engine/workspace.js';
import { invertRigid, rotationOf } from '../../electron/numerics/linear.js';
import { decodeSparseModel } from '../../electron/sparse/model-record.js';
import { orbit, renderPhoto, street, type LargeSet } from '../fixtures/large-set.js';
import { rmse } from './scale/sparse.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { sizes: { type: 'string', default: '50,100' }, quality: { type: 'string', default: 'draft' } },
});
const root = join(import.meta.dirname, '..', '..');
const makers: Record<string, (count: number) => LargeSet> = { orbit, street };

type Poses = Map<number, { rotation: Float64Array; translation: Float64Array }>;

const nameOf = (k: number): string => `${String(k).padStart(5, '0')}.jpg`;

async function pictures(set: LargeSet, folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const files = set.cameras.map((_, k) => join(folder, nameOf(k)));
  for (const [k, file] of files.entries()) {
    if (existsSync(file)) continue;
    const raw = { width: 640, height: 480, channels: 3 } as const;
    await sharp(renderPhoto(set, k), { raw }).jpeg({ quality: 92 }).toFile(file);
  }
  return files;
}

/** Cameras of the result, and of its bundle adjustment, by the photos' numbers. */
function posesIn(project: string): { bundle: Poses; result: Poses } {
  const workspace = Workspace.openToRead(project);
  try {
    const { alignment } = workspace;
    const result: Poses = new Map();
    for (const { name, worldFromCamera } of alignment?.components[0]?.cameras ?? []) {
      const T = invertRigid(Float64Array.from(worldFromCamera));
      result.set(Number.parseInt(name), {
        rotation: rotationOf(T),
        translation: Float64Array.of(T[3]!, T[7]!, T[11]!),
      });
    }
    const bundle: Poses = new Map();
    const model = alignment?.sparse ? decodeSparseModel(workspace.project.blobs.get(alignment.sparse)) : undefined;
    const numbers = new Map(workspace.project.photos().map(({ id, name }) => [id, Number.parseInt(name)]));
    for (const { photo, pose } of model?.cameras ?? []) if (pose?.piece === 0) bundle.set(numbers.get(photo)!, pose);
    return { bundle, result };
  } finally {
    workspace.close();
  }
}

async function wholeRun(set: LargeSet): Promise<{ photos: number; memory: number }> {
  const files = await pictures(set, join(root, '.cache', set.name.replaceAll(' ', '-')));
  const out = mkdtempSync(join(tmpdir(), 'whole-'));
  try {
    const words = ['--import', 'tsx', join(root, 'electron', 'cli.ts'), 'reconstruct', ...files];
    execFileSync(
      process.execPath,
      [...words, '--out', out, '--quality', values.quality, '--focal', String(set.lens.focal * 640), '--json'],
      { encoding: 'utf8', maxBuffer: 1e8, stdio: ['ignore', 'pipe', 'ignore'], cwd: root },
    );
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as {
      registered: number;
      points: number;
      pairs: number;
      peakMemoryBytes: number;
      cpuSeconds: Record<string, number>;
    };
    const { bundle, result } = posesIn(join(out, 'scene.pointmap'));
    const both = new Map([...bundle].filter(([photo]) => result.has(photo)));
    const stages = Object.entries(report.cpuSeconds).map(([stage, seconds]) => `${stage} ${seconds.toFixed(0)}`);
    console.log(
      `${set.name}: ${report.registered}/${set.cameras.length} placed, ${report.pairs} pairs, ${report.points} points, CPU s: ${stages.join(', ')}; peak ${(report.peakMemoryBytes / 1e6).toFixed(0)} MB`,
    );
    console.log(
      `    cameras: bundle ${(100 * rmse(set, both)).toFixed(4)} %, result ${(100 * rmse(set, new Map([...result].filter(([photo]) => both.has(photo))))).toFixed(4)} % of the extent (${both.size} photos)`,
    );
    return { photos: set.cameras.length, memory: report.peakMemoryBytes };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const make = makers[positionals[0] ?? 'orbit'];
if (!make) throw new Error(`no set '${positionals[0]}'; there are ${Object.keys(makers).join(', ')}`);
let before: { photos: number; memory: number } | undefined;
for (const size of values.sizes.split(',').map(Number)) {
  const now = await wholeRun(make(size));
  if (before) {
    const perPhoto = (now.memory - before.memory) / (now.photos - before.photos);
    const thousand = now.memory + (1000 - now.photos) * perPhoto;
    console.log(
      `memory grows by ${(perPhoto / 1e6).toFixed(1)} MB a photo; 1,000 would take ${(thousand / 1e9).toFixed(1)} GB`,
    );
  }
  before = now;
}

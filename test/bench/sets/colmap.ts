import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

export interface ColmapResult {
  /** Per photo's name, camera from world; of the largest model only. */
  cameras: Map<string, { rotation: Float64Array; translation: Float64Array; focal: number }>;
  models: number;
  points: number;
  cpuSeconds: number;
}

export const hasColmap = (): boolean => spawnSync('colmap', ['-h']).error === undefined;

/** COLMAP's sparse reconstruction of some photos, with its own defaults but SIMPLE_RADIAL, 1,600 px, 4,096 features. */
export function runColmap(paths: readonly string[], sharedCamera: boolean): ColmapResult {
  const folder = mkdtempSync(join(tmpdir(), 'colmap-'));
  try {
    mkdirSync(join(folder, 'images'));
    mkdirSync(join(folder, 'sparse'));
    for (const path of paths) symlinkSync(resolve(path), join(folder, 'images', basename(path)));
    const database = ['--database_path', join(folder, 'db')];
    const images = ['--image_path', join(folder, 'images')];
    const threads = '2';
    let cpuSeconds = 0;
    for (const [command, ...options] of [
      ['feature_extractor', ...database, ...images, '--ImageReader.camera_model', 'SIMPLE_RADIAL'].concat(
        ['--ImageReader.single_camera', sharedCamera ? '1' : '0', '--SiftExtraction.max_image_size', '1600'],
        ['--SiftExtraction.max_num_features', '4096', '--SiftExtraction.use_gpu', '0'],
        ['--SiftExtraction.num_threads', threads],
      ),
      ['exhaustive_matcher', ...database, '--SiftMatching.use_gpu', '0', '--SiftMatching.num_threads', threads],
      ['mapper', ...database, ...images, '--output_path', join(folder, 'sparse'), '--Mapper.num_threads', threads],
    ] as string[][]) {
      const { stderr } = spawnSync(
        'bash',
        ['-c', 'TIMEFORMAT="%U %S"; time "$@" > /dev/null 2>&1', '-', 'colmap', command!, ...options],
        { encoding: 'utf8', env: { ...process.env, QT_QPA_PLATFORM: 'offscreen' } },
      );
      cpuSeconds += stderr
        .trim()
        .split(/\s+/)
        .reduce((sum, value) => sum + Number(value), 0);
    }
    return { ...largestModel(join(folder, 'sparse')), cpuSeconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function largestModel(folder: string): Omit<ColmapResult, 'cpuSeconds'> {
  const models = readdirSync(folder).map((name) => readModel(join(folder, name)));
  models.sort((a, b) => b.cameras.size - a.cameras.size);
  return { cameras: new Map(), points: 0, ...models[0], models: models.length };
}

function readModel(folder: string): { cameras: ColmapResult['cameras']; points: number } {
  execFileSync('colmap', ['model_converter', '--input_path', folder, '--output_path', folder, '--output_type', 'TXT'], {
    env: { ...process.env, QT_QPA_PLATFORM: 'offscreen' },
  });
  const lines = (name: string) =>
    existsSync(join(folder, name))
      ? readFileSync(join(folder, name), 'utf8')
          .split('\n')
          .filter((line) => !line.startsWith('#'))
      : [];
  const focals = new Map(
    lines('cameras.txt').map((line) => {
      const [id, , width, height, focal] = line.split(' ');
      return [id, Number(focal) / Math.max(Number(width), Number(height))];
    }),
  );
  const cameras: ColmapResult['cameras'] = new Map();
  lines('images.txt').forEach((line, k) => {
    if (k % 2 || !line) return;
    const fields = line.split(' ');
    const [w, x, y, z, ...t] = fields.slice(1, 8).map(Number) as [number, number, number, number, ...number[]];
    cameras.set(fields.slice(9).join(' '), {
      rotation: Float64Array.of(
        ...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        ...[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        ...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
      ),
      translation: Float64Array.from(t),
      focal: focals.get(fields[8]!) ?? NaN,
    });
  });
  return { cameras, points: lines('points3D.txt').filter(Boolean).length };
}

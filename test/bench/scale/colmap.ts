import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { largestModel, type ColmapResult } from '../sets/colmap.js';
import type { Sparse } from './sparse.js';

export interface ColmapRun {
  cameras: ColmapResult['cameras'];
  models: number;
  verifySeconds: number;
  mapSeconds: number;
  /** Bytes, of the larger of both. */
  memory: number;
}

/** COLMAP's geometric verification and mapper on the same features, pairs and raw matches, two threads. */
export async function runOnSame(input: Sparse): Promise<ColmapRun> {
  const folder = mkdtempSync(join(tmpdir(), 'colmap-scale-'));
  try {
    await writeInputs(input, folder);
    const database = ['--database_path', join(folder, 'db')];
    const images = ['--image_path', join(folder, 'images')];
    const { width, height, focal } = input;
    colmap(
      ['feature_importer', ...database, ...images, '--import_path', join(folder, 'features')].concat(
        ['--ImageReader.single_camera', '1', '--ImageReader.camera_model', 'SIMPLE_RADIAL'],
        ['--ImageReader.camera_params', `${focal * width},${width / 2},${height / 2},0`],
      ),
    );
    const verify = colmap(
      ['matches_importer', ...database, '--match_list_path', join(folder, 'matches.txt')].concat(
        ['--match_type', 'raw', '--SiftMatching.use_gpu', '0'],
        ['--SiftMatching.num_threads', '2'],
      ),
    );
    const map = colmap(
      ['mapper', ...database, ...images, '--output_path', join(folder, 'sparse'), '--Mapper.num_threads', '2'].concat([
        '--Mapper.extract_colors',
        '0',
      ]),
    );
    const { cameras, models } = largestModel(join(folder, 'sparse'));
    return {
      cameras,
      models,
      verifySeconds: verify.seconds,
      mapSeconds: map.seconds,
      memory: Math.max(verify.memory, map.memory),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeInputs({ photos, features, position, matches, width, height }: Sparse, folder: string) {
  for (const name of ['images', 'features', 'sparse']) mkdirSync(join(folder, name));
  const blank = await sharp({ create: { width, height, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer();
  const noDescriptor = ' 0'.repeat(128);
  photos.forEach(({ name }, k) => {
    writeFileSync(join(folder, 'images', name), blank);
    const lines = Array.from({ length: features[k]! }, (_, feature) => {
      const [x, y] = position(k, feature);
      // COLMAP's pixel (0.5, 0.5) is the first one's centre.
      return `${(x * width + width / 2).toFixed(4)} ${(y * width + height / 2).toFixed(4)} 2 0${noDescriptor}`;
    });
    writeFileSync(join(folder, 'features', `${name}.txt`), [`${lines.length} 128`, ...lines, ''].join('\n'));
  });
  const blocks = matches.map(({ a, b, matches: list }) => {
    const lines = [`${photos[a]!.name} ${photos[b]!.name}`];
    for (let k = 0; k < list.length; k += 2) lines.push(`${list[k]} ${list[k + 1]}`);
    return `${lines.join('\n')}\n`;
  });
  writeFileSync(join(folder, 'matches.txt'), blocks.join('\n'));
}

function colmap(command: readonly string[]): { seconds: number; memory: number } {
  // Python tells the processor seconds and the largest resident size of a child without GNU time.
  const script =
    'import resource,subprocess,sys; c=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL).returncode; u=resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime+u.ru_stime,u.ru_maxrss); sys.exit(c)';
  const out = execFileSync('python3', ['-c', script, 'colmap', ...command], {
    encoding: 'utf8',
    env: { ...process.env, QT_QPA_PLATFORM: 'offscreen' },
  });
  const [seconds, kilobytes] = out.trim().split(' ').map(Number) as [number, number];
  return { seconds, memory: kilobytes * 1024 };
}

export const hasColmap = (): boolean => spawnSync('colmap', ['-h']).error === undefined;

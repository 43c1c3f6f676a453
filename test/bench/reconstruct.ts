/**
 * The main job on photos with reference cameras, against its targets: `node --import tsx test/bench/reconstruct.ts
 * [sceaux|fox|samples ...]`. Needs ../shared/photos for the real sets.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { depthErrors } from './depths.js';
import { comparePoses, quantile } from './poses.js';

interface Target {
  folder: string;
  rotationMedian: number;
  rotation90?: number;
  translationMedian?: number;
  focal?: number;
  points?: number;
  seconds?: number;
  memory?: number;
}

const targets: Record<string, Target> = {
  sceaux: {
    folder: '../shared/photos/sceaux',
    rotationMedian: 0.8,
    rotation90: 2.5,
    translationMedian: 2,
    points: 300_000,
    seconds: 120,
    memory: 2.5e9,
  },
  fox: {
    folder: '../shared/photos/fox',
    rotationMedian: 0.8,
    rotation90: 3,
    translationMedian: 3,
    focal: 0.05,
    points: 200_000,
    seconds: 150,
  },
  samples: { folder: 'resources/samples/courtyard', rotationMedian: 0.7 },
};

interface Outcome {
  seconds: number;
  /** Bytes, the largest resident size of the process. */
  memory: number;
  report: { points: number; computed: number; registered: number };
}

async function reconstruct(folder: string, out: string, flags: readonly string[] = []): Promise<Outcome> {
  const started = performance.now();
  // The preloaded line tells the peak memory of the process on its way out, on any platform.
  const peak = `data:text/javascript,process.on('exit',()=>console.error('peak '+process.resourceUsage().maxRSS))`;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--import', peak, 'electron/cli.ts', 'reconstruct', folder, '--out', out, '--json', ...flags],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  let progress = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    progress += chunk;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`reconstruct ended with ${code}: ${progress}`);
  return {
    seconds: (performance.now() - started) / 1000,
    memory: Number(/peak (\d+)/.exec(progress)?.[1] ?? 0) * 1024,
    report: JSON.parse(output.trim().split('\n').at(-1)!) as Outcome['report'],
  };
}

function line(
  what: string,
  value: number,
  target: number | undefined,
  unit: string,
  better: 'less' | 'more' = 'less',
): void {
  const met = target === undefined ? '' : (better === 'less' ? value <= target : value >= target) ? 'met' : 'MISSED';
  const text = (number: number) =>
    Math.abs(number) >= 1000 ? Math.round(number).toLocaleString('en') : number.toFixed(2);
  console.log(
    `  ${what.padEnd(34)} ${text(value).padStart(12)} ${unit.padEnd(4)} ${target === undefined ? '' : `target ${text(target)}  ${met}`}`,
  );
}

const chosen = process.argv.slice(2);
for (const [name, target] of Object.entries(targets)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  if (!existsSync(join(target.folder, 'cameras.json'))) {
    console.log(`${name}: skipped, there is no ${target.folder}`);
    continue;
  }
  const out = mkdtempSync(join(tmpdir(), `pointmap-${name}-`));
  try {
    console.log(name);
    const first = await reconstruct(target.folder, out, ['--formats', 'ply,glb,cameras,depth-pfm']);
    const errors = comparePoses(join(out, 'cameras.json'), join(target.folder, 'cameras.json'));
    line('photos registered', errors.registered, errors.photos, '', 'more');
    line('relative rotation, median', quantile(errors.rotation, 0.5), target.rotationMedian, 'deg');
    line('relative rotation, 90 %', quantile(errors.rotation, 0.9), target.rotation90, 'deg');
    line('translation direction, median', quantile(errors.translation, 0.5), target.translationMedian, 'deg');
    line('focal, largest error', 100 * Math.max(...errors.focal), target.focal && 100 * target.focal, '%');
    line('points', first.report.points, target.points, '', 'more');
    line('start to files', first.seconds, target.seconds, 's');
    line('peak memory', first.memory / 1e6, target.memory && target.memory / 1e6, 'MB');
    const depths = depthErrors(out, join(target.folder, 'depth.json'));
    if (depths) line(`depth error, median of ${depths.length}`, 100 * quantile(depths, 0.5), 2, '%');
    const again = await reconstruct(target.folder, out, ['--min-confidence', '4']);
    line('again, another threshold', again.seconds, 10, 's');
    line('again, estimator calls', again.report.computed, 0, '');
    console.log(
      `  stages: ${JSON.stringify((JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as { seconds: unknown }).seconds)}`,
    );
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

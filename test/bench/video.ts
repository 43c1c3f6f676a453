/**
 * Videos: how fast frames are chosen, which, and what is reconstructed from them.
 *
 *   node build/wasm.mjs && node --import tsx test/bench/video.ts speed
 *   node --import tsx test/bench/video.ts scene MESH.glb [--seconds 20] [--width 1920] [--codec h264|vp9] [--keep FOLDER]
 *     [--frames 40] [--quality normal|draft]
 *
 * `speed`: 20 seconds of 1080p with 30 frames a second, H.264 and VP9, two threads: times real time and peak memory of
 * the decoder and of the program. `scene`: a walk along the cameras of a mesh (`mesh.glb` of the sample photos), with
 * the shake and blur of a hand, drawn by Chromium's software renderer: 40 frames are chosen and reconstructed; prints how
 * blurred they are among all, and the errors of the cameras against the walk. What was drawn stays in --keep, so that
 * the other codec and a second run draw nothing; a film that was drawn in part (`drawn.mkv`) is taken as it is.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { reconstruct } from '../../electron/cli/reconstruct.js';
import { extractFrames } from '../../electron/video/frames.js';
import { makeVideo } from '../fixtures/video.js';
import { comparePoses } from './poses.js';
import { openPainter, walk, type Moment } from './video/walk.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    width: { type: 'string', default: '1920' },
    codec: { type: 'string', default: 'h264' },
    keep: { type: 'string' },
    frames: { type: 'string', default: '40' },
    quality: { type: 'string', default: 'normal' },
  },
});
const [what = 'speed', mesh] = positionals;
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'video-'));
mkdirSync(folder, { recursive: true });
const RATE = 30;
const codecs: Record<string, { file: string; encode: string[] }> = {
  h264: { file: 'film.mp4', encode: ['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '17M', '-pix_fmt', 'yuv420p'] },
  vp9: { file: 'film.webm', encode: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '12M'] },
};

/** Processor seconds of this process and of its children that have ended (proc(5): utime, stime, cutime, cstime). */
function processorSeconds(): number {
  const after = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  const ticks = after.slice(11, 15).reduce((sum, value) => sum + Number(value), 0);
  return ticks / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
}

interface Watched<T> {
  result: T;
  seconds: number;
  processor: number;
  /** Peak resident memory of this process and its children, bytes, sampled while the work goes on. */
  peak: number;
}

async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  let peak = 0;
  const before = processorSeconds();
  const sample = (): void => {
    const table = execFileSync('ps', ['-eo', 'pid,ppid,rss'], { encoding: 'utf8' });
    const rows = table
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/).map(Number));
    const own = rows.filter(([pid, parent]) => pid === process.pid || parent === process.pid);
    peak = Math.max(peak, 1024 * own.reduce((sum, [, , rss]) => sum + rss!, 0));
  };
  const timer = setInterval(sample, 250);
  const started = performance.now();
  try {
    const result = await work();
    return { result, seconds: (performance.now() - started) / 1000, processor: processorSeconds() - before, peak };
  } finally {
    clearInterval(timer);
  }
}

async function speed(): Promise<void> {
  for (const [name, { file, encode }] of Object.entries(codecs)) {
    const path = join(folder, file);
    const count = RATE * Number(values.seconds);
    const { blurred } = await makeVideo(path, { width: 1920, height: 1080, count, speed: 6, encode });
    const cache = join(folder, `cache-${name}`);
    const { result, seconds, processor, peak } = await watched(() => extractFrames(path, cache, { frames: 40 }));
    // By time: files are numbered by what was looked at, which need not be every frame.
    const bad = result.frames.filter(({ frame }) => blurred.has(Math.round(frame.seconds * RATE))).length;
    console.log(
      `${name}: ${result.frames.length} frames of ${count}, ${bad} of them smeared; ${seconds.toFixed(1)} s, ` +
        `${(count / RATE / seconds).toFixed(1)} times real time, ${processor.toFixed(1)} processor seconds, ` +
        `${(peak / 1e6).toFixed(0)} MB`,
    );
  }
}

/** Draws a film once, as JPEGs one behind the other, and encodes it. */
async function film(path: string, encode: readonly string[], moments: readonly Moment[]): Promise<void> {
  const master = join(folder, 'drawn.mkv');
  if (!existsSync(master)) await draw(master, moments);
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', master, ...encode, path]);
}

async function draw(path: string, moments: readonly Moment[]): Promise<void> {
  const width = Number(values.width);
  const painter = await openPainter(readFileSync(mesh!), width, Math.round((width * 9) / 16));
  const partial = `${path}.partial`;
  const input = ['-f', 'image2pipe', '-c:v', 'mjpeg', '-framerate', String(RATE), '-i', 'pipe:0'];
  const child = spawn('ffmpeg', ['-v', 'error', '-y', ...input, '-c:v', 'copy', '-f', 'matroska', partial], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  for (const moment of moments) {
    const jpeg = await painter.paint(moment);
    if (!child.stdin!.write(jpeg)) await new Promise((resolve) => child.stdin!.once('drain', resolve));
  }
  child.stdin!.end();
  await painter.close();
  if ((await ended) !== 0) throw new Error(`ffmpeg could not make ${path}`);
  renameSync(partial, path);
}

function framesIn(path: string): number {
  const count = [
    '-select_streams',
    'v:0',
    '-count_packets',
    '-show_entries',
    'stream=nb_read_packets',
    '-of',
    'csv=p=0',
  ];
  return Number.parseInt(execFileSync('ffprobe', ['-v', 'error', ...count, path], { encoding: 'utf8' }), 10);
}

async function scene(): Promise<void> {
  const { file, encode } = codecs[values.codec]!;
  const path = join(folder, file);
  const width = Number(values.width);
  const planned = walk(readFileSync(mesh!), RATE * Number(values.seconds), width);
  await film(path, encode, planned);
  const moments = planned.slice(0, framesIn(path));
  const cache = join(folder, `cache-${values.codec}`);
  rmSync(cache, { recursive: true, force: true });
  const { result, seconds, processor, peak } = await watched(() =>
    extractFrames(path, cache, { frames: Number(values.frames) }),
  );
  const { frames } = result;
  console.log(
    `${values.codec}: ${(moments.length / RATE / seconds).toFixed(1)} times real time, ${processor.toFixed(1)} processor ` +
      `seconds for ${moments.length / RATE} s of video, ${(peak / 1e6).toFixed(0)} MB`,
  );
  // By time: files are numbered by what was looked at, which need not be every frame.
  const numbers = frames.map(({ frame }) => Math.round(frame.seconds * RATE));
  const ranks = moments.map(({ blur }) => blur).sort((a, b) => a - b);
  const limit = ranks[Math.floor(0.8 * ranks.length)]!;
  const worst = numbers.filter((number) => moments[number]!.blur >= limit).length;
  console.log(
    `${frames.length} frames chosen, ${worst} of them among the most blurred fifth (over ${limit.toFixed(1)} px)`,
  );
  const truth = numbers.map((number, k) => ({
    name: basename(frames[k]!.path),
    fx: moments[number]!.focal,
    worldFromCamera: moments[number]!.worldFromCamera,
  }));
  const reference = join(folder, 'truth.json');
  writeFileSync(reference, JSON.stringify({ photos: truth }));
  const out = join(folder, `out-${values.codec}`);
  rmSync(out, { recursive: true, force: true });
  await reconstruct(
    frames.map((frame) => frame.path),
    { out, formats: 'cameras', quality: values.quality as 'normal' | 'draft' },
  );
  const errors = comparePoses(join(out, 'cameras.json'), reference);
  const middle = (list: number[]): string => list.sort((a, b) => a - b)[list.length >> 1]!.toFixed(3);
  console.log(
    `${errors.registered} of ${errors.photos} placed; median rotation ${middle(errors.rotation)}, translation ` +
      `${middle(errors.translation)} degrees, focal ${(100 * Number(middle(errors.focal))).toFixed(2)} %`,
  );
}

await (what === 'speed' ? speed() : scene());
if (!values.keep) rmSync(folder, { recursive: true });

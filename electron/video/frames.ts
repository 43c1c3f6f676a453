import { createHash } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../contract/errors.js';
import type { VideoFrame } from '../geometry/types.js';
import { analyse } from './analyse.js';
import { CHOOSE_DEFAULTS, chooseFrames, type ChooseOptions } from './choose.js';
import { runFfmpeg } from './ffmpeg.js';
import { probe } from './probe.js';

export interface ExtractOptions extends Partial<ChooseOptions> {
  signal?: AbortSignal | undefined;
  /** One line about what is being done. */
  onProgress?: (message: string) => void;
}

/** A chosen frame: an upright JPEG of full size in the cache. */
export interface CachedFrame {
  path: string;
  frame: VideoFrame;
}

const listing = z.object({
  choice: z.string(),
  frames: z.array(z.object({ file: z.string(), seconds: z.number() })),
  notes: z.array(z.string()),
});

/** A frame's number in its file name has this many digits. */
const DIGITS = 6;
/** Quality of ffmpeg's JPEG encoder, 2 (best) to 31. */
const JPEG_QUALITY = 2;
const SAMPLE_BYTES = 1 << 20;

/**
 * Chooses frames of a video and writes them once, at full size and upright, into `cache`; asked again with the same
 * choice, it finds them there.
 *
 * @returns frames in order, and remarks for the log
 * @throws UserError 'not-found' without FFmpeg or file, 'bad-input' for what is no video; the signal's reason
 */
export async function extractFrames(
  path: string,
  cache: string,
  { signal, onProgress = () => undefined, ...given }: ExtractOptions = {},
): Promise<{ frames: CachedFrame[]; notes: string[] }> {
  const options: ChooseOptions = { ...CHOOSE_DEFAULTS, ...given };
  const facts = await probe(path, signal);
  const videoId = await identify(path);
  const folder = join(cache, videoId.slice(0, 16));
  const choice = JSON.stringify([options.frames, options.perSecond, options.fewest, options.most]);
  const video = basename(path);
  const asFrames = ({ frames, notes }: z.infer<typeof listing>) => ({
    frames: frames.map(({ file, seconds }) => ({ path: join(folder, file), frame: { video, videoId, seconds } })),
    notes,
  });
  const kept = await readListing(folder, choice);
  if (kept) return asFrames(kept);

  let told = 0;
  const { frames: seen, complaint } = await analyse(path, facts, {
    signal,
    onFrame: (count) => {
      if (count - told < 300) return;
      told = count;
      onProgress(`${video}: ${count} of ${facts.times.length} frames looked at`);
    },
  });
  if (seen.count === 0)
    throw new UserError('bad-input', `no picture of this video could be decoded (${firstLine(complaint)}): ${path}`);
  const times = timesOf(seen.count, facts.times);
  const chosen = chooseFrames(seen, times, options);
  const files = await write(path, folder, chosen, signal);
  const notes = remarks(video, seen.count, facts.times, chosen.length);
  const made = {
    choice,
    frames: files.map((file, k) => ({ file, seconds: round(times[chosen[k]!]!) })),
    notes,
  };
  await writeFile(join(folder, 'frames.json'), JSON.stringify(made));
  return asFrames(made);
}

const round = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;
const firstLine = (text: string): string => text.trim().split('\n')[0] || 'it is empty';

function remarks(video: string, decoded: number, stamps: ArrayLike<number>, chosen: number): string[] {
  const notes = [`${video}: ${chosen} of ${decoded} frames chosen`];
  if (decoded < 0.9 * stamps.length)
    notes.push(`${video} is damaged or cut off: ${decoded} of ${stamps.length} frames could be decoded`);
  if (chosen === 1) notes.push(`${video}: the picture stands still, so that one frame shows all of it`);
  return notes;
}

/** Identifies a video by its size and both ends: hashing hours of it would take longer than reading it. */
async function identify(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256').update(String(size));
    const buffer = Buffer.alloc(SAMPLE_BYTES);
    for (const at of [0, Math.max(0, size - SAMPLE_BYTES)]) {
      const { bytesRead } = await file.read(buffer, 0, SAMPLE_BYTES, at);
      hash.update(buffer.subarray(0, bytesRead));
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

async function readListing(folder: string, choice: string): Promise<z.infer<typeof listing> | undefined> {
  try {
    const found = listing.parse(JSON.parse(await readFile(join(folder, 'frames.json'), 'utf8')));
    const files = new Set(await readdir(folder));
    return found.choice === choice && found.frames.every(({ file }) => files.has(file)) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds of each decoded frame; where the container has no stamps, or too few, 30 a second are assumed. */
function timesOf(count: number, stamps: Float64Array): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => {
    if (k < stamps.length) return stamps[k]!;
    return (stamps[stamps.length - 1] ?? 0) + (k - Math.max(0, stamps.length - 1)) / 30;
  });
}

/** Decodes once more and writes the chosen frames. The folder appears whole or not at all. */
async function write(path: string, folder: string, chosen: readonly number[], signal?: AbortSignal): Promise<string[]> {
  const partial = `${folder}.partial-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    const select = chosen.map((frame) => `eq(n,${frame})`).join('+');
    const { complaint } = await runFfmpeg(
      'ffmpeg',
      [
        ...['-nostdin', '-v', 'error', '-i', path, '-map', '0:v:0', '-an', '-sn', '-dn'],
        ...['-vf', `select='${select}'`, '-vsync', 'passthrough', '-frames:v', String(chosen.length)],
        ...['-q:v', String(JPEG_QUALITY), '-qmin', '1', join(partial, `%0${DIGITS}d.jpg`)],
      ],
      { signal },
    );
    const written = (await readdir(partial)).sort();
    if (written.length < chosen.length) {
      throw new UserError(
        'bad-input',
        `only ${written.length} of ${chosen.length} chosen frames could be written (${firstLine(complaint)}): ${path}`,
      );
    }
    const stem = basename(path, extname(path));
    const names = chosen.map((frame) => `${stem}-${String(frame).padStart(DIGITS, '0')}.jpg`);
    for (const [k, name] of names.entries()) await rename(join(partial, written[k]!), join(partial, name));
    await rm(folder, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await rename(partial, folder);
    return names;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

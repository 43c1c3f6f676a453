import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { openRegular } from '../compute/regular-file.js';
import { UserError } from '../contract/errors.js';
import { reasonOf } from '../photos/discover.js';
import type { VideoFrame } from '../geometry/types.js';
import { CHOOSE_DEFAULTS, chooseFrames, wantedFrames, type ChooseOptions } from './choose.js';
import { ffmpegReader } from './ffmpeg-reader.js';
import type { LookedAt, OnePass, Reach, TwoPasses, VideoProgress, VideoReader } from './reader.js';

export interface ExtractOptions extends Partial<ChooseOptions> {
  /** Who decodes; an installed FFmpeg by default. */
  reader?: VideoReader;
  signal?: AbortSignal | undefined;
  /** @param share of reading this video, 0 to 1 */
  onProgress?: (share: number) => void;
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
const SAMPLE_BYTES = 1 << 20;
/** Where a video is decoded twice: of the time, what looking at every frame takes; writing the chosen ones the rest. */
const LOOKING = 0.6;
/** Of a long video, so many times the frames that are wanted are enough to choose from. */
const ENOUGH = 8;
/**
 * Where it is decoded once: so many neighbourhoods for each frame that is wanted, of each of which one frame is written.
 * What moves three times as fast as the whole is still taken as densely as it should.
 */
const NEIGHBOURHOODS = 3;
/** Seconds by which a track may end before its container does. */
const SLACK = 1;

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
  { signal, onProgress = () => undefined, reader = ffmpegReader, ...given }: ExtractOptions = {},
): Promise<{ frames: CachedFrame[]; notes: string[] }> {
  const options: ChooseOptions = { ...CHOOSE_DEFAULTS, ...given };
  const videoId = await identify(path);
  const choice = JSON.stringify([options.frames, options.perSecond, options.fewest, options.most]);
  // One folder for each choice: photos of a project may lie in that of another choice.
  const folder = join(
    cache,
    `${videoId.slice(0, 16)}-${createHash('sha256').update(choice).digest('hex').slice(0, 8)}`,
  );
  const video = basename(path);
  const asFrames = ({ frames, notes }: z.infer<typeof listing>) => ({
    frames: frames.map(({ file, seconds }) => ({ path: join(folder, file), frame: { video, videoId, seconds } })),
    notes,
  });
  const kept = await readListing(folder, choice);
  if (kept) return asFrames(kept);

  const made = await wholeFolder(folder, async (partial) => {
    const work = { signal, onProgress, enough: ENOUGH * (options.frames ?? options.most) };
    const extraction = { path, folder: partial, options, work };
    const { seen, files, chosen } = await ('spool' in reader
      ? inOnePass(extraction, reader)
      : inTwoPasses(extraction, reader));
    const { times } = seen;
    const stem = basename(path, extname(path));
    const frames: { file: string; seconds: number }[] = [];
    for (const [k, number] of chosen.entries()) {
      const file = `${stem}-${String(number).padStart(DIGITS, '0')}.jpg`;
      await rename(join(partial, files[k]!), join(partial, file));
      frames.push({ file, seconds: round(times[number]!) });
    }
    const listed = { choice, frames, notes: remarks(video, seen, chosen.length) };
    await writeFile(join(partial, 'frames.json'), JSON.stringify(listed));
    return listed;
  });
  return asFrames(made);
}

interface Extraction {
  path: string;
  folder: string;
  options: ChooseOptions;
  work: VideoProgress & Pick<Reach, 'enough'>;
}

interface Extracted {
  seen: LookedAt;
  /** Numbers of the chosen frames, and their files in the folder. */
  chosen: number[];
  files: string[];
}

async function inOnePass({ path, folder, options, work }: Extraction, reader: OnePass): Promise<Extracted> {
  const neighbourhoods = (seconds: number) => NEIGHBOURHOODS * wantedFrames(seconds, options);
  const { seen, files } = await reader.spool(path, folder, { ...work, neighbourhoods });
  const chosen = chooseFrames(seen.frames, seen.times, options, (frame) => files.has(frame));
  for (const [number, file] of files) if (!chosen.includes(number)) await rm(join(folder, file));
  return { seen, chosen, files: chosen.map((number) => files.get(number)!) };
}

async function inTwoPasses({ path, folder, options, work }: Extraction, reader: TwoPasses): Promise<Extracted> {
  const { signal, onProgress = () => undefined } = work;
  const seen = await reader.look(path, { ...work, onProgress: (share) => onProgress(LOOKING * share) });
  const chosen = chooseFrames(seen.frames, seen.times, options);
  const wanted = chosen.map((number) => ({ number, seconds: seen.times[number]! }));
  const files = await reader.take(path, wanted, folder, {
    signal,
    part: seen.part,
    onProgress: (share) => onProgress(LOOKING + (1 - LOOKING) * share),
  });
  if (files.length < chosen.length)
    throw new UserError(
      'bad-input',
      `only ${files.length} of ${chosen.length} chosen frames could be decoded a second time; make a copy of the video with another program and use that: ${path}`,
    );
  return { seen, chosen, files };
}

const round = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

function remarks(
  video: string,
  { frames, times, announced, seconds = 0, damage, part }: LookedAt,
  chosen: number,
): string[] {
  const notes = [`${video}: ${chosen} of ${frames.count} ${part === 'keys' ? 'key frames' : 'frames'} chosen`];
  const last = times[times.length - 1] ?? 0;
  if (part !== 'keys' && seconds > 1.1 * last + SLACK)
    notes.push(`${video} is cut off: it ends after ${last.toFixed(1)} of ${seconds.toFixed(1)} seconds`);
  else if (frames.count < 0.9 * announced)
    notes.push(`${video} is damaged: ${frames.count} of ${announced} frames could be decoded`);
  else if (damage) notes.push(`${video} is damaged in places (${damage}): look through its frames`);
  if (chosen === 1) notes.push(`${video}: the picture stands still, so that one frame shows all of it`);
  return notes;
}

/** Identifies a video by its size and both ends: hashing hours of it would take longer than reading it. */
async function identify(path: string): Promise<string> {
  const { file, size } = await openRegular(path).catch((error: unknown) => {
    throw new UserError('not-found', `the video can't be read: ${reasonOf(error)}: ${path}`, { cause: error });
  });
  try {
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

/** The folder of chosen frames appears whole or not at all. */
async function wholeFolder<T>(folder: string, fill: (partial: string) => Promise<T>): Promise<T> {
  const partial = `${folder}.partial-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    const filled = await fill(partial);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
    return filled;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../contract/errors.js';
import { FrameTally, lookedAtSize } from './analyse.js';
import { runFfmpeg } from './ffmpeg.js';
import { probe } from './probe.js';
import type { LookedAt, Reach, VideoProgress, VideoReader } from './reader.js';

/** Quality of its JPEG encoder, 2 (best) to 31. */
const JPEG_QUALITY = 2;
/** From so many frames on, a quarter of what is enough is enough: to decode all of ten hours takes three. */
const LONG = 200_000;

/**
 * The first picture track and nothing else. Other frames than keys are left out where the container is read (MP4, MOV) or
 * by the decoder (H.264, H.265); with neither (VP9 and AV1 in WebM and MKV) all are decoded all the same.
 */
const input = (path: string, keysOnly = false): string[] => [
  ...['-nostdin', '-v', 'error', ...(keysOnly ? ['-discard', 'nokey', '-skip_frame', 'nokey'] : [])],
  ...['-i', path, '-map', '0:v:0', '-an', '-sn', '-dn'],
];

/** Videos decoded by an installed FFmpeg. */
export const ffmpegReader: VideoReader = { look, take };

async function look(
  path: string,
  { signal, onProgress, enough = Infinity }: VideoProgress & Pick<Reach, 'enough'>,
): Promise<LookedAt> {
  const facts = await probe(path, signal);
  const { keys } = facts;
  const wanted = keys.length < facts.times.length && keys.length >= (facts.times.length > LONG ? enough / 4 : enough);
  const announced = wanted ? keys.length : facts.times.length;
  const { width, height } = lookedAtSize(facts.width, facts.height);
  const tally = new FrameTally(width, height);
  const frame = new Uint8Array(width * height);
  let filled = 0;
  const { complaint } = await runFfmpeg(
    'ffmpeg',
    [
      ...input(path, wanted),
      ...['-vf', `scale=${width}:${height}:flags=fast_bilinear`, '-vsync', 'passthrough'],
      ...['-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'],
    ],
    {
      signal,
      onData: (chunk) => {
        for (let at = 0; at < chunk.length;) {
          const taken = Math.min(chunk.length - at, frame.length - filled);
          frame.set(chunk.subarray(at, at + taken), filled);
          at += taken;
          filled += taken;
          if (filled < frame.length) continue;
          tally.add(frame);
          filled = 0;
          onProgress?.(Math.min(1, tally.count / Math.max(1, announced)));
        }
      },
    },
  );
  if (tally.count === 0)
    throw new UserError('bad-input', `no picture of this video could be decoded (${firstLine(complaint)}): ${path}`);
  // All frames came: nobody left the others out.
  const keysOnly = wanted && tally.count <= (keys.length + facts.times.length) / 2;
  const times = keysOnly ? keys : facts.times;
  return {
    frames: tally.result(),
    times: timesOf(tally.count, times),
    announced: times.length,
    ...(keysOnly ? { keysOnly } : {}),
  };
}

async function take(
  path: string,
  frames: readonly { number: number }[],
  folder: string,
  { signal, keysOnly }: VideoProgress & Pick<Reach, 'keysOnly'>,
): Promise<string[]> {
  const select = frames.map(({ number }) => `eq(n,${number})`).join('+');
  await runFfmpeg(
    'ffmpeg',
    [
      ...input(path, keysOnly),
      ...['-vf', `select='${select}'`, '-vsync', 'passthrough', '-frames:v', String(frames.length)],
      ...['-q:v', String(JPEG_QUALITY), '-qmin', '1', join(folder, '%08d.jpg')],
    ],
    { signal },
  );
  return (await readdir(folder)).sort();
}

const firstLine = (text: string): string => text.trim().split('\n')[0] || 'it is empty';

/** Seconds of each decoded frame; where the container has no stamps, or too few, 30 a second are assumed. */
function timesOf(count: number, stamps: Float64Array): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => {
    if (k < stamps.length) return stamps[k]!;
    return (stamps[stamps.length - 1] ?? 0) + (k - Math.max(0, stamps.length - 1)) / 30;
  });
}

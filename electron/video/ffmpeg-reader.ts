import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../contract/errors.js';
import { FrameTally, lookedAtSize } from './analyse.js';
import { runFfmpeg } from './ffmpeg.js';
import { probe, shapeOf, type VideoFacts, type VideoShape } from './probe.js';
import type { LookedAt, Part, Reach, VideoProgress, VideoReader } from './reader.js';

/** Quality of its JPEG encoder, 2 (best) to 31. */
const JPEG_QUALITY = 2;
/** From so many frames on, a quarter of what is enough is enough: to decode all of ten hours takes three. */
const LONG = 200_000;

/**
 * What of a video is decoded. Frames that no other is built on are left out by the decoder (H.264, H.265): half of what
 * a phone or x264 writes, and so half of the time. Other frames than keys are left out where the container is read (MP4,
 * MOV) or by the decoder; with neither (VP9 and AV1 in WebM and MKV) all are decoded all the same.
 */
const SKIPPED: Record<Part, string[]> = {
  all: [],
  references: ['-skip_frame', 'noref'],
  keys: ['-discard', 'nokey', '-skip_frame', 'nokey'],
};

/** The first picture track, not a cover, and nothing else. */
const input = (path: string, part: Part = 'all', more: readonly string[] = []): string[] => [
  ...['-nostdin', '-v', 'error', ...SKIPPED[part], ...more],
  ...['-i', path, '-map', '0:V:0', '-an', '-sn', '-dn'],
];

/** Whole pictures of square pixels. */
const straight = ({ pixelRatio, interlaced }: VideoShape): string[] => [
  ...(interlaced ? ['yadif=deint=interlaced'] : []),
  ...(pixelRatio === 1 ? [] : ["scale='round(iw*sar)':ih", 'setsar=1']),
];

/** Videos decoded by an installed FFmpeg. */
export const ffmpegReader: VideoReader = { look, take };

async function look(
  path: string,
  { signal, onProgress, enough = Infinity }: VideoProgress & Pick<Reach, 'enough'>,
): Promise<LookedAt> {
  const facts = await probe(path, signal);
  const part = partOf(facts, enough);
  const seen = await lookAt(path, facts, part, { signal, onProgress });
  // Fewer are left than there is to choose from: all frames are looked at.
  if (part === 'references' && seen.frames.count < enough / 2)
    return lookAt(path, facts, 'all', { signal, onProgress });
  return seen;
}

function partOf({ times, keys }: VideoFacts, enough: number): Part {
  if (keys.length < times.length && keys.length >= (times.length > LONG ? enough / 4 : enough)) return 'keys';
  return times.length >= enough ? 'references' : 'all';
}

/** Writes each frame's time stamp among the complaints: a line of its own. */
const STAMPS = "metadata=mode=add:key=t:value=1,metadata=mode=print:file='pipe\\:2'";

async function lookAt(
  path: string,
  facts: VideoFacts,
  part: Part,
  { signal, onProgress }: VideoProgress,
): Promise<LookedAt> {
  const { width, height } = lookedAtSize(facts.width, facts.height);
  const length = facts.seconds ?? facts.times[facts.times.length - 1] ?? 0;
  const tally = new FrameTally(width, height);
  const frame = new Uint8Array(width * height);
  const stamps: number[] = [];
  let filled = 0;
  // The filter that smooths edges of blocks takes a tenth of the time, and is not seen at this size.
  const { complaint } = await runFfmpeg(
    'ffmpeg',
    [
      ...input(path, part, ['-skip_loop_filter', 'all']),
      ...['-vf', [STAMPS, ...straight(facts), `scale=${width}:${height}:flags=fast_bilinear`].join()],
      ...['-vsync', 'passthrough', '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'],
    ],
    {
      signal,
      isNoise: (line) => {
        const stamp = /^frame:\d+.*pts_time:([-\d.e+]+)/.exec(line)?.[1];
        if (stamp !== undefined) stamps.push(Number(stamp));
        return stamp !== undefined || line.startsWith('t=1');
      },
      onData: (chunk) => {
        for (let at = 0; at < chunk.length;) {
          const taken = Math.min(chunk.length - at, frame.length - filled);
          frame.set(chunk.subarray(at, at + taken), filled);
          at += taken;
          filled += taken;
          if (filled < frame.length) continue;
          tally.add(frame);
          filled = 0;
          if (length > 0) onProgress?.(Math.min(1, Math.max(0, (stamps[tally.count - 1] ?? 0) - stamps[0]!) / length));
        }
      },
    },
  );
  const damage = damageIn(complaint);
  if (tally.count === 0)
    throw new UserError('bad-input', `no picture of this video could be decoded (${damage ?? 'it is empty'}): ${path}`);
  // All frames came: nobody left the others out.
  const { keys, times } = facts;
  const keysOnly = part === 'keys' && tally.count <= (keys.length + times.length) / 2;
  const seen = stamps.length === tally.count ? Float64Array.from(stamps, (time) => time - stamps[0]!) : undefined;
  return {
    frames: tally.result(),
    times: seen ?? timesOf(tally.count, keysOnly ? keys : times),
    announced: keysOnly ? keys.length : part === 'references' ? tally.count : times.length,
    seconds: facts.seconds,
    damage,
    ...(keysOnly ? { part: 'keys' } : part === 'references' ? { part } : {}),
  };
}

async function take(
  path: string,
  frames: readonly { number: number }[],
  folder: string,
  { signal, part }: VideoProgress & Pick<Reach, 'part'>,
): Promise<string[]> {
  const select = frames.map(({ number }) => `eq(n,${number})`).join('+');
  const shape = await shapeOf(path, signal);
  await runFfmpeg(
    'ffmpeg',
    [
      ...input(path, part),
      ...['-vf', [`select='${select}'`, ...straight(shape)].join(), '-vsync', 'passthrough'],
      ...['-frames:v', String(frames.length), '-q:v', String(JPEG_QUALITY), '-qmin', '1', join(folder, '%08d.jpg')],
    ],
    { signal },
  );
  return (await readdir(folder)).sort();
}

/** The first complaint that is about pictures, without the decoder's name and address. */
function damageIn(complaint: string): string | undefined {
  const line = complaint
    .split('\n')
    .find((each) => /decod|corrupt|damaged|invalid|missing|conceal|truncat|partial/i.test(each));
  return line?.replace(/^\[[^\]]*\]\s*/, '').trim();
}

/** Seconds of each decoded frame; where the container has no stamps, or too few, 30 a second are assumed. */
function timesOf(count: number, stamps: Float64Array): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => {
    if (k < stamps.length) return stamps[k]!;
    return (stamps[stamps.length - 1] ?? 0) + (k - Math.max(0, stamps.length - 1)) / 30;
  });
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../contract/errors.js';
import { FrameTally, lookedAtSize, type FrameFacts } from './analyse.js';
import { runFfmpeg } from './ffmpeg.js';
import { probe, type VideoFacts, type VideoShape } from './probe.js';
import type { LookedAt, OnePass, Part, Spooled } from './reader.js';
import { FrameCutter, FrameSpool } from './spool.js';

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

/**
 * Of a stream in which every frame is built on, or whose decoder can't tell (VP9, AV1), every second one is looked at: to
 * write and look at a frame takes as long as to decode it.
 */
function thinned({ times }: VideoFacts, part: Part): string[] {
  const interval = (times[times.length - 1] ?? 0) / Math.max(1, times.length - 1);
  if (part !== 'references' || !(interval > 0)) return [];
  return [`select='isnan(prev_selected_t)+gte(t-prev_selected_t,${(1.5 * interval).toFixed(6)})'`];
}

/** Whole pictures of square pixels. */
const straight = ({ width, height, interlaced }: VideoShape): string[] => [
  ...(interlaced ? ['yadif=deint=interlaced'] : []),
  // The same size all along: a stream may change its own on the way.
  ...[`scale=${width}:${height}:out_range=tv`, 'setsar=1'],
];

/** Videos decoded by an installed FFmpeg. */
export const ffmpegReader: OnePass = { spool };

type SpoolOrder = Parameters<OnePass['spool']>[2];

async function spool(path: string, folder: string, order: SpoolOrder): Promise<Spooled> {
  const { signal, enough = Infinity } = order;
  const facts = await probe(path, signal);
  const part = partOf(facts, enough);
  const spooled = await pass(path, folder, facts, part, order);
  if (part !== 'references' || spooled.seen.frames.count >= enough / 2) return spooled;
  // Fewer are left than there is to choose from: all frames are looked at.
  for (const file of spooled.files.values()) await rm(join(folder, file), { force: true });
  return pass(path, folder, facts, 'all', order);
}

function partOf({ times, keys }: VideoFacts, enough: number): Part {
  if (keys.length < times.length && keys.length >= (times.length > LONG ? enough / 4 : enough)) return 'keys';
  return times.length >= enough ? 'references' : 'all';
}

/** Writes each frame's time stamp among the complaints: a line of its own. */
const STAMPS = "metadata=mode=add:key=t:value=1,metadata=mode=print:file='pipe\\:2'";

/** Frames small and grey on standard output, and of full size as files, from one decoder. */
function argumentsOf(
  path: string,
  facts: VideoFacts,
  part: Part,
  { small, full }: { small: { width: number; height: number }; full: FrameSpool },
): string[] {
  const whole = [...thinned(facts, part), STAMPS, ...straight(facts), FrameSpool.filter].join();
  const looked = `scale=${small.width}:${small.height}:flags=fast_bilinear,format=gray`;
  const each = ['-vsync', 'passthrough'];
  return [
    ...['-nostdin', '-v', 'error', ...SKIPPED[part], '-i', path],
    // The first picture track, not a cover, and nothing else.
    ...['-filter_complex', `[0:V:0]${whole},split[full][seen];[seen]${looked}[small]`],
    // Files first: what has been looked at is written already.
    ...['-map', '[full]', ...each, ...full.output, '-map', '[small]', ...each, '-f', 'rawvideo', 'pipe:1'],
  ];
}

async function pass(
  path: string,
  folder: string,
  facts: VideoFacts,
  part: Part,
  { signal, onProgress, neighbourhoods }: SpoolOrder,
): Promise<Spooled> {
  const length = facts.seconds ?? facts.times[facts.times.length - 1] ?? 0;
  const small = lookedAtSize(facts.width, facts.height);
  const tally = new FrameTally(small.width, small.height);
  const expected = { all: facts.times.length, references: facts.times.length / 2, keys: facts.keys.length }[part];
  const { width, height } = facts;
  const full = new FrameSpool({
    ...{ width, height, folder, signal, expected },
    neighbourhoods: neighbourhoods(length),
    sharpnessOf: (frame) => tally.sharpnessOf(frame),
  });
  const stamps: number[] = [];
  const looked = new FrameCutter(small.width * small.height, (frame) => {
    tally.add(frame);
    if (length > 0) onProgress?.(Math.min(1, Math.max(0, (stamps[tally.count - 1] ?? 0) - stamps[0]!) / length));
  });
  try {
    const { complaint } = await runFfmpeg('ffmpeg', argumentsOf(path, facts, part, { small, full }), {
      signal,
      isNoise: (line) => {
        const stamp = /^frame:\d+.*pts_time:([-\d.e+]+)/.exec(line)?.[1];
        if (stamp !== undefined) stamps.push(Number(stamp));
        return stamp !== undefined || line.startsWith('t=1');
      },
      onData: async (chunk) => {
        looked.add(chunk);
        await full.judge(tally.count);
      },
    });
    const damage = damageIn(complaint);
    if (tally.count === 0)
      throw new UserError(
        'bad-input',
        `no picture of this video could be decoded (${damage ?? 'it is empty'}): ${path}`,
      );
    const files = await full.finish(tally.count);
    return { files, seen: seenOf(tally.result(), facts, part, { stamps, damage }) };
  } finally {
    await full.abandon();
  }
}

function seenOf(
  frames: FrameFacts,
  { keys, times, seconds }: VideoFacts,
  part: Part,
  { stamps, damage }: { stamps: readonly number[]; damage: string | undefined },
): LookedAt {
  const { count } = frames;
  // All frames came: nobody left the others out.
  const keysOnly = part === 'keys' && count <= (keys.length + times.length) / 2;
  const seen = stamps.length === count ? Float64Array.from(stamps, (time) => time - stamps[0]!) : undefined;
  return {
    frames,
    times: seen ?? timesOf(count, keysOnly ? keys : times),
    announced: keysOnly ? keys.length : part === 'references' ? count : times.length,
    seconds,
    damage,
    ...(keysOnly ? { part: 'keys' } : part === 'references' ? { part } : {}),
  };
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

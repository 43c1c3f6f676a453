import { BLOCKS, type FrameFacts } from './analyse.js';

export interface ChooseOptions {
  /** How many frames to take; undefined: by `perSecond`. */
  frames?: number | undefined;
  /** Frames a second of video, when `frames` is not given. */
  perSecond: number;
  /** Bounds of the number when `frames` is not given. */
  fewest: number;
  most: number;
}

export const CHOOSE_DEFAULTS: ChooseOptions = { perSecond: 2, fewest: 24, most: 200 };

/** Motion is averaged over so many frames either way: shake goes, travel stays. */
const SMOOTHING = 4;
/** Frames are judged against those this many seconds around: what is shown changes how sharp a frame can be. */
const NEIGHBOURHOOD = 1.5;
/** This share of the frames, the least sharp among their neighbours, is never taken while others are left. */
const REFUSED = 0.3;
/** The same of the least sharp of all. */
const REFUSED_OVERALL = 0.2;
/** Time counts as this much motion, long sides a second, so that slow parts are not skipped altogether. */
const IDLE = 0.004;
/** A video whose picture moves less than this in all, in long sides, shows one view. */
const STILL = 0.02;

/** How many frames of a video are taken. @param seconds from its first frame to its last */
export const wantedFrames = (
  seconds: number,
  { frames, perSecond, fewest, most }: ChooseOptions = CHOOSE_DEFAULTS,
): number => frames ?? Math.round(Math.max(fewest, Math.min(most, seconds * perSecond)));

/**
 * Chooses frames that are sharp and spread by motion: equal travel of the picture between neighbours, within each step
 * the sharpest frame, no two that show the same.
 *
 * @param times seconds of each frame
 * @param isAtHand frames that may be chosen; all by default. What is sharp is judged by all frames either way
 * @returns indices of frames, ascending
 */
export function chooseFrames(
  facts: FrameFacts,
  times: ArrayLike<number>,
  options: ChooseOptions = CHOOSE_DEFAULTS,
  isAtHand: (frame: number) => boolean = () => true,
): number[] {
  const { count } = facts;
  if (count === 0) return [];
  const seconds = times[count - 1]! - times[0]!;
  const path = travel(facts, times);
  const wanted = Math.min(count, wantedFrames(seconds, options));
  const length = path[count - 1]!;
  const idle = IDLE * seconds;
  if (length - idle < STILL) return [argmax(facts.sharpness.map((value, frame) => (isAtHand(frame) ? value : -1)))];
  const quality = relativeSharpness(facts.sharpness, times);
  const refused = Math.max(quantile(quality, REFUSED), 0);
  for (let frame = 0; frame < count; frame++) if (!isAtHand(frame)) quality[frame] = -1;
  const refusedOverall = quantile(facts.sharpness, REFUSED_OVERALL);
  const step = length / wanted;
  const chosen: number[] = [];
  let frame = 0;
  for (let bin = 0; bin < wanted; bin++) {
    let best = -1;
    for (; frame < count && (path[frame]! < (bin + 1) * step || bin === wanted - 1); frame++) {
      if (quality[frame]! < refused || facts.sharpness[frame]! < refusedOverall) continue;
      const last = chosen[chosen.length - 1];
      if (last !== undefined && path[frame]! - path[last]! < 0.35 * step) continue;
      if (best < 0 || quality[frame]! > quality[best]!) best = frame;
    }
    if (best >= 0) chosen.push(best);
  }
  return filled(chosen, wanted, { quality, path, refused, sharpness: facts.sharpness, refusedOverall });
}

/** Steps in which every frame was blurred leave a place free: it goes to the widest gap that has a good frame. */
function filled(
  chosen: readonly number[],
  wanted: number,
  {
    quality,
    path,
    refused,
    sharpness,
    refusedOverall,
  }: {
    quality: Float32Array;
    path: Float64Array;
    refused: number;
    sharpness: Float32Array;
    refusedOverall: number;
  },
): number[] {
  const frames = [...chosen];
  const closed = new Set<number>();
  while (frames.length < wanted) {
    let widest = -1;
    for (let k = 0; k + 1 < frames.length; k++) {
      if (closed.has(frames[k]!)) continue;
      if (widest < 0 || gap(path, frames, k) > gap(path, frames, widest)) widest = k;
    }
    if (widest < 0) break;
    const [from, to] = [frames[widest]!, frames[widest + 1]!];
    const margin = 0.25 * (path[to]! - path[from]!);
    let best = -1;
    for (let k = from + 1; k < to; k++) {
      const apart = Math.min(path[k]! - path[from]!, path[to]! - path[k]!) >= margin;
      if (!apart || quality[k]! < refused || sharpness[k]! < refusedOverall) continue;
      if (best < 0 || quality[k]! > quality[best]!) best = k;
    }
    if (best < 0) closed.add(from);
    else frames.splice(widest + 1, 0, best);
  }
  return frames;
}

const gap = (path: Float64Array, frames: readonly number[], k: number): number =>
  path[frames[k + 1]!]! - path[frames[k]!]!;

/** [count] how far the picture has travelled up to each frame, in long sides, with a little for time that passes. */
function travel({ count, shift }: FrameFacts, times: ArrayLike<number>): Float64Array {
  const path = new Float64Array(count);
  const sums = new Float64Array(2 * BLOCKS);
  const add = (frame: number, sign: number): void => {
    if (frame < 0 || frame >= count) return;
    for (let k = 0; k < 2 * BLOCKS; k++) sums[k] = sums[k]! + sign * shift[frame * 2 * BLOCKS + k]!;
  };
  for (let frame = 0; frame < SMOOTHING; frame++) add(frame, 1);
  for (let frame = 0; frame < count; frame++) {
    add(frame + SMOOTHING, 1);
    add(frame - SMOOTHING - 1, -1);
    const window = Math.min(count - 1, frame + SMOOTHING) - Math.max(0, frame - SMOOTHING) + 1;
    let moved = 0;
    for (let k = 0; k < BLOCKS; k++) moved += Math.hypot(sums[2 * k]!, sums[2 * k + 1]!) / window / BLOCKS;
    const passed = frame > 0 ? Math.max(0, times[frame]! - times[frame - 1]!) : 0;
    path[frame] = (frame > 0 ? path[frame - 1]! : 0) + moved + IDLE * passed;
  }
  return path;
}

/** Sharpness over the median of the frames around it. */
function relativeSharpness(sharpness: Float32Array, times: ArrayLike<number>): Float32Array {
  const out = new Float32Array(sharpness.length);
  let [from, to] = [0, 0];
  for (let k = 0; k < sharpness.length; k++) {
    while (times[k]! - times[from]! > NEIGHBOURHOOD) from++;
    while (to < sharpness.length && times[to]! - times[k]! <= NEIGHBOURHOOD) to++;
    const around = sharpness.slice(from, to).sort();
    out[k] = sharpness[k]! / Math.max(1e-6, around[around.length >> 1]!);
  }
  return out;
}

function quantile(values: Float32Array, share: number): number {
  return values.slice().sort()[Math.floor(share * (values.length - 1))]!;
}

function argmax(values: Float32Array): number {
  return values.reduce((best, value, k) => (value > values[best]! ? k : best), 0);
}

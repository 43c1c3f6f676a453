import { sharpness } from '../photos/sharpness.js';

/** What is known of each frame of a video, in order. */
export interface FrameFacts {
  count: number;
  /** [count], 0 (blurred) to 1. */
  sharpness: Float32Array;
  /**
   * [count, BLOCKS, 2] how far each block of the picture moved since the frame before, in shares of the long side. A
   * camera that walks or turns moves blocks alike, one that circles an object moves them against each other.
   */
  shift: Float32Array;
}

/** Frames are looked at with this long side: blur that matters is visible, decoding costs more than looking. */
export const SIDE = 480;
const COLUMNS = 4;
const ROWS = 3;
export const BLOCKS = COLUMNS * ROWS;
/** Motion is searched on a picture this many times smaller, up to so many of its pixels. */
const COARSE = 6;
const REACH = 6;
/** Light changes: after so many frames motion is measured against a newer one. */
const LONGEST = 30;

/** The size at which frames of a video are looked at. @param width, height upright, pixels */
export function lookedAtSize(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, SIDE / Math.max(width, height));
  return {
    width: Math.max(COARSE * COLUMNS, Math.round(width * scale)),
    height: Math.max(COARSE * ROWS, Math.round(height * scale)),
  };
}

/**
 * Notes sharpness and motion of frames that come one by one, small and grey. It holds one frame and some hundred bytes
 * of each, however long the video is.
 */
export class FrameTally {
  count = 0;
  /** Room for so many frames so far: plain arrays of numbers would take more than twice the memory for hours of video. */
  private scores = new Float32Array(1024);
  private shifts = new Float32Array(1024 * 2 * BLOCKS);
  /** The frame that motion is measured against, how far each block has moved since, and how many frames ago it was. */
  private reference: Uint8Array | undefined;
  private since = new Float32Array(2 * BLOCKS);
  private age = 0;

  constructor(
    private readonly width: number,
    private readonly height: number,
  ) {}

  /** @param frame [height, width], kept by nobody */
  add(frame: Uint8Array): void {
    if (this.count === this.scores.length) {
      this.scores = doubled(this.scores);
      this.shifts = doubled(this.shifts);
    }
    this.scores[this.count] = sharpness(frame, this.width, this.height);
    const coarse = reduced(frame, this.width, this.height);
    this.shifts.set(this.moved(coarse), 2 * BLOCKS * this.count);
    this.count++;
  }

  /**
   * How far blocks moved since the frame before: by the difference of what they moved since a frame that is kept until
   * the picture has travelled a pixel. Measured from frame to frame the error of a still picture, 0.02 of these pixels
   * and always the same way, added up to a walk: 12 frames alike were chosen of five seconds of one picture.
   */
  private moved(coarse: Uint8Array): Float32Array<ArrayBuffer> {
    if (!this.reference) {
      this.reference = coarse;
      return this.since;
    }
    const now = blockShifts(this.reference, coarse, this.width, this.height);
    const step = now.map((value, k) => value - this.since[k]!);
    this.age++;
    if (meanLength(now) * Math.max(...coarseSize(this.width, this.height)) > 1 || this.age === LONGEST) {
      this.reference = coarse;
      this.since = new Float32Array(2 * BLOCKS);
      this.age = 0;
    } else this.since = now;
    return step;
  }

  /** Of a frame that was added. */
  sharpnessOf(frame: number): number {
    return this.scores[frame]!;
  }

  result(): FrameFacts {
    const { count } = this;
    return { count, sharpness: this.scores.slice(0, count), shift: this.shifts.slice(0, 2 * BLOCKS * count) };
  }
}

function meanLength(shifts: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < BLOCKS; k++) sum += Math.hypot(shifts[2 * k]!, shifts[2 * k + 1]!);
  return sum / BLOCKS;
}

function doubled(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const more = new Float32Array(2 * values.length);
  more.set(values);
  return more;
}

const coarseSize = (width: number, height: number): [number, number] => [
  Math.floor(width / COARSE),
  Math.floor(height / COARSE),
];

/** Means of squares of COARSE x COARSE pixels. */
function reduced(frame: Uint8Array, width: number, height: number): Uint8Array {
  const [w, h] = coarseSize(width, height);
  const out = new Uint8Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let sum = 0;
      for (let j = 0; j < COARSE; j++) {
        const row = (y * COARSE + j) * width + x * COARSE;
        for (let i = 0; i < COARSE; i++) sum += frame[row + i]!;
      }
      out[y * w + x] = sum / (COARSE * COARSE);
    }
  }
  return out;
}

/** Of each block, where in the frame before it fits best: shares of the long side. */
function blockShifts(before: Uint8Array, now: Uint8Array, width: number, height: number): Float32Array<ArrayBuffer> {
  const [w, h] = coarseSize(width, height);
  const out = new Float32Array(2 * BLOCKS);
  const [bw, bh] = [Math.floor(w / COLUMNS), Math.floor(h / ROWS)];
  for (let block = 0; block < BLOCKS; block++) {
    const [x0, y0] = [(block % COLUMNS) * bw, Math.floor(block / COLUMNS) * bh];
    const [dx, dy] = bestShift(before, now, { x0, y0, bw, bh, w, h });
    out[2 * block] = dx / Math.max(w, h);
    out[2 * block + 1] = dy / Math.max(w, h);
  }
  return out;
}

interface Block {
  x0: number;
  y0: number;
  bw: number;
  bh: number;
  w: number;
  h: number;
}

/** A small price for moving, per pixel: even blocks stand still. */
const PRICE = 0.02;

/**
 * The shift of least cost among all within REACH. Shifts are tried from no motion outwards, and one is given up as soon
 * as its sum is beyond the best: three of four need a few rows only (0.5 ms instead of 2.6 ms a frame).
 */
function bestShift(before: Uint8Array, now: Uint8Array, block: Block): [number, number] {
  let best = Infinity;
  let [x, y] = [0, 0];
  for (const [dx, dy] of OUTWARDS) {
    const price = PRICE * (Math.abs(dx) + Math.abs(dy));
    if (price >= best) continue;
    const cost = difference(before, now, block, { dx, dy, limit: best - price }) + price;
    if (cost >= best) continue;
    best = cost;
    [x, y] = [dx, dy];
  }
  const cost = (dx: number, dy: number): number =>
    Math.max(Math.abs(dx), Math.abs(dy)) > REACH
      ? Infinity
      : difference(before, now, block, { dx, dy, limit: Infinity }) + PRICE * (Math.abs(dx) + Math.abs(dy));
  return [x + peak(cost(x - 1, y), best, cost(x + 1, y)), y + peak(cost(x, y - 1), best, cost(x, y + 1))];
}

/** All shifts within REACH, the shortest first. */
const OUTWARDS: readonly (readonly [number, number])[] = Array.from({ length: (2 * REACH + 1) ** 2 }, (_, k) => {
  const row = Math.floor(k / (2 * REACH + 1));
  return [k - row * (2 * REACH + 1) - REACH, row - REACH] as const;
}).sort(([ax, ay], [bx, by]) => ax * ax + ay * ay - bx * bx - by * by);

/** Minimum of the parabola through three costs, relative to the middle one. */
function peak(left: number, middle: number, right: number): number {
  const bend = left - 2 * middle + right;
  return Number.isFinite(bend) && bend > 1e-6 ? Math.max(-0.5, Math.min(0.5, (left - right) / (2 * bend))) : 0;
}

/** Mean absolute difference over the part of the block that stays inside; Infinity once it is sure to reach `limit`. */
function difference(
  before: Uint8Array,
  now: Uint8Array,
  { x0, y0, bw, bh, w, h }: Block,
  { dx, dy, limit }: { dx: number; dy: number; limit: number },
): number {
  const [left, right] = [Math.max(x0, dx), Math.min(x0 + bw, w + dx, w)];
  const [top, bottom] = [Math.max(y0, dy), Math.min(y0 + bh, h + dy, h)];
  const count = Math.max(0, right - left) * Math.max(0, bottom - top);
  if (count <= (bw * bh) / 4) return Infinity;
  const most = limit * count;
  const back = -dy * w - dx;
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let at = y * w + left, end = y * w + right; at < end; at++) sum += Math.abs(now[at]! - before[at + back]!);
    if (sum >= most) return Infinity;
  }
  return sum / count;
}

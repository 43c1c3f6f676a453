import { threadExecution, type Execution } from '../compute/execution.js';
import { defaultThreads } from '../compute/pool.js';
import type { Camera, DepthMap } from '../geometry/types.js';
import { countBits, packBits, unpackBits } from '../numerics/bits.js';
import { floatingTask, freeRays, reliablePixels, withoutFloating } from './masks.js';

export interface KeptOptions {
  /** Pixels of less confidence are left out; at least 1. */
  minConfidence: number;
  /** Leave out points in front of surfaces that other photos see. */
  removeFloating: boolean;
  signal?: AbortSignal | undefined;
  /** All by default. */
  threads?: number | undefined;
  /** Who makes the free-space test; threads of this process when not given. */
  execution?: Execution | undefined;
  /** Points times photos that see them from which on the free-space test is made in threads. */
  threadsFrom?: number | undefined;
  /** Rays that are free, of the views that have any; found when not given. */
  open?: PixelMasks | undefined;
}

/** 12 photos of 640 px; a thread takes 0.1 s to start, as long as these take without. */
const THREADS_FROM = 3e7;

/** The module that makes the free-space test (floating-worker.ts). */
export const floatingWorker = new URL(
  import.meta.url.endsWith('.ts') ? './floating-worker.ts' : './floating-worker.js',
  import.meta.url,
);

/** Pixels of a picture. */
export interface PixelWindow {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Flags over the pixels of each depth map, a bit each: of a thousand maps of 640 x 480 they take 38 MB. */
export class PixelMasks {
  private readonly bits: Uint8Array[] = [];

  constructor(private readonly maps: readonly Pick<DepthMap, 'width' | 'height'>[]) {}

  /** @param flags [height, width] 1 or 0 */
  set(index: number, flags: Uint8Array): void {
    this.bits[index] = packBits(flags);
  }

  has(index: number): boolean {
    return this.bits[index] !== undefined;
  }

  /** [height, width], or a part of it; made anew with each call. */
  of(index: number, part?: PixelWindow): Uint8Array {
    const { width, height } = this.maps[index]!;
    const bits = this.bits[index]!;
    if (!part) return unpackBits(bits, width * height);
    const flags = new Uint8Array(part.width * part.height);
    for (let row = 0, k = 0; row < part.height; row++) {
      const from = (part.top + row) * width + part.left;
      for (let at = from; at < from + part.width; at++) flags[k++] = (bits[at >> 3]! >> (at & 7)) & 1;
    }
    return flags;
  }

  /** Number of pixels that are kept. */
  count(index: number): number {
    return countBits(this.bits[index]!);
  }
}

/**
 * The pixels that give points: confident, not between two surfaces, and not floating before what other photos see. One
 * view is looked at after the other, each with the few that the free-space test asks: the maps may lie behind a cache.
 */
export async function keptPixels(
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  options: KeptOptions,
): Promise<PixelMasks> {
  const breathe = breath(options.signal);
  const reliable = new PixelMasks(maps);
  for (const [index, map] of maps.entries()) {
    reliable.set(index, reliablePixels(map, options.minConfidence));
    await breathe();
  }
  if (!options.removeFloating) return reliable;
  const open = options.open ?? (await openRays(maps, breathe));
  return allWithoutFloating({ cameras, maps, reliable, open }, options);
}

/** Of the views that see the sky, the pixels whose rays are free as far as they go. */
export async function openRays(maps: readonly DepthMap[], breathe: () => Promise<void>): Promise<PixelMasks> {
  const open = new PixelMasks(maps);
  for (const [index, map] of maps.entries()) {
    // Asked for by itself: the depths beside it are not read.
    const { sky, width, height } = map;
    const rays = freeRays({ sky, width, height });
    if (rays) open.set(index, rays);
    await breathe();
  }
  return open;
}

/** One photo takes tens of milliseconds: lets a cancel, and whatever else is asked, in between. */
export function breath(signal: AbortSignal | undefined): () => Promise<void> {
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  };
}

interface Floating {
  cameras: readonly Camera[];
  maps: readonly DepthMap[];
  reliable: PixelMasks;
  /** Rays that are free, of the views that have any. */
  open: PixelMasks;
}

/** The free-space test of every photo against those that can see its points: in threads where that is much. */
async function allWithoutFloating(
  { cameras, maps, reliable, open }: Floating,
  { signal, threads = defaultThreads(), threadsFrom = THREADS_FROM, execution = threadExecution }: KeptOptions,
): Promise<PixelMasks> {
  const breathe = breath(signal);
  const work = maps.reduce((sum, { width, height }) => sum + width * height, 0) * Math.max(0, maps.length - 1);
  const pool =
    work >= threadsFrom ? execution.open('cloud', floatingWorker, Math.min(threads, maps.length)) : undefined;
  const masks = new PixelMasks(maps);
  const order = alongSpace(cameras);
  const openOf = (k: number): Uint8Array | undefined => (open.has(k) ? open.of(k) : undefined);
  const loop = async (): Promise<void> => {
    for (let index = order.shift(); index !== undefined; index = order.shift()) {
      await breathe();
      // Made when its turn comes: what a thread is sent is copied.
      const task = floatingTask(index, cameras, maps, (k) => reliable.of(k), { openOf });
      masks.set(index, await (pool ? pool.run<Uint8Array>(task, { signal }) : withoutFloating(task)));
    }
  };
  try {
    await Promise.all(Array.from({ length: pool?.size ?? 1 }, loop));
  } finally {
    await pool?.close();
  }
  return masks;
}

/** Cells of the box round all cameras, along each axis. */
const CELLS = 64;

/**
 * Cameras in an order in which those that follow one another stand near to each other, by the bits of their places
 * interleaved (Morton, 1966): what sees the same places is read once, not once for each.
 */
export function alongSpace(cameras: readonly Pick<Camera, 'worldFromCamera'>[]): number[] {
  const centres = cameras.map(({ worldFromCamera: M }) => [M[3]!, M[7]!, M[11]!]);
  const least = [0, 1, 2].map((i) => Math.min(...centres.map((centre) => centre[i]!)));
  const side = Math.max(...[0, 1, 2].map((i) => Math.max(...centres.map((centre) => centre[i]! - least[i]!))), 1e-12);
  const codes = centres.map((centre) => {
    const cell = centre.map((value, i) => Math.min(CELLS - 1, Math.floor(((value - least[i]!) / side) * CELLS)));
    let code = 0;
    for (let bit = 1; bit < CELLS; bit *= 2)
      for (let i = 0; i < 3; i++) if ((cell[i]! & bit) !== 0) code += bit ** 3 * 2 ** i;
    return code;
  });
  return codes.map((_, k) => k).sort((p, q) => codes[p]! - codes[q]! || p - q);
}

import { loadKernel } from '../../../compute/wasm.js';

interface Kernel {
  census(grey: number, width: number, height: number, out: number): void;
  costs(
    a: number,
    width: number,
    height: number,
    b: number,
    widthB: number,
    heightB: number,
    map: number,
    first: number,
    step: number,
    count: number,
    outside: number,
    cost: number,
  ): void;
  aggregate(
    cost: number,
    grey: number,
    width: number,
    height: number,
    count: number,
    dx: number,
    dy: number,
    p1: number,
    p2: number,
    sums: number,
    scratch: number,
  ): void;
  winners(sums: number, pixels: number, count: number, best: number, unique: number): void;
}

/** A grey picture and its pinhole camera. */
export interface GreyView {
  grey: Uint8Array;
  width: number;
  height: number;
  focal: number;
  centreX: number;
  centreY: number;
}

export interface Sweep {
  /** [h, w] inverse depth along z of the reference camera; 0 where the winner is at an end of the range. */
  inverseDepth: Float32Array;
  /** [h, w] (second best - best) / best cost. */
  unique: Float32Array;
}

const SMOOTH = 8;
const JUMP = 72;
/** Cost of a hypothesis that falls outside the other view: that of an indifferent match of 62 bits. */
const OUTSIDE = 26;
const MOST_HYPOTHESES = 208;
const PATHS = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
] as const;

let loaded: { exports: Kernel; memory: WebAssembly.Memory } | undefined;

/**
 * Depth of every pixel of `reference` along the known geometry: census costs over inverse depth hypotheses about a
 * pixel apart in the other view, aggregated along eight paths.
 *
 * @param otherFromReference row-major 4x4, in the unit of the depths
 * @param nearest, farthest range of depth to search
 */
export function sweepDepth(
  reference: GreyView,
  other: GreyView,
  otherFromReference: Float64Array,
  nearest: number,
  farthest: number,
): Sweep {
  loaded ??= loadKernel<Kernel>(new URL('./assembly/sweep.wasm', import.meta.url));
  const { exports, memory } = loaded;
  const map = homography(reference, other, otherFromReference);
  const first = 1 / farthest;
  const last = 1 / nearest;
  const count = hypotheses(reference, map, first, last);
  const step = (last - first) / (count - 1);
  const { width, height } = reference;
  const pixels = width * height;
  const pixelsB = other.width * other.height;
  const sizes = {
    map: 96,
    greyA: pixels,
    greyB: pixelsB,
    censusA: pixels * 8,
    censusB: pixelsB * 8,
    cost: pixels * count,
    sums: pixels * count * 2,
    scratch: 4 * (width + 2) * (count + 16),
    best: pixels * 4,
    unique: pixels * 4,
  };
  const at = {} as Record<keyof typeof sizes, number>;
  let end = 1 << 16;
  for (const name of Object.keys(sizes) as (keyof typeof sizes)[]) {
    at[name] = end;
    end += (sizes[name] + 15) & ~15;
  }
  const missing = Math.ceil((end - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  new Float64Array(memory.buffer, at.map, 12).set(map);
  new Uint8Array(memory.buffer, at.greyA, pixels).set(reference.grey);
  new Uint8Array(memory.buffer, at.greyB, pixelsB).set(other.grey);
  exports.census(at.greyA, width, height, at.censusA);
  exports.census(at.greyB, other.width, other.height, at.censusB);
  exports.costs(
    at.censusA,
    width,
    height,
    at.censusB,
    other.width,
    other.height,
    at.map,
    first,
    step,
    count,
    OUTSIDE,
    at.cost,
  );
  new Uint8Array(memory.buffer, at.sums, sizes.sums).fill(0);
  for (const [dx, dy] of PATHS)
    exports.aggregate(at.cost, at.greyA, width, height, count, dx, dy, SMOOTH, JUMP, at.sums, at.scratch);
  exports.winners(at.sums, pixels, count, at.best, at.unique);
  const best = new Float32Array(memory.buffer, at.best, pixels);
  const inverseDepth = Float32Array.from(best, (index) => (index < 0 ? 0 : first + index * step));
  return { inverseDepth, unique: new Float32Array(memory.buffer, at.unique, pixels).slice() };
}

/** M = K' R K^-1 and m = K' t: pixel (u, v) at inverse depth d lies at M (u, v, 1) + d m. */
function homography(a: GreyView, b: GreyView, T: Float64Array): Float64Array {
  const map = new Float64Array(12);
  for (let i = 0; i < 3; i++) {
    // Row i of K' R, K' t.
    const row = [0, 1, 2, 3].map((j) =>
      i === 2 ? T[8 + j]! : b.focal * T[4 * i + j]! + (i === 0 ? b.centreX : b.centreY) * T[8 + j]!,
    );
    map[3 * i] = row[0]! / a.focal;
    map[3 * i + 1] = row[1]! / a.focal;
    map[3 * i + 2] = row[2]! - (row[0]! * a.centreX + row[1]! * a.centreY) / a.focal;
    map[9 + i] = row[3]!;
  }
  return map;
}

/**
 * So many that neighbours lie at most about a pixel apart in the other view; a multiple of eight for the kernel's
 * lanes.
 */
function hypotheses(view: GreyView, map: Float64Array, first: number, last: number): number {
  let longest = 0;
  for (const [u, v] of [
    [0.5, 0.5],
    [0.1, 0.1],
    [0.9, 0.1],
    [0.1, 0.9],
    [0.9, 0.9],
  ] as const) {
    const x = u * view.width;
    const y = v * view.height;
    const project = (d: number) => {
      const z = map[6]! * x + map[7]! * y + map[8]! + d * map[11]!;
      return z > 0
        ? [
            (map[0]! * x + map[1]! * y + map[2]! + d * map[9]!) / z,
            (map[3]! * x + map[4]! * y + map[5]! + d * map[10]!) / z,
          ]
        : undefined;
    };
    const near = project(last);
    const far = project(first);
    if (near && far) longest = Math.max(longest, Math.hypot(near[0]! - far[0]!, near[1]! - far[1]!));
  }
  return Math.min(MOST_HYPOTHESES, Math.max(32, Math.ceil((longest * 1.2) / 8) * 8));
}

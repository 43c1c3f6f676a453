import { loadKernel } from '../../../compute/wasm.js';

/** Exports of assembly/stereo.ts and assembly/paths.ts; the arguments are described there. */
interface Kernel {
  warp(
    source: number,
    width: number,
    height: number,
    map: number,
    d: number,
    stride: number,
    rows: number,
    out: number,
    seen: number,
    scratch: number,
  ): void;
  coarse(
    reference: number,
    views: number,
    count: number,
    stride: number,
    rows: number,
    height: number,
    outStride: number,
    noise: number,
    out: number,
    scratch: number,
  ): void;
  costs(
    reference: number,
    views: number,
    seen: number,
    count: number,
    best: number,
    stride: number,
    rows: number,
    height: number,
    halves: number,
    halfHeight: number,
    halfStride: number,
    noise: number,
    outside: number,
    out: number,
    outStride: number,
    scratch: number,
  ): void;
  interleave(
    planes: number,
    width: number,
    height: number,
    outStride: number,
    first: number,
    count: number,
    volume: number,
  ): void;
  winners(
    sums: number,
    volume: number,
    pixels: number,
    count: number,
    best: number,
    unique: number,
    least: number,
  ): void;
  slopes(depth: number, width: number, height: number, reach: number, same: number, gx: number, gy: number): void;
  refine(
    grey: number,
    width: number,
    height: number,
    depth: number,
    gx: number,
    gy: number,
    views: number,
    count: number,
    best: number,
    step: number,
    likeness: number,
    least: number,
    score: number,
    texture: number,
    scratch: number,
  ): void;
}

interface PathKernel {
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

/** A further view of the same place. */
export interface Neighbour {
  view: GreyView;
  /** Row-major 4x4, in the unit of the depths. */
  fromReference: Float64Array;
}

/** What matching says of the pixels [h, w] of the reference. */
export interface Matched {
  /** Along z of the reference camera; 0 where the winner is at an end of the range. */
  inverseDepth: Float32Array;
  /** (Second best - best) / best cost. */
  unique: Float32Array;
  /** Mean correlation of the patches on the local slope over the better half of the views; -1 where nothing tells. */
  score: Float32Array;
  /** Standard deviation of the patch's like pixels, grey levels. */
  texture: Float32Array;
}

export interface MatchOptions {
  /** Costs of a depth step of one hypothesis and of more between neighbours, in bits of the census. */
  smooth: number;
  jump: number;
  /** Grey levels that two pixels must differ by to be called different. */
  noise: number;
  /** Cost of a place that a view does not see: that of an indifferent match of 62 bits. */
  outside: number;
  /** Depth hypotheses at most: they set memory (600 bytes a pixel) and half of the time. */
  mostHypotheses: number;
  /**
   * Grey levels by which patch pixels stop being alike. Bell-shaped: by an exponential, an edge of a hundred levels has
   * more weight in `texture` than the noise of the plain surface beside it.
   */
  likeness: number;
  /** Standard deviation of a patch's like pixels under which it tells nothing, grey levels. */
  leastTexture: number;
}

export const MATCH_DEFAULTS: MatchOptions = {
  smooth: 8,
  jump: 72,
  noise: 2,
  outside: 24,
  mostHypotheses: 192,
  likeness: 16,
  leastTexture: 1,
};

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
/** Of the planes; as in the kernel. */
const LEFT = 4;
const TOP = 3;
/** Taken from the grey levels of planes, which the kernel compares as signed bytes. */
const GREY = 128;
/** Hypotheses that are put into the volume together. */
const BATCH = 16;

let stereo: { exports: Kernel; memory: WebAssembly.Memory } | undefined;
let paths: PathKernel | undefined;

function kernels(): { exports: Kernel; memory: WebAssembly.Memory; paths: PathKernel } {
  stereo ??= loadKernel<Kernel>(new URL('./assembly/stereo.wasm', import.meta.url));
  paths ??= loadKernel<PathKernel>(new URL('./assembly/paths.wasm', import.meta.url), stereo.memory).exports;
  return { ...stereo, paths };
}

/** Hands out the kernel's memory, which is the same for each call. */
class Layout {
  end = 1 << 16;

  take(bytes: number): number {
    const at = this.end;
    this.end += (bytes + 31) & ~15;
    return at;
  }
}

interface Picture {
  at: number;
  width: number;
  height: number;
}

interface Planes {
  stride: number;
  rows: number;
  reference: number;
  views: number;
  seen: number;
}

/**
 * Depth of every pixel of `reference` from several views at once: census costs over planes of equal inverse depth, of
 * each pixel the better half of the views (the others may be hidden from the place; Kang, Szeliski and Chai, CVPR 2001),
 * at two sizes, aggregated along eight paths (Hirschmueller, PAMI 2008), then refined on slanted patches whose samples
 * are weighted by likeness (Yoon and Kweon, PAMI 2006).
 *
 * @param neighbours 1 to 8 views
 * @param range nearest and farthest depth to search
 */
export function matchViews(
  reference: GreyView,
  neighbours: readonly Neighbour[],
  range: readonly [number, number],
  options: MatchOptions = MATCH_DEFAULTS,
): Matched {
  const { width, height } = reference;
  const pixels = width * height;
  const { exports, memory, paths: pathKernel } = kernels();
  const maps = neighbours.map(({ view, fromReference }) => planeMap(reference, view, fromReference));
  const first = 1 / range[1];
  const last = 1 / range[0];
  const count = hypotheses(reference, maps, first, last, options.mostHypotheses);
  const step = (last - first) / (count - 1);

  const layout = new Layout();
  const scratch = layout.take(4096 + 2 * width);
  const grey = layout.take(pixels);
  const full = planesOf(layout, width, height, neighbours.length);
  const halfWidth = (width + 1) >> 1;
  const halfHeight = (height + 1) >> 1;
  const half = planesOf(layout, halfWidth, halfHeight, neighbours.length);
  const pictures = neighbours.map(({ view }) => picture(layout, view.width, view.height));
  const doubled = neighbours.map(({ view }) => picture(layout, view.width, view.height, 2));
  const halfDoubled = neighbours.map(({ view }) => picture(layout, view.width >> 1, view.height >> 1, 2));
  const mapsAt = maps.map(() => layout.take(96));
  const halfMapsAt = maps.map(() => layout.take(96));
  const halfStride = (halfWidth + 31) & ~15;
  const halves = layout.take(neighbours.length * halfHeight * halfStride + 16);
  const outStride = (width + 15) & ~15;
  const batch = layout.take(BATCH * outStride * height);
  const volume = layout.take(pixels * count);
  const sums = layout.take(pixels * count * 2);
  const pathScratch = layout.take(4 * (width + 2) * (count + 16));
  const maps32 = [0, 1, 2, 3, 4, 5].map(() => layout.take(pixels * 4)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const viewTable = layout.take(64 * neighbours.length);
  const likeness = layout.take(1024);
  const missing = Math.ceil((layout.end - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  const bytes = new Uint8Array(memory.buffer);

  bytes.set(reference.grey, grey);
  setPlane(bytes, full, reference.grey, width, height);
  const halfReference = halved(reference.grey, width, height, halfWidth, halfHeight);
  setPlane(bytes, half, halfReference, halfWidth, halfHeight);
  neighbours.forEach(({ view }, k) => {
    bytes.set(view.grey, pictures[k]!.at);
    setDoubled(bytes, doubled[k]!, view.grey);
    const { width: halfW, height: halfH } = halfDoubled[k]!;
    setDoubled(bytes, halfDoubled[k]!, halved(view.grey, view.width, view.height, halfW, halfH));
    new Float64Array(memory.buffer, mapsAt[k], 12).set(maps[k]!);
    new Float64Array(memory.buffer, halfMapsAt[k], 12).set(halfMap(maps[k]!));
  });

  const best = Math.ceil(neighbours.length / 2);
  for (let k = 0; k < count; k++) {
    const d = first + k * step;
    warpAll(exports, halfDoubled, halfMapsAt, d, half, scratch);
    exports.coarse(
      half.reference,
      half.views,
      neighbours.length,
      half.stride,
      half.rows,
      halfHeight,
      halfStride,
      options.noise,
      halves,
      scratch,
    );
    warpAll(exports, doubled, mapsAt, d, full, scratch);
    exports.costs(
      full.reference,
      full.views,
      full.seen,
      neighbours.length,
      best,
      full.stride,
      full.rows,
      height,
      halves,
      halfHeight,
      halfStride,
      options.noise,
      options.outside,
      batch + (k % BATCH) * outStride * height,
      outStride,
      scratch,
    );
    if (k % BATCH === BATCH - 1) exports.interleave(batch, width, height, outStride, k - BATCH + 1, count, volume);
  }

  bytes.fill(0, sums, sums + pixels * count * 2);
  for (const [dx, dy] of PATHS)
    pathKernel.aggregate(volume, grey, width, height, count, dx, dy, options.smooth, options.jump, sums, pathScratch);
  const [depthAt, uniqueAt, scoreAt, textureAt, gx, gy] = maps32;
  exports.winners(sums, volume, pixels, count, depthAt, uniqueAt, scoreAt);
  const depth = new Float32Array(memory.buffer, depthAt, pixels);
  for (let i = 0; i < pixels; i++) depth[i] = depth[i]! < 0 ? 0 : first + depth[i]! * step;

  const table = new DataView(memory.buffer, viewTable);
  neighbours.forEach(({ view }, k) => {
    table.setUint32(64 * k, pictures[k]!.at, true);
    table.setInt32(64 * k + 4, view.width, true);
    table.setInt32(64 * k + 8, view.height, true);
    maps[k]!.forEach((value, i) => table.setFloat32(64 * k + 16 + 4 * i, value, true));
  });
  new Float32Array(memory.buffer, likeness, 256).set(
    Float32Array.from({ length: 256 }, (_, difference) => Math.exp(-0.5 * (difference / options.likeness) ** 2)),
  );
  for (const size of [0.5, 0.25]) {
    exports.slopes(depthAt, width, height, 4, 0.01, gx, gy);
    exports.refine(
      grey,
      width,
      height,
      depthAt,
      gx,
      gy,
      viewTable,
      neighbours.length,
      best,
      step * size,
      likeness,
      options.leastTexture ** 2,
      scoreAt,
      textureAt,
      scratch,
    );
  }
  const out = (at: number): Float32Array => new Float32Array(memory.buffer, at, pixels).slice();
  return { inverseDepth: out(depthAt), unique: out(uniqueAt), score: out(scoreAt), texture: out(textureAt) };
}

function planesOf(layout: Layout, width: number, height: number, count: number): Planes {
  const stride = (width + 2 * LEFT + 31) & ~15;
  const rows = height + 2 * TOP;
  // Rows past the last are read by vectors that end in the border.
  const plane = stride * rows;
  return {
    stride,
    rows,
    reference: layout.take(plane + 64),
    views: layout.take(plane * count + 64),
    seen: layout.take(plane * count + 64),
  };
}

/** @param times 2 for a picture that also holds what lies half way between its pixels */
function picture(layout: Layout, width: number, height: number, times = 1): Picture {
  return { at: layout.take((times * width - times + 1) * (times * height - times + 1) + 16), width, height };
}

/** The pixels and the means between them, [2 height - 1, 2 width - 1]. */
function setDoubled(bytes: Uint8Array, { at, width, height }: Picture, grey: Uint8Array): void {
  const stride = 2 * width - 1;
  for (let y = 0; y < 2 * height - 1; y++) {
    const upper = (y >> 1) * width;
    const lower = ((y + 1) >> 1) * width;
    for (let x = 0; x < stride; x++) {
      const left = x >> 1;
      const right = (x + 1) >> 1;
      bytes[at + y * stride + x] =
        ((grey[upper + left]! + grey[upper + right]! + grey[lower + left]! + grey[lower + right]! + 2) >> 2) - GREY;
    }
  }
}

function warpAll(
  exports: Kernel,
  pictures: readonly Picture[],
  maps: readonly number[],
  d: number,
  { stride, rows, views, seen }: Planes,
  scratch: number,
): void {
  pictures.forEach(({ at, width, height }, k) =>
    exports.warp(
      at,
      width,
      height,
      maps[k]!,
      d,
      stride,
      rows,
      views + k * stride * rows,
      seen + k * stride * rows,
      scratch,
    ),
  );
}

/** The reference in its plane, its edge repeated into the border. */
function setPlane(
  bytes: Uint8Array,
  { stride, rows, reference }: Planes,
  grey: Uint8Array,
  width: number,
  height: number,
): void {
  for (let y = 0; y < rows; y++) {
    const row = Math.min(height - 1, Math.max(0, y - TOP)) * width;
    for (let x = 0; x < stride; x++)
      bytes[reference + y * stride + x] = grey[row + Math.min(width - 1, Math.max(0, x - LEFT))]! - GREY;
  }
}

/** Means of 2x2 pixels; the last row and column of an odd size are repeated. */
function halved(grey: Uint8Array, width: number, height: number, halfWidth: number, halfHeight: number): Uint8Array {
  const out = new Uint8Array(halfWidth * halfHeight);
  for (let y = 0; y < halfHeight; y++) {
    const upper = 2 * y * width;
    const lower = Math.min(height - 1, 2 * y + 1) * width;
    for (let x = 0; x < halfWidth; x++) {
      const left = 2 * x;
      const right = Math.min(width - 1, left + 1);
      out[y * halfWidth + x] =
        (grey[upper + left]! + grey[upper + right]! + grey[lower + left]! + grey[lower + right]! + 2) >> 2;
    }
  }
  return out;
}

/** M = K' R K^-1 and m = K' t: pixel (u, v) at inverse depth d lies at M (u, v, 1) + d m. */
export function planeMap(a: GreyView, b: GreyView, T: Float64Array): Float64Array {
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

/** The map between pictures of half the size, whose pixel (x, y) covers the middle of (2x, 2y) and (2x + 1, 2y + 1). */
function halfMap(map: Float64Array): Float64Array {
  const out = new Float64Array(12);
  const rows = [0, 1, 2].map((i) => {
    const [a, b, c] = [map[3 * i]!, map[3 * i + 1]!, map[3 * i + 2]!];
    return [2 * a, 2 * b, c + 0.5 * a + 0.5 * b, map[9 + i]!] as const;
  });
  for (let j = 0; j < 4; j++) {
    const at = (i: number): number => (j === 3 ? 9 + i : 3 * i + j);
    out[at(0)] = 0.5 * rows[0]![j]! - 0.25 * rows[2]![j]!;
    out[at(1)] = 0.5 * rows[1]![j]! - 0.25 * rows[2]![j]!;
    out[at(2)] = rows[2]![j]!;
  }
  return out;
}

/**
 * So many that neighbouring hypotheses lie about a pixel apart in the views of middling parallax; a multiple of 16 for
 * the kernel's batches.
 */
function hypotheses(view: GreyView, maps: readonly Float64Array[], first: number, last: number, most: number): number {
  const lengths = maps.map((map) => {
    let longest = 0;
    for (const [u, v] of [
      [0.5, 0.5],
      [0.1, 0.1],
      [0.9, 0.1],
      [0.1, 0.9],
      [0.9, 0.9],
    ] as const) {
      const near = projected(map, u * view.width, v * view.height, last);
      const far = projected(map, u * view.width, v * view.height, first);
      if (near && far) longest = Math.max(longest, Math.hypot(near[0] - far[0], near[1] - far[1]));
    }
    return longest;
  });
  lengths.sort((p, q) => p - q);
  const middle = lengths[lengths.length >> 1]!;
  return Math.min(most, Math.max(32, Math.ceil(middle / BATCH) * BATCH));
}

/** Where a pixel at an inverse depth lies in the other view; undefined behind it. */
export function projected(map: Float64Array, x: number, y: number, d: number): [number, number] | undefined {
  const z = map[6]! * x + map[7]! * y + map[8]! + d * map[11]!;
  return z > 0
    ? [
        (map[0]! * x + map[1]! * y + map[2]! + d * map[9]!) / z,
        (map[3]! * x + map[4]! * y + map[5]! + d * map[10]!) / z,
      ]
    : undefined;
}

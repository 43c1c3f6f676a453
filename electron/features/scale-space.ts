/**
 * Gaussian scale space for SIFT: D. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV 2004,
 * section 3.
 */
import { loadKernel } from '../compute/wasm.js';

/** Scales per octave that are searched for extrema. */
export const INTERVALS = 3;
/** Blur of the first image of each octave, in pixels of that octave. */
export const BASE_SIGMA = 1.6;
/** Blur that a camera's picture is taken to have already. */
const CAMERA_SIGMA = 0.5;
const SMALLEST_SIDE = 24;

export interface Octave {
  width: number;
  height: number;
  /** Pixels of the input per pixel of this octave. */
  step: number;
  /** INTERVALS + 3 images [height, width]. */
  gaussians: Float32Array[];
  /** INTERVALS + 2 differences of neighbouring Gaussians. */
  differences: Float32Array[];
}

function gaussianTaps(sigma: number): Float32Array {
  const radius = Math.max(1, Math.ceil(sigma * 3.5));
  const taps = new Float32Array(radius + 1);
  let sum = 0;
  for (let k = 0; k <= radius; k++) {
    taps[k] = Math.exp((-k * k) / (2 * sigma * sigma));
    sum += k === 0 ? taps[k]! : 2 * taps[k]!;
  }
  return taps.map((tap) => tap / sum);
}

interface Kernel {
  blur(
    source: number,
    rows: number,
    out: number,
    padded: number,
    taps: number,
    width: number,
    height: number,
    radius: number,
  ): void;
}

let loaded: { exports: Kernel; memory: WebAssembly.Memory } | undefined;

/** Separable Gaussian blur with replicated borders; [height, width] in and out. */
export function blur(source: Float32Array, width: number, height: number, sigma: number): Float32Array {
  loaded ??= loadKernel<Kernel>(new URL('./assembly/features.wasm', import.meta.url));
  const { exports, memory } = loaded;
  const taps = gaussianTaps(sigma);
  const radius = taps.length - 1;
  const tapsAt = 1 << 16;
  const paddedAt = tapsAt + taps.byteLength;
  const sourceAt = paddedAt + (width + 2 * radius + 4) * 4;
  // The kernel writes up to three pixels past the end.
  const rowsAt = sourceAt + source.byteLength;
  const outAt = rowsAt + source.byteLength + 16;
  const missing = Math.ceil((outAt + source.byteLength + 16 - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
  new Float32Array(memory.buffer, tapsAt, taps.length).set(taps);
  new Float32Array(memory.buffer, sourceAt, source.length).set(source);
  exports.blur(sourceAt, rowsAt, outAt, paddedAt, tapsAt, width, height, radius);
  return new Float32Array(memory.buffer, outAt, source.length).slice();
}

function halve(
  source: Float32Array,
  width: number,
  height: number,
): { image: Float32Array; width: number; height: number } {
  const w = width >> 1;
  const h = height >> 1;
  const image = new Float32Array(w * h);
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) image[y * w + x] = source[2 * y * width + 2 * x]!;
  return { image, width: w, height: h };
}

/** Twice the size, bilinear; pixel (x, y) of the source lies at (2 x, 2 y). */
function double(source: Float32Array, width: number, height: number): Float32Array {
  const w = 2 * width;
  const out = new Float32Array(w * 2 * height);
  for (let y = 0; y < height; y++) {
    const here = y * width;
    const below = y + 1 < height ? here + width : here;
    for (let x = 0; x < width; x++) {
      const right = x + 1 < width ? 1 : 0;
      const a = source[here + x]!;
      const b = source[here + x + right]!;
      const c = source[below + x]!;
      const d = source[below + x + right]!;
      const to = 2 * y * w + 2 * x;
      out[to] = a;
      out[to + 1] = (a + b) / 2;
      out[to + w] = (a + c) / 2;
      out[to + w + 1] = (a + b + c + d) / 4;
    }
  }
  return out;
}

/**
 * Octaves are made one at a time, because one at full size takes 11 images of memory.
 *
 * @param grey [height, width], 0 to 1
 * @param doubled whether to begin with a picture of twice the size, where the finest structures are
 */
export function* octaves(grey: Float32Array, width: number, height: number, doubled = false): Generator<Octave> {
  let step = 1;
  let source = grey;
  if (doubled) {
    source = double(grey, width, height);
    [width, height, step] = [2 * width, 2 * height, 0.5];
  }
  let base = blur(source, width, height, Math.sqrt(BASE_SIGMA ** 2 - (CAMERA_SIGMA / step) ** 2));
  for (; Math.min(width, height) >= SMALLEST_SIDE; step *= 2) {
    const gaussians = [base];
    for (let k = 1; k < INTERVALS + 3; k++) {
      const before = BASE_SIGMA * 2 ** ((k - 1) / INTERVALS);
      const after = BASE_SIGMA * 2 ** (k / INTERVALS);
      gaussians.push(blur(gaussians[k - 1]!, width, height, Math.sqrt(after ** 2 - before ** 2)));
    }
    const differences = gaussians.slice(1).map((next, k) => {
      const previous = gaussians[k]!;
      const difference = new Float32Array(next.length);
      for (let i = 0; i < next.length; i++) difference[i] = next[i]! - previous[i]!;
      return difference;
    });
    yield { width, height, step, gaussians, differences };
    ({ image: base, width, height } = halve(gaussians[INTERVALS]!, width, height));
  }
}

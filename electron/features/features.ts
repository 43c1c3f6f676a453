import { BASE_SIGMA, INTERVALS, octaves, type Octave } from './scale-space.js';

/** Features of one photo, SIFT or learned, in pixels of the image they were found on. */
export interface Features {
  count: number;
  /** [count, 4]: x, y, scale (sigma, pixels), angle (radians, x to y). */
  keypoints: Float32Array;
  /** [count, 128] RootSIFT times 512, at most 255 (Arandjelovic and Zisserman, CVPR 2012); empty for learned ones. */
  descriptors: Uint8Array;
  /** [count, 128] of unit length: learned descriptors. */
  vectors?: Float32Array | undefined;
}

export interface FeatureOptions {
  /** At most this many, spread over the picture. */
  maximum: number;
  /** Least contrast of an extremum, of a picture in 0..1. */
  contrast: number;
  /** Pictures whose long side is at most this are doubled first; so are larger ones that give few features. */
  doubledSide?: number | undefined;
}

/** A picture that gives less than this share of what it may is doubled, whatever its size. */
const FEW = 0.35;

export const DESCRIPTOR = 128;
const EDGE_RATIO = 10;
const BORDER = 5;
const ORIENTATION_BINS = 36;

interface Keypoint {
  octave: number;
  /** In the octave's pixels. */
  x: number;
  y: number;
  /** Fractional interval, 0 = the octave's first Gaussian. */
  layer: number;
  response: number;
}

/**
 * Scale-invariant features (Lowe 2004, sections 3 to 6) of a grey picture.
 *
 * @param grey [height, width], 0 to 1
 * @param keep [height, width], 0 where no feature may lie
 */
export function findFeatures(
  grey: Float32Array,
  width: number,
  height: number,
  options: FeatureOptions,
  keep?: Uint8Array,
): Features {
  const small = Math.max(width, height) <= (options.doubledSide ?? 0);
  const found = findIn({ grey, width, height, keep }, options, small);
  if (small || options.doubledSide === undefined || found.count > FEW * options.maximum) return found;
  return findIn({ grey, width, height, keep }, options, true);
}

interface Picture {
  grey: Float32Array;
  width: number;
  height: number;
  keep: Uint8Array | undefined;
}

/** An extremum with the octave that it was found in, in pixels of the picture. */
interface Found {
  keypoint: Keypoint;
  octave: Pick<Octave, 'width' | 'height' | 'step' | 'gaussians'>;
  response: number;
  x: number;
  y: number;
}

function findIn({ grey, width, height, keep }: Picture, options: FeatureOptions, doubled: boolean): Features {
  const usable = ({ x, y }: Keypoint, step: number): boolean =>
    !keep || keep[Math.min(height - 1, Math.round(y * step)) * width + Math.min(width - 1, Math.round(x * step))] === 1;
  const found: Found[] = [];
  let number = 0;
  for (const { differences, ...octave } of octaves(grey, width, height, doubled)) {
    const { step } = octave;
    const keypoints = extrema({ differences, ...octave }, number++, options.contrast).filter((each) =>
      usable(each, step),
    );
    // The finest octave holds most extrema; more than twice the final number of it is never kept.
    keypoints.sort((a, b) => b.response - a.response);
    for (const keypoint of spread(keypoints, octave.width, octave.height, Math.ceil(options.maximum * 1.2)))
      found.push({ keypoint, octave, response: keypoint.response, x: keypoint.x * step, y: keypoint.y * step });
  }
  found.sort((a, b) => b.response - a.response);
  return describeAll(found, width, height, options.maximum);
}

const sigmaOf = ({ layer }: Keypoint): number => BASE_SIGMA * 2 ** (layer / INTERVALS);
const imageOf = ({ keypoint: { layer }, octave }: Found): Float32Array =>
  octave.gaussians[Math.min(INTERVALS + 2, Math.max(0, Math.round(layer)))]!;

/**
 * The features that are kept, at most `maximum`: only those are given a descriptor, and where there are more extrema than
 * that, only those an orientation. The other way round took a third more time.
 *
 * @param found the strongest first
 */
function describeAll(found: readonly Found[], width: number, height: number, maximum: number): Features {
  const shares = found.length > maximum ? new Shares(width, height, maximum) : undefined;
  const oriented: { from: Found; angle: number; x: number; y: number }[] = [];
  for (const from of found) {
    const { keypoint, octave, x, y } = from;
    if (oriented.length >= maximum && shares) break;
    if (shares?.isFull(x, y)) continue;
    for (const angle of orientations(
      imageOf(from),
      octave.width,
      octave.height,
      keypoint.x,
      keypoint.y,
      sigmaOf(keypoint),
    ))
      if (!shares || (oriented.length < maximum && shares.take(x, y))) oriented.push({ from, angle, x, y });
  }
  const kept = spread(oriented, width, height, maximum);
  const features: Features = {
    count: kept.length,
    keypoints: new Float32Array(kept.length * 4),
    descriptors: new Uint8Array(kept.length * DESCRIPTOR),
  };
  kept.forEach(({ from, angle, x, y }, k) => {
    const { keypoint, octave } = from;
    const sigma = sigmaOf(keypoint);
    features.keypoints.set([x, y, sigma * octave.step, angle], 4 * k);
    const descriptor = describe(imageOf(from), octave.width, octave.height, keypoint.x, keypoint.y, sigma, angle);
    features.descriptors.set(descriptor, DESCRIPTOR * k);
  });
  return features;
}

/** How many features each cell of a grid may still take: thrice its share, so that one bush can't take them all. */
class Shares {
  private static readonly CELLS = 12;
  private readonly counts = new Int32Array(Shares.CELLS ** 2);
  private readonly share: number;

  constructor(
    private readonly width: number,
    private readonly height: number,
    maximum: number,
  ) {
    this.share = Math.ceil((3 * maximum) / Shares.CELLS ** 2);
  }

  private cell(x: number, y: number): number {
    const [row, column] = [y / this.height, x / this.width].map((at) =>
      Math.min(Shares.CELLS - 1, Math.floor(at * Shares.CELLS)),
    ) as [number, number];
    return row * Shares.CELLS + column;
  }

  isFull(x: number, y: number): boolean {
    return this.counts[this.cell(x, y)]! >= this.share;
  }

  take(x: number, y: number): boolean {
    const cell = this.cell(x, y);
    if (this.counts[cell]! >= this.share) return false;
    this.counts[cell] = this.counts[cell]! + 1;
    return true;
  }
}

/** The `maximum` best, no cell with more than its share. Input sorted by response. */
function spread<T extends { x: number; y: number }>(sorted: T[], width: number, height: number, maximum: number): T[] {
  if (sorted.length <= maximum) return sorted;
  const shares = new Shares(width, height, maximum);
  const kept: T[] = [];
  for (const item of sorted) {
    if (!shares.take(item.x, item.y)) continue;
    kept.push(item);
    if (kept.length === maximum) break;
  }
  return kept;
}

function extrema(octave: Octave, number: number, contrast: number): Keypoint[] {
  const { width, height, differences } = octave;
  const found: Keypoint[] = [];
  const first = (0.5 * contrast) / INTERVALS;
  for (let layer = 1; layer <= INTERVALS; layer++) {
    const here = differences[layer]!;
    const below = differences[layer - 1]!;
    const above = differences[layer + 1]!;
    for (let y = BORDER; y < height - BORDER; y++) {
      for (let x = BORDER; x < width - BORDER; x++) {
        const i = y * width + x;
        const value = here[i]!;
        if (
          value > first
            ? isMaximum(value, here, below, above, i, width)
            : value < -first && isMinimum(value, here, below, above, i, width)
        ) {
          const keypoint = refine(octave, number, layer, x, y, contrast);
          if (keypoint) found.push(keypoint);
        }
      }
    }
  }
  return found;
}

function isMaximum(
  value: number,
  here: Float32Array,
  below: Float32Array,
  above: Float32Array,
  i: number,
  width: number,
): boolean {
  for (let row = -width; row <= width; row += width) {
    for (let j = i + row - 1; j <= i + row + 1; j++) {
      if (here[j]! > value || below[j]! >= value || above[j]! >= value) return false;
    }
  }
  return true;
}

function isMinimum(
  value: number,
  here: Float32Array,
  below: Float32Array,
  above: Float32Array,
  i: number,
  width: number,
): boolean {
  for (let row = -width; row <= width; row += width) {
    for (let j = i + row - 1; j <= i + row + 1; j++) {
      if (here[j]! < value || below[j]! <= value || above[j]! <= value) return false;
    }
  }
  return true;
}

/** Sub-pixel position by a quadratic fit; undefined for low contrast and for edges (Lowe 2004, section 4). */
function refine(
  octave: Octave,
  number: number,
  layer: number,
  x: number,
  y: number,
  contrast: number,
): Keypoint | undefined {
  const { width, height, differences } = octave;
  for (let attempt = 0; attempt < 5; attempt++) {
    const D = differences[layer]!;
    const B = differences[layer - 1]!;
    const A = differences[layer + 1]!;
    const i = y * width + x;
    const v = D[i]!;
    const dx = (D[i + 1]! - D[i - 1]!) / 2;
    const dy = (D[i + width]! - D[i - width]!) / 2;
    const ds = (A[i]! - B[i]!) / 2;
    const dxx = D[i + 1]! + D[i - 1]! - 2 * v;
    const dyy = D[i + width]! + D[i - width]! - 2 * v;
    const dss = A[i]! + B[i]! - 2 * v;
    const dxy = (D[i + width + 1]! - D[i + width - 1]! - D[i - width + 1]! + D[i - width - 1]!) / 4;
    const dxs = (A[i + 1]! - A[i - 1]! - B[i + 1]! + B[i - 1]!) / 4;
    const dys = (A[i + width]! - A[i - width]! - B[i + width]! + B[i - width]!) / 4;
    // Cramer's rule on H o = -g.
    const c0 = dyy * dss - dys * dys;
    const c1 = dys * dxs - dxy * dss;
    const c2 = dxy * dys - dyy * dxs;
    const determinant = dxx * c0 + dxy * c1 + dxs * c2;
    if (Math.abs(determinant) < 1e-20) return undefined;
    const ox = -(c0 * dx + c1 * dy + c2 * ds) / determinant;
    const oy = -(c1 * dx + (dxx * dss - dxs * dxs) * dy + (dxs * dxy - dxx * dys) * ds) / determinant;
    const os = -(c2 * dx + (dxs * dxy - dxx * dys) * dy + (dxx * dyy - dxy * dxy) * ds) / determinant;
    if (Math.abs(ox) < 0.5 && Math.abs(oy) < 0.5 && Math.abs(os) < 0.5) {
      const response = Math.abs(v + 0.5 * (dx * ox + dy * oy + ds * os));
      if (response * INTERVALS < contrast) return undefined;
      const trace = dxx + dyy;
      const hessian = dxx * dyy - dxy * dxy;
      if (hessian <= 0 || trace * trace * EDGE_RATIO >= (EDGE_RATIO + 1) ** 2 * hessian) return undefined;
      return { octave: number, x: x + ox, y: y + oy, layer: layer + os, response };
    }
    if (Math.abs(ox) > 1e3 || Math.abs(oy) > 1e3 || Math.abs(os) > 1e3) return undefined;
    x += Math.round(ox);
    y += Math.round(oy);
    layer += Math.round(os);
    if (layer < 1 || layer > INTERVALS || x < BORDER || y < BORDER || x >= width - BORDER || y >= height - BORDER)
      return undefined;
  }
  return undefined;
}

/** A Gaussian at -radius to radius about `offset`: the two axes of a round one multiply. */
function bell(radius: number, offset: number, sigma: number): Float32Array {
  return Float32Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-((k - radius - offset) ** 2) / (2 * sigma * sigma)),
  );
}

/** atan2 to 1e-5 radians, in a third of the time: an odd polynomial in the smaller over the larger coordinate. */
function angleOf(y: number, x: number): number {
  const [a, b] = [Math.abs(x), Math.abs(y)];
  const z = a > b ? b / a : a === 0 && b === 0 ? 0 : a / b;
  const s = z * z;
  let angle =
    z * (0.99997726 + s * (-0.33262347 + s * (0.19354346 + s * (-0.11643287 + s * (0.05265332 - s * 0.0117212)))));
  if (b > a) angle = Math.PI / 2 - angle;
  if (x < 0) angle = Math.PI - angle;
  return y < 0 ? -angle : angle;
}

/** Angles of the gradient histogram's peaks (section 5), at most two: a third seldom matches and costs as much. */
function orientations(
  image: Float32Array,
  width: number,
  height: number,
  x: number,
  y: number,
  sigma: number,
): number[] {
  const histogram = new Float32Array(ORIENTATION_BINS);
  const weightSigma = 1.5 * sigma;
  const radius = Math.round(3 * weightSigma);
  const cx = Math.round(x);
  const cy = Math.round(y);
  const [across, down] = [x - cx, y - cy].map((offset) => bell(radius, offset, weightSigma)) as [
    Float32Array,
    Float32Array,
  ];
  for (let j = Math.max(1, cy - radius); j <= Math.min(height - 2, cy + radius); j++) {
    for (let i = Math.max(1, cx - radius); i <= Math.min(width - 2, cx + radius); i++) {
      const at = j * width + i;
      const gx = image[at + 1]! - image[at - 1]!;
      const gy = image[at + width]! - image[at - width]!;
      const weight = across[i - cx + radius]! * down[j - cy + radius]!;
      const bin =
        Math.round((angleOf(gy, gx) / (2 * Math.PI)) * ORIENTATION_BINS + ORIENTATION_BINS) % ORIENTATION_BINS;
      histogram[bin] = histogram[bin]! + weight * Math.sqrt(gx * gx + gy * gy);
    }
  }
  const smooth = histogram.map((_, k) => {
    const at = (offset: number) => histogram[(k + offset + ORIENTATION_BINS) % ORIENTATION_BINS]!;
    return (at(-2) + at(2)) / 16 + (4 * (at(-1) + at(1))) / 16 + (6 * at(0)) / 16;
  });
  const most = Math.max(...smooth);
  const peaks: { angle: number; value: number }[] = [];
  for (let k = 0; k < ORIENTATION_BINS; k++) {
    const left = smooth[(k + ORIENTATION_BINS - 1) % ORIENTATION_BINS]!;
    const right = smooth[(k + 1) % ORIENTATION_BINS]!;
    const value = smooth[k]!;
    if (value < 0.8 * most || value <= left || value < right) continue;
    const offset = (0.5 * (left - right)) / (left - 2 * value + right);
    peaks.push({ angle: ((k + offset) * 2 * Math.PI) / ORIENTATION_BINS, value });
  }
  return peaks
    .sort((a, b) => b.value - a.value)
    .slice(0, 2)
    .map((peak) => peak.angle);
}

/** 4x4 cells of 8 directions with trilinear interpolation (section 6), as RootSIFT. */
function describe(
  image: Float32Array,
  width: number,
  height: number,
  x: number,
  y: number,
  sigma: number,
  angle: number,
): Uint8Array {
  const cell = 3 * sigma;
  const radius = Math.min(Math.round((cell * Math.SQRT2 * 5) / 2), Math.ceil(Math.hypot(width, height)));
  const cos = Math.cos(angle) / cell;
  const sin = Math.sin(angle) / cell;
  // One bin of margin on each side takes what falls outside.
  const histogram = new Float32Array(6 * 6 * 8);
  const cx = Math.round(x);
  const cy = Math.round(y);
  const toBin = 8 / (2 * Math.PI);
  // exp(-(u^2 + v^2) / 8), and u^2 + v^2 is the squared distance in cells whatever the angle.
  const [across, down] = [x - cx, y - cy].map((offset) => bell(radius, offset, 2 * cell)) as [
    Float32Array,
    Float32Array,
  ];
  for (let j = Math.max(1, cy - radius); j <= Math.min(height - 2, cy + radius); j++) {
    for (let i = Math.max(1, cx - radius); i <= Math.min(width - 2, cx + radius); i++) {
      const dx = i - x;
      const dy = j - y;
      const u = cos * dx + sin * dy;
      const v = -sin * dx + cos * dy;
      if (u <= -2.5 || u >= 2.5 || v <= -2.5 || v >= 2.5) continue;
      const at = j * width + i;
      const gx = image[at + 1]! - image[at - 1]!;
      const gy = image[at + width]! - image[at - width]!;
      const magnitude = Math.sqrt(gx * gx + gy * gy) * across[i - cx + radius]! * down[j - cy + radius]!;
      let direction = (angleOf(gy, gx) - angle) * toBin;
      while (direction < 0) direction += 8;
      while (direction >= 8) direction -= 8;
      const bu = u + 2.5;
      const bv = v + 2.5;
      const u0 = Math.floor(bu);
      const v0 = Math.floor(bv);
      const d0 = Math.floor(direction);
      const fu = bu - u0;
      const fv = bv - v0;
      const fd = direction - d0;
      const d1 = (d0 + 1) & 7;
      for (let a = 0; a < 2; a++) {
        const wv = magnitude * (a ? fv : 1 - fv);
        for (let b = 0; b < 2; b++) {
          const w = wv * (b ? fu : 1 - fu);
          const base = ((v0 + a) * 6 + u0 + b) * 8;
          histogram[base + (d0 & 7)] = histogram[base + (d0 & 7)]! + w * (1 - fd);
          histogram[base + d1] = histogram[base + d1]! + w * fd;
        }
      }
    }
  }
  const vector = new Float32Array(DESCRIPTOR);
  for (let v = 0; v < 4; v++)
    for (let u = 0; u < 4; u++)
      for (let d = 0; d < 8; d++) vector[(v * 4 + u) * 8 + d] = histogram[((v + 1) * 6 + u + 1) * 8 + d]!;
  let norm = 0;
  for (const value of vector) norm += value * value;
  // Large gradients change with the light: clamp, as Lowe does.
  const limit = 0.2 * Math.sqrt(norm);
  let sum = 0;
  for (let k = 0; k < DESCRIPTOR; k++) sum += vector[k] = Math.min(limit, vector[k]!);
  const out = new Uint8Array(DESCRIPTOR);
  for (let k = 0; k < DESCRIPTOR; k++) out[k] = Math.min(255, Math.round(512 * Math.sqrt(vector[k]! / (sum + 1e-12))));
  return out;
}

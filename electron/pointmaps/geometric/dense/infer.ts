import { randomNumbers } from '../../../numerics/linear.js';

export interface InferOptions {
  /** Inverse depths within this share of the plane's lie on it. */
  onPlane: number;
  /** Share of a segment's known pixels that must lie on its plane. */
  leastInliers: number;
  /** Known pixels on the plane without which it is not believed, and their least share of the segment. */
  leastSupport: number;
  leastSupportShare: number;
  /** Expected error of the plane at a pixel, as a share of the depth, beyond which the pixel is left alone. */
  mostError: number;
  /** Pixels by which what is completed may lie outside of the hull of the known pixels on the plane. */
  beyond: number;
  /** Of the eight directions from a pixel, those in which known pixels on the plane must lie. */
  leastSides: number;
  /** Known pixels that err together: one measurement in so many. */
  together: number;
}

export const INFER_DEFAULTS: InferOptions = {
  onPlane: 0.015,
  leastInliers: 0.6,
  leastSupport: 60,
  leastSupportShare: 0.05,
  mostError: 0.02,
  beyond: 4,
  leastSides: 4,
  together: 25,
};

export interface Inferred {
  /** [h, w], 0 where nothing is inferred. */
  inverseDepth: Float32Array;
  /** Number of the surface, from 1; 0 where nothing is inferred. */
  surface: Int32Array;
}

const TRIALS = 40;
const MOST_SAMPLES = 400;

/**
 * Completes plain surfaces: in each segment of even brightness the inverse depth (which is linear in the pixel on a
 * plane) is fitted to the pixels that are known, and told for the others where the known ones lie around them. A segment
 * whose known pixels do not lie on one plane, or are few, is left alone.
 *
 * @param labels [h, w] segment of each pixel; @param inverseDepth [h, w]
 * @param known [h, w] 1 where it can be relied on
 */
export function inferPlanes(
  labels: Int32Array,
  width: number,
  inverseDepth: Float32Array,
  known: Uint8Array,
  options: InferOptions = INFER_DEFAULTS,
): Inferred {
  const out: Inferred = {
    inverseDepth: new Float32Array(known.length),
    surface: new Int32Array(known.length),
  };
  let surface = 0;
  for (const pixels of bySegment(labels)) {
    const support = pixels.filter((k) => known[k] === 1);
    if (support.length === pixels.length) continue;
    if (support.length < Math.max(options.leastSupport, options.leastSupportShare * pixels.length)) continue;
    const fitted = fitPlane(support, width, inverseDepth, options);
    if (!fitted) continue;
    surface++;
    const onPlane = support.filter((k) => {
      const d = inverseDepth[k]!;
      return Math.abs(planeAt(fitted, k % width, Math.floor(k / width)).value - d) < options.onPlane * d;
    });
    const sides = sidesKnown(pixels, onPlane, width);
    for (const k of pixels) {
      if (known[k] === 1 || sides(k) < options.leastSides) continue;
      const [x, y] = [k % width, Math.floor(k / width)];
      const { value, error } = planeAt(fitted, x, y);
      if (!(value > 0) || error > options.mostError * value || outside(fitted.hull, x, y) > options.beyond) continue;
      out.inverseDepth[k] = value;
      out.surface[k] = surface;
    }
  }
  return out;
}

/** The pixels of each segment. */
export function bySegment(labels: Int32Array): Int32Array[] {
  const counts = new Int32Array(labels.length);
  for (const label of labels) counts[label]!++;
  const lists = new Map<number, Int32Array>();
  const filled = new Int32Array(labels.length);
  labels.forEach((label, k) => {
    let list = lists.get(label);
    if (!list) {
      list = new Int32Array(counts[label]!);
      lists.set(label, list);
    }
    list[filled[label]!++] = k;
  });
  return [...lists.values()];
}

const DIRECTIONS = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 1],
  [-1, -1],
  [1, -1],
  [-1, 1],
] as const;

/**
 * In how many of eight directions from a pixel known ones lie: within the hull of a fringe and a few speckles far from
 * it there are three or four, on a surface that is bounded by texture there are more.
 *
 * @param pixels of the segment, in reading order; @param known some of them
 */
export function sidesKnown(pixels: Int32Array, known: Int32Array, width: number): (k: number) => number {
  const columns = pixels.map((k) => k % width);
  const [left, right] = [columns.reduce((a, b) => Math.min(a, b)), columns.reduce((a, b) => Math.max(a, b))];
  const [top, bottom] = [Math.floor(pixels[0]! / width), Math.floor(pixels[pixels.length - 1]! / width)];
  const [w, h] = [right - left + 1, bottom - top + 1];
  const at = (k: number): number => (Math.floor(k / width) - top) * w + (k % width) - left;
  const isKnown = new Uint8Array(w * h);
  for (const k of known) isKnown[at(k)] = 1;
  const counts = new Uint8Array(w * h);
  const seen = new Uint8Array(w * h);
  for (const [dx, dy] of DIRECTIONS) {
    for (let j = 0; j < h; j++) {
      const y = dy > 0 ? h - 1 - j : j;
      for (let i = 0; i < w; i++) {
        const x = dx > 0 ? w - 1 - i : i;
        const inside = x + dx >= 0 && x + dx < w && y + dy >= 0 && y + dy < h;
        const next = (y + dy) * w + x + dx;
        const own = y * w + x;
        seen[own] = inside ? isKnown[next]! | seen[next]! : 0;
        counts[own]! += seen[own]!;
      }
    }
  }
  return (k) => counts[at(k)]!;
}

export interface Plane {
  /** Inverse depth = a (x - x0) + b (y - y0) + c. */
  a: number;
  b: number;
  c: number;
  x0: number;
  y0: number;
  /** Corners of the convex hull of the known pixels on it, x and y, in order. */
  hull: readonly (readonly [number, number])[];
  /** Covariance of (a, b), and the variance of c. */
  aa: number;
  ab: number;
  bb: number;
  cc: number;
}

/** Inverse depth of a plane at a pixel, and its standard deviation. */
export function planeAt(plane: Plane, x: number, y: number): { value: number; error: number } {
  const [u, v] = [x - plane.x0, y - plane.y0];
  return {
    value: plane.a * u + plane.b * v + plane.c,
    error: Math.sqrt(plane.cc + plane.aa * u * u + 2 * plane.ab * u * v + plane.bb * v * v),
  };
}

/** The plane that most of the known pixels lie on, by random triples and a least-squares fit to those on it. */
export function fitPlane(
  support: Int32Array,
  width: number,
  inverseDepth: Float32Array,
  { onPlane, leastInliers, leastSupport, together }: InferOptions,
): Plane | undefined {
  const random = randomNumbers(support.length);
  const stride = Math.max(1, support.length / MOST_SAMPLES);
  const sampled = Array.from(
    { length: Math.floor(support.length / stride) },
    (_, i) => support[Math.floor(i * stride)]!,
  );
  let best: { a: number; b: number; c: number } | undefined;
  let most = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const plane = through(
      [0, 1, 2].map(() => sampled[Math.floor(random() * sampled.length)]!),
      width,
      inverseDepth,
    );
    if (!plane) continue;
    const count = sampled.filter((k) => {
      const d = inverseDepth[k]!;
      return Math.abs(plane.a * (k % width) + plane.b * Math.floor(k / width) + plane.c - d) < onPlane * d;
    }).length;
    if (count > most) {
      most = count;
      best = plane;
    }
  }
  if (!best || most < leastInliers * sampled.length) return undefined;
  const { a, b, c } = best;
  const inliers = support.filter((k) => {
    const d = inverseDepth[k]!;
    return Math.abs(a * (k % width) + b * Math.floor(k / width) + c - d) < onPlane * d;
  });
  return inliers.length < leastSupport ? undefined : leastSquares(inliers, width, inverseDepth, together);
}

/** The plane through three pixels; undefined when they lie on a line. */
function through(
  triple: readonly number[],
  width: number,
  inverseDepth: Float32Array,
): { a: number; b: number; c: number } | undefined {
  const [p, q, r] = triple.map((k) => [k % width, Math.floor(k / width), inverseDepth[k]!] as const) as [
    readonly [number, number, number],
    readonly [number, number, number],
    readonly [number, number, number],
  ];
  const [ux, uy, ud] = [q[0] - p[0], q[1] - p[1], q[2] - p[2]];
  const [vx, vy, vd] = [r[0] - p[0], r[1] - p[1], r[2] - p[2]];
  const determinant = ux * vy - uy * vx;
  if (Math.abs(determinant) < 8) return undefined;
  const a = (ud * vy - vd * uy) / determinant;
  const b = (vd * ux - ud * vx) / determinant;
  return { a, b, c: p[2] - a * p[0] - b * p[1] };
}

function leastSquares(
  pixels: Int32Array,
  width: number,
  inverseDepth: Float32Array,
  together: number,
): Plane | undefined {
  const n = pixels.length;
  let [x0, y0, c] = [0, 0, 0];
  for (const k of pixels) {
    x0 += (k % width) / n;
    y0 += Math.floor(k / width) / n;
    c += inverseDepth[k]! / n;
  }
  let [xx, xy, yy, xd, yd] = [0, 0, 0, 0, 0];
  for (const k of pixels) {
    const [u, v, d] = [(k % width) - x0, Math.floor(k / width) - y0, inverseDepth[k]! - c];
    xx += u * u;
    xy += u * v;
    yy += v * v;
    xd += u * d;
    yd += v * d;
  }
  const determinant = xx * yy - xy * xy;
  if (!(determinant > 1e-3 * xx * yy)) return undefined;
  const a = (xd * yy - yd * xy) / determinant;
  const b = (yd * xx - xd * xy) / determinant;
  let squares = 0;
  for (const k of pixels)
    squares += (a * ((k % width) - x0) + b * (Math.floor(k / width) - y0) + c - inverseDepth[k]!) ** 2;
  const variance = (squares / n) * together;
  return {
    a,
    b,
    c,
    x0,
    y0,
    hull: hullOf(pixels, width),
    aa: (variance * yy) / determinant,
    ab: (-variance * xy) / determinant,
    bb: (variance * xx) / determinant,
    cc: variance / n,
  };
}

/** Convex hull of pixels (Andrew's monotone chain). */
function hullOf(pixels: Int32Array, width: number): [number, number][] {
  const points = Array.from(pixels, (k): [number, number] => [k % width, Math.floor(k / width)]).sort(
    (p, q) => p[0] - q[0] || p[1] - q[1],
  );
  const half = (ordered: readonly [number, number][]): [number, number][] => {
    const chain: [number, number][] = [];
    for (const point of ordered) {
      while (chain.length > 1 && turn(chain[chain.length - 2]!, chain[chain.length - 1]!, point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(points), ...half(points.reverse())];
}

function turn(a: readonly number[], b: readonly number[], c: readonly number[]): number {
  return (b[0]! - a[0]!) * (c[1]! - a[1]!) - (b[1]! - a[1]!) * (c[0]! - a[0]!);
}

/** Distance in pixels by which a place lies outside of a hull, to the line of its farthest side; negative inside. */
function outside(hull: readonly (readonly [number, number])[], x: number, y: number): number {
  let most = -Infinity;
  hull.forEach((corner, i) => {
    const next = hull[(i + 1) % hull.length]!;
    const length = Math.hypot(next[0] - corner[0], next[1] - corner[1]);
    if (length > 0) most = Math.max(most, -turn(corner, next, [x, y]) / length);
  });
  return most;
}

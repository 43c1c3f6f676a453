import { UnionFind } from '../../../numerics/union-find.js';
import { bySegment, fitPlane, INFER_DEFAULTS, planeAt, sidesKnown, type InferOptions } from './infer.js';

export interface PlainOptions {
  /**
   * Pixels from a segment's edge within which a match may come from the edge alone: half of the census window at half
   * size.
   */
  reach: number;
  /** Pixels from the edge in which the photo mixes both sides, so that even texture there is not the segment's own. */
  mixed: number;
  /** Standard deviation of a patch's like pixels under which they tell nothing of their own, grey levels. */
  leastTexture: number;
  /** Pixels out of that reach without which a segment is too narrow to be judged. */
  leastCore: number;
  /** Share of those with a depth from which on the segment has depths of its own. */
  ownDepths: number;
  /**
   * Pixels out of that reach, of so much texture, by which one connected surface is the segment's own. A smooth
   * gradient of brightness correlates with itself at any depth: half of the pixels of a sky have less texture than 1.4
   * and a correlation over 0.85.
   */
  leastOwn: number;
  ownTexture: number;
  /** Neighbours belong to one surface when their inverse depths differ by less than this share. */
  sameSurface: number;
  /** Depths within this share of the segment's plane lie on it. */
  onPlane: number;
  /**
   * Steps by which what was emptied goes on into other segments, over pixels that are more of its brightness than of
   * their own segment's: a photo's blur and sharpening put a rim of the sky into other segments.
   */
  rim: number;
  /** Grey levels by which such pixels may differ. */
  rimLikeness: number;
  /** Of the eight directions from a pixel, those in which a surface without depths of its own must be bounded. */
  leastSides: number;
  planes: InferOptions;
}

export const PLAIN_DEFAULTS: PlainOptions = {
  reach: 9,
  mixed: 3,
  leastTexture: 4,
  leastCore: 100,
  ownDepths: 0.1,
  leastOwn: 20,
  ownTexture: 2,
  sameSurface: 0.02,
  onPlane: 0.03,
  rim: 4,
  rimLikeness: 16,
  leastSides: 6,
  planes: INFER_DEFAULTS,
};

/**
 * Takes away the fringes of what stands before plain surfaces: a plain pixel beside an edge matches by the edge, and so
 * gets the depth of the thing in front, in every photo alike. In a wide plain segment a surface that stays along the
 * edge is the segment's own only if it lies on the plane of what is; where nothing is, on one plane all around
 * (posters on a wall), as the sky above a facade lies on one plane with it too.
 *
 * @param grey and labels [h, w] brightness and segment of each pixel
 * @param inverseDepth and texture [h, w]
 * @param confidence [h, w], set to 1 where a depth is taken away
 * @param sky pixels that show the sky: they and their rim have no depth
 * @returns 1 where a plain segment, or its rim, has no depth that could be completed
 */
export function dropFringes(
  { grey, width, height }: { grey: Uint8Array; width: number; height: number },
  labels: Int32Array,
  { inverseDepth, texture }: { inverseDepth: Float32Array; texture: Float32Array },
  confidence: Float32Array,
  sky?: Int32Array,
  options: PlainOptions = PLAIN_DEFAULTS,
): Uint8Array {
  const { reach, mixed, leastTexture, leastCore, onPlane, planes } = options;
  const distance = edgeDistances(labels, width, height);
  const surfaces = surfacesOf(labels, width, inverseDepth, confidence, options);
  const means = new Float32Array(grey.length);
  const emptied: Int32Array[] = sky ? [sky] : [];
  for (const pixels of bySegment(labels)) {
    const mean = pixels.reduce((sum, k) => sum + grey[k]!, 0) / pixels.length;
    for (const k of pixels) means[k] = mean;
    const core = pixels.filter((k) => distance[k]! > reach);
    if (core.length < leastCore) continue;
    const told = pixels.filter((k) => confidence[k]! > 1);
    const own = ownSurfaces(core, surfaces, { confidence, texture }, options);
    const support = own ? told.filter((k) => own.has(surfaces[k]!)) : told;
    const fitted = support.length < planes.leastSupport ? undefined : fitPlane(support, width, inverseDepth, planes);
    const isOn = (k: number): boolean => {
      const value = fitted ? planeAt(fitted, k % width, Math.floor(k / width)).value : 0;
      return Math.abs(value / inverseDepth[k]! - 1) < onPlane;
    };
    const isPlane = fitted && (own ?? isEnclosed(pixels, core, told.filter(isOn), width, options));
    for (const k of told) {
      if (own?.has(surfaces[k]!) || (isPlane && isOn(k))) continue;
      if (texture[k]! < leastTexture || distance[k]! <= mixed) confidence[k] = 1;
    }
    if (!isPlane && !own) emptied.push(pixels);
  }
  const open = withRims({ grey, width, height }, { means, emptied, confidence }, options);
  for (let k = 0; k < open.length; k++) if (open[k] === 1) confidence[k] = 1;
  return open;
}

/** What was emptied and its rims, 1 each. */
function withRims(
  { grey, width, height }: { grey: Uint8Array; width: number; height: number },
  { means, emptied, confidence }: { means: Float32Array; emptied: readonly Int32Array[]; confidence: Float32Array },
  { rim, rimLikeness }: PlainOptions,
): Uint8Array {
  const reached = new Uint8Array(grey.length);
  /** Brightness of the emptied pixel that a pixel was reached from. */
  const source = grey.slice();
  const judged = new Uint8Array(grey.length);
  let front: number[] = [];
  for (const pixels of emptied) {
    for (const k of pixels) {
      judged[k] = 1;
      // What has texture there stays.
      if (confidence[k]! > 1) continue;
      reached[k] = 1;
      front.push(k);
    }
  }
  for (let step = 0; step < rim; step++) {
    const next: number[] = [];
    for (const k of front) {
      const x = k % width;
      for (const other of [x > 0 ? k - 1 : -1, x < width - 1 ? k + 1 : -1, k - width, k + width]) {
        if (other < 0 || other >= width * height || reached[other] === 1 || judged[other] === 1) continue;
        const unlike = Math.abs(grey[other]! - source[k]!);
        if (unlike >= rimLikeness || unlike >= Math.abs(grey[other]! - means[other]!)) continue;
        reached[other] = 1;
        source[other] = source[k]!;
        next.push(other);
      }
    }
    front = next;
  }
  return reached;
}

/** The connected surfaces that have texture in a segment's core; undefined where they leave nearly all of it open. */
export function ownSurfaces(
  core: Int32Array,
  surfaces: Int32Array,
  { confidence, texture }: { confidence: Float32Array; texture: Float32Array },
  { ownDepths, leastOwn, ownTexture }: PlainOptions,
): Set<number> | undefined {
  const told = core.filter((k) => confidence[k]! > 1);
  const counts = new Map<number, number>();
  for (const k of told) if (texture[k]! >= ownTexture) counts.set(surfaces[k]!, (counts.get(surfaces[k]!) ?? 0) + 1);
  const own = new Set([...counts].filter(([, count]) => count >= leastOwn).map(([surface]) => surface));
  return told.filter((k) => own.has(surfaces[k]!)).length > ownDepths * core.length ? own : undefined;
}

/** Whether most of a segment's core has known pixels all around. */
function isEnclosed(
  pixels: Int32Array,
  core: Int32Array,
  known: Int32Array,
  width: number,
  { leastSides }: PlainOptions,
): boolean {
  const sides = sidesKnown(pixels, known, width);
  return core.filter((k) => sides(k) >= leastSides).length * 2 > core.length;
}

/** A number per pixel [h, w], the same within a connected surface of one segment. */
export function surfacesOf(
  labels: Int32Array,
  width: number,
  inverseDepth: Float32Array,
  confidence: Float32Array,
  { sameSurface }: PlainOptions,
): Int32Array {
  const joined = new UnionFind(labels.length);
  const tryJoin = (k: number, other: number): void => {
    if (labels[k] !== labels[other] || !(confidence[k]! > 1 && confidence[other]! > 1)) return;
    const d = inverseDepth[k]!;
    if (Math.abs(inverseDepth[other]! - d) >= sameSurface * d) return;
    joined.join(k, other);
  };
  for (let k = 0; k < labels.length; k++) {
    if (k % width < width - 1) tryJoin(k, k + 1);
    if (k + width < labels.length) tryJoin(k, k + width);
  }
  return Int32Array.from(labels, (_, k) => joined.root(k));
}

/** Steps to the nearest pixel of another segment, diagonal ones included; the picture's border is no edge. */
export function edgeDistances(labels: Int32Array, width: number, height: number): Uint16Array {
  const out = new Uint16Array(labels.length).fill(0xffff);
  const relax = (k: number, other: number): void => {
    const through = labels[other] === labels[k] ? out[other]! + 1 : 1;
    if (through < out[k]!) out[k] = through;
  };
  const pass = (step: 1 | -1): void => {
    for (let j = 0; j < height; j++) {
      const y = step > 0 ? j : height - 1 - j;
      const before = y - step;
      for (let i = 0; i < width; i++) {
        const x = step > 0 ? i : width - 1 - i;
        const k = y * width + x;
        if (x - step >= 0 && x - step < width) relax(k, k - step);
        if (before < 0 || before >= height) continue;
        for (let dx = -1; dx <= 1; dx++) if (x + dx >= 0 && x + dx < width) relax(k, before * width + x + dx);
      }
    }
  };
  pass(1);
  pass(-1);
  return out;
}

import { DESCRIPTOR, type Features } from '../features/features.js';
import { withDescriptors, type DescriptorKernel } from './matching.js';

export interface GuideOptions {
  /** Largest distance from the epipolar line, in the unit of the positions. */
  threshold: number;
  /** Least likeness of two descriptors: the cosine of the angle between them. */
  likeness?: number;
  /** Nearest over second nearest distance among the features near the line. */
  ratio?: number;
  /** Share of what is found that may be chance. */
  chance?: number;
}

export const GUIDE_DEFAULTS = { likeness: 0.8, ratio: 0.85, chance: 0.1 };

/** RootSIFT descriptors have this length (features.ts). */
const LENGTH_SQUARED = 512 * 512;
/** How far beside the epipolar lines chance is measured, in thresholds: too far to hold what is right. */
const BESIDE = 8;

interface Found {
  i: number;
  j: number;
  likeness: number;
}

/**
 * More matches of a pair whose geometry is known: a feature is compared only with those near its epipolar line, so that
 * what looks like it elsewhere in the photo does not count against it. Features that are matched already are left alone.
 *
 * Some of the few features near a line look alike by chance. How many do is measured by lines moved aside, where nothing is
 * right: of what was found, the likest are kept, so many that at most the given share is chance (target and decoy, Elias and
 * Gygi, Nature Methods 2007). Without, half of the guided matches of a right pair were wrong, and all of the 200 that
 * bore out a wrong one.
 *
 * @param x1, x2 positions of all features [count, 2]
 * @param E x2' E x1 = 0, row-major
 * @param taken [n, 2] matches that hold
 * @returns [m, 2] further matches
 */
export function guidedMatches(
  a: Features,
  b: Features,
  x1: Float64Array,
  x2: Float64Array,
  E: ArrayLike<number>,
  taken: Uint32Array,
  options: GuideOptions,
): Uint32Array {
  const free = [a, b].map((features, side) => {
    const own = taken.filter((_, k) => (k & 1) === side);
    return freeOf(features, own);
  }) as [Uint32Array, Uint32Array];
  const kernel = withDescriptors(a, b, 8 * b.count);
  const near = new NearLine(x2, free[1], new Uint32Array(kernel.memory.buffer, kernel.free, b.count));
  const search = (aside: number) => alongLines(a, b, x1, E, { free: free[0], near, aside, kernel, ...options });
  const found = search(0);
  const chance = [1, -1].flatMap((side) => search(side * BESIDE * options.threshold));
  const least = leastLikeness(found, chance, options.chance ?? GUIDE_DEFAULTS.chance);
  return Uint32Array.from(found.filter(({ likeness }) => likeness >= least).flatMap(({ i, j }) => [i, j]));
}

/** Features that are not matched, nor are any in their place: a corner with two orientations is one corner. */
function freeOf({ count, keypoints }: Features, taken: Uint32Array): Uint32Array {
  const place = (k: number) => `${keypoints[4 * k]!.toFixed(1)},${keypoints[4 * k + 1]!.toFixed(1)}`;
  const places = new Set(Array.from(taken, place));
  return Uint32Array.from({ length: count }, (_, k) => k).filter((k) => !places.has(place(k)));
}

/** The likeness down to which so few of what was found are chance; `chance` was found on two lines for each of these. */
function leastLikeness(found: readonly Found[], chance: readonly Found[], share: number): number {
  const all = [
    ...found.map(({ likeness }) => ({ likeness, right: 1, wrong: 0 })),
    ...chance.map(({ likeness }) => ({ likeness, right: 0, wrong: 0.5 })),
  ].sort((p, q) => q.likeness - p.likeness);
  let [right, wrong, least] = [0, 0, Infinity];
  for (const each of all) {
    right += each.right;
    wrong += each.wrong;
    if (wrong <= share * right) least = each.likeness;
  }
  return least;
}

interface Search extends GuideOptions {
  /** Features of the first photo to be matched. */
  free: Uint32Array;
  /** Those of the second. */
  near: NearLine;
  /** By how much the lines are moved, in the unit of the positions. */
  aside: number;
  kernel: DescriptorKernel;
}

/** Mutual best matches of features near each other's lines that stand out from the next best. */
function alongLines(
  a: Features,
  b: Features,
  x1: Float64Array,
  E: ArrayLike<number>,
  { free, near, aside, kernel, threshold, likeness = GUIDE_DEFAULTS.likeness, ratio = GUIDE_DEFAULTS.ratio }: Search,
): Found[] {
  const [rows, columns] = [new Ranking(a.count), new Ranking(b.count)];
  const { exports, memory, aAt, bAt } = kernel;
  const { found: candidates } = near;
  const productsAt = kernel.free + candidates.byteLength;
  const products = new Int32Array(memory.buffer, productsAt, candidates.length);
  for (const i of free) {
    const [x, y] = [x1[2 * i]!, x1[2 * i + 1]!];
    const l0 = E[0]! * x + E[1]! * y + E[2]!;
    const l1 = E[3]! * x + E[4]! * y + E[5]!;
    const norm = Math.sqrt(l0 * l0 + l1 * l1);
    const l2 = E[6]! * x + E[7]! * y + E[8]! + aside * norm;
    const count = near.find(l0, l1, l2, threshold * norm);
    exports.products(aAt + 2 * DESCRIPTOR * i, bAt, kernel.free, count, productsAt);
    for (let n = 0; n < count; n++) {
      rows.add(i, candidates[n]!, products[n]!);
      columns.add(candidates[n]!, i, products[n]!);
    }
  }
  const found: Found[] = [];
  for (const i of free) {
    const j = rows.best[i]!;
    if (j < 0 || columns.best[j] !== i || rows.first[i]! < likeness * LENGTH_SQUARED) continue;
    if (rows.isDistinct(i, ratio) && columns.isDistinct(j, ratio)) found.push({ i, j, likeness: rows.first[i]! });
  }
  return found;
}

/** Strips that places are sorted into, and parts of each from which the way to its first place of interest is short. */
const STRIPS = 64;
const PARTS = 256;

interface Strips {
  /** Across: where the first strip begins, and how wide each is. */
  from: number;
  width: number;
  /** Along: where the first part begins, and how long each is. */
  low: number;
  length: number;
  /** Per strip, ascending: positions along it, and whose they are. */
  positions: Float64Array[];
  members: Uint32Array[];
  /** [STRIPS, PARTS] how many positions of a strip lie before a part of it. */
  before: Uint32Array;
}

/**
 * Places [n, 2] by their distance from a line: sorted along strips across either axis, so that a line meets a few of each.
 * Every feature against every other took ten times longer.
 */
class NearLine {
  private readonly sorted: Strips[];

  /** @param found where to write what is found: room for all */
  constructor(
    private readonly at: Float64Array,
    chosen: Uint32Array,
    readonly found: Uint32Array,
  ) {
    this.sorted = [0, 1].map((axis) => stripsOf(at, chosen, axis));
  }

  /** Writes the places with |a x + b y + c| of at most `limit` into `found`. @returns how many there are */
  find(a: number, b: number, c: number, limit: number): number {
    // The strips that the line crosses at less than 45 degrees to their length are the wrong ones.
    const axis = Math.abs(a) <= Math.abs(b) ? 0 : 1;
    const [across, along] = axis === 0 ? [a, b] : [b, a];
    const { from, width, low, length, positions, members, before } = this.sorted[axis]!;
    const { at, found } = this;
    const margin = limit / Math.abs(along);
    let count = 0;
    for (let s = 0; s < STRIPS; s++) {
      const own = positions[s]!;
      if (own.length === 0) continue;
      const start = -(across * (from + s * width) + c) / along;
      const end = -(across * (from + (s + 1) * width) + c) / along;
      const [least, most] = [Math.min(start, end) - margin, Math.max(start, end) + margin];
      let n = before[s * PARTS + partOf(least, low, length)]!;
      while (n < own.length && own[n]! < least) n++;
      for (; n < own.length && own[n]! <= most; n++) {
        const k = members[s]![n]!;
        if (Math.abs(a * at[2 * k]! + b * at[2 * k + 1]! + c) <= limit) found[count++] = k;
      }
    }
    return count;
  }
}

/** Never less for what lies further along, so that what lies in an earlier part lies before. */
function partOf(position: number, low: number, length: number): number {
  return Math.max(0, Math.min(PARTS - 1, Math.floor((position - low) / length)));
}

function stripsOf(at: Float64Array, chosen: Uint32Array, axis: number): Strips {
  const [from, to] = rangeOf(at, chosen, axis);
  const [low, high] = rangeOf(at, chosen, 1 - axis);
  const width = (to - from) / STRIPS || 1;
  const length = (high - low) / PARTS || 1;
  const lists: number[][] = Array.from({ length: STRIPS }, () => []);
  for (const k of chosen) lists[Math.min(STRIPS - 1, Math.floor((at[2 * k + axis]! - from) / width))]!.push(k);
  const along = (k: number): number => at[2 * k + 1 - axis]!;
  const members = lists.map((list) => Uint32Array.from(list.sort((p, q) => along(p) - along(q))));
  const positions = members.map((list) => Float64Array.from(list, along));
  const before = new Uint32Array(STRIPS * PARTS);
  positions.forEach((own, s) => {
    for (const position of own) {
      const next = partOf(position, low, length) + 1;
      if (next < PARTS) before[s * PARTS + next]!++;
    }
    for (let part = 1; part < PARTS; part++) before[s * PARTS + part]! += before[s * PARTS + part - 1]!;
  });
  return { from, width, low, length, positions, members, before };
}

function rangeOf(at: Float64Array, chosen: Uint32Array, axis: number): [number, number] {
  let [from, to] = [Infinity, -Infinity];
  for (const k of chosen) {
    from = Math.min(from, at[2 * k + axis]!);
    to = Math.max(to, at[2 * k + axis]!);
  }
  return [from, to];
}

/** The best of each feature's candidates, and how much better it is than the next. */
class Ranking {
  readonly best: Int32Array;
  readonly first: Int32Array;
  private readonly second: Int32Array;

  constructor(count: number) {
    this.best = new Int32Array(count).fill(-1);
    this.first = new Int32Array(count);
    this.second = new Int32Array(count);
  }

  add(feature: number, candidate: number, product: number): void {
    if (product > this.first[feature]!) {
      this.second[feature] = this.first[feature]!;
      this.first[feature] = product;
      this.best[feature] = candidate;
    } else if (product > this.second[feature]!) this.second[feature] = product;
  }

  isDistinct(feature: number, ratio: number): boolean {
    return LENGTH_SQUARED - this.first[feature]! < ratio * ratio * (LENGTH_SQUARED - this.second[feature]!);
  }
}

import { DESCRIPTOR, type Features } from '../features/features.js';

export interface GuideOptions {
  /** Largest distance from the epipolar line, in the unit of the positions. */
  threshold: number;
  /** Least likeness of two descriptors: the cosine of the angle between them. */
  likeness?: number;
  /** Nearest over second nearest distance among the features near the line. */
  ratio?: number;
}

export const GUIDE_DEFAULTS = { likeness: 0.8, ratio: 0.85 };

/** RootSIFT descriptors have this length (features.ts). */
const LENGTH_SQUARED = 512 * 512;

/**
 * More matches of a pair whose geometry is known: a feature is compared only with those near its epipolar line, so that
 * what looks like it elsewhere in the photo does not count against it. Features that are matched already are left alone.
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
  { threshold, likeness = GUIDE_DEFAULTS.likeness, ratio = GUIDE_DEFAULTS.ratio }: GuideOptions,
): Uint32Array {
  const [rows, columns] = [new Ranking(a.count), new Ranking(b.count)];
  const isTaken = [new Uint8Array(a.count), new Uint8Array(b.count)] as const;
  taken.forEach((feature, k) => (isTaken[k & 1]![feature] = 1));
  const free = Uint32Array.from(Array.from({ length: b.count }, (_, j) => j).filter((j) => !isTaken[1][j]));
  const least = likeness * LENGTH_SQUARED;
  for (let i = 0; i < a.count; i++) {
    if (isTaken[0][i]) continue;
    const [x, y] = [x1[2 * i]!, x1[2 * i + 1]!];
    const l0 = E[0]! * x + E[1]! * y + E[2]!;
    const l1 = E[3]! * x + E[4]! * y + E[5]!;
    const l2 = E[6]! * x + E[7]! * y + E[8]!;
    const limit = threshold * Math.sqrt(l0 * l0 + l1 * l1);
    for (let n = 0; n < free.length; n++) {
      const j = free[n]!;
      if (Math.abs(l0 * x2[2 * j]! + l1 * x2[2 * j + 1]! + l2) > limit) continue;
      const product = dot(a.descriptors, DESCRIPTOR * i, b.descriptors, DESCRIPTOR * j);
      rows.add(i, j, product);
      columns.add(j, i, product);
    }
  }
  const found: number[] = [];
  for (let i = 0; i < a.count; i++) {
    const j = rows.best[i]!;
    if (j < 0 || columns.best[j] !== i || rows.first[i]! < least) continue;
    if (rows.isDistinct(i, ratio) && columns.isDistinct(j, ratio)) found.push(i, j);
  }
  return Uint32Array.from(found);
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

function dot(p: Uint8Array, from: number, q: Uint8Array, at: number): number {
  let sum = 0;
  for (let k = 0; k < DESCRIPTOR; k++) sum += p[from + k]! * q[at + k]!;
  return sum;
}

import { cross3, dot3 } from '../numerics/vector.js';

/** What a pair says of the way from one camera to the other. */
export interface RelativeDirection {
  a: number;
  b: number;
  /** Of camera b's centre from a's, unit length, in the world of the averaged rotations. */
  direction: ArrayLike<number>;
  /** Inliers. */
  weight: number;
}

export interface DirectionOptions {
  /**
   * Three right directions lie in one plane, the long side's between the others', to within this, degrees. Right pairs are
   * within 5 degrees each, with a wrong focal within 8.
   */
  closed: number;
  /** Two ways that are nearly opposite, degrees, have any direction between them. */
  opposite: number;
  /** A pair is wrong when more than this share of its triangles does not close. */
  share: number;
}

export const DIRECTION_DEFAULTS: DirectionOptions = { closed: 15, opposite: 150, share: 0.5 };

interface Triangle {
  /** Indices of its pairs. */
  pairs: [number, number, number];
  closes: boolean;
}

/**
 * Which pairs' directions contradict the rest. A pattern that repeats along a wall turns no camera but moves it: such pairs
 * pass every test on rotations. The ways round three cameras add up to nothing with positive lengths (after Wilson and
 * Snavely, "Robust Global Translations with 1DSfM", ECCV 2014, who look along random axes); the pair with the largest
 * share of triangles that don't is taken out until none has more than half. What is in no triangle stays. A least-squares
 * search of positions (Ozyesil and Singer, CVPR 2015) turned down good pairs of nearly straight walks.
 *
 * @returns per pair, whether the others agree with it
 */
export function agreeingDirections(
  pairs: readonly RelativeDirection[],
  options: DirectionOptions = DIRECTION_DEFAULTS,
): boolean[] {
  const triangles = trianglesOf(pairs, options);
  const own: Triangle[][] = pairs.map(() => []);
  for (const triangle of triangles) for (const k of triangle.pairs) own[k]!.push(triangle);
  const agrees = pairs.map(() => true);
  const share = (k: number): number =>
    own[k]!.length === 0 ? 0 : own[k]!.filter(({ closes }) => !closes).length / own[k]!.length;
  for (;;) {
    let worst: { k: number; value: number } | undefined;
    pairs.forEach(({ weight }, k) => {
      if (!agrees[k]) return;
      const value = share(k);
      if (value <= options.share) return;
      if (!worst || value > worst.value || (value === worst.value && weight < pairs[worst.k]!.weight))
        worst = { k, value };
    });
    if (!worst) return agrees;
    const { k } = worst;
    agrees[k] = false;
    for (const { pairs: three } of own[k]!)
      for (const other of three) own[other] = own[other]!.filter((triangle) => !triangle.pairs.includes(k));
  }
}

function trianglesOf(pairs: readonly RelativeDirection[], options: DirectionOptions): Triangle[] {
  const from = new Map<number, Map<number, number>>();
  const add = (p: number, q: number, k: number) => from.set(p, (from.get(p) ?? new Map<number, number>()).set(q, k));
  pairs.forEach(({ a, b }, k) => {
    add(a, b, k);
    add(b, a, k);
  });
  const triangles: Triangle[] = [];
  pairs.forEach(({ a, b }, k) => {
    for (const [c, ac] of from.get(a)!) {
      const bc = from.get(b)!.get(c);
      // Each once, from its first pair.
      if (bc === undefined || ac < k || bc < k) continue;
      const ways = [way(pairs[k]!, a), way(pairs[bc]!, b), way(pairs[ac]!, c)];
      triangles.push({ pairs: [k, bc, ac], closes: openBy(ways, options.opposite) <= options.closed });
    }
  });
  return triangles;
}

/** Direction of a pair when it is walked from this photo. */
const way = ({ a, direction }: RelativeDirection, from: number): number[] =>
  Array.from(direction, (value) => (a === from ? value : -value));

/** By how many degrees the ways round a triangle fail to add up to nothing, whatever their positive lengths. */
function openBy(ways: readonly number[][], opposite: number): number {
  let most = 0;
  for (let k = 0; k < 3; k++) {
    const [u, v, back] = [ways[k]!, ways[(k + 1) % 3]!, ways[(k + 2) % 3]!];
    if (angle(u, v) > opposite) continue;
    most = Math.max(
      most,
      fromArc(
        u,
        v,
        back.map((value) => -value),
      ),
    );
  }
  return most;
}

/** Degrees from w to the nearest direction between u and v. */
function fromArc(u: number[], v: number[], w: number[]): number {
  const n = cross3(u, v);
  const length = Math.hypot(...n);
  const nearest = Math.min(angle(u, w), angle(v, w));
  if (length < 1e-6) return nearest;
  const isBetween = dot3(cross3(u, w), n) >= 0 && dot3(cross3(w, v), n) >= 0;
  return isBetween ? (Math.asin(Math.min(1, Math.abs(dot3(w, n)) / length)) * 180) / Math.PI : nearest;
}

const angle = (u: number[], v: number[]): number => (Math.acos(Math.max(-1, Math.min(1, dot3(u, v)))) * 180) / Math.PI;

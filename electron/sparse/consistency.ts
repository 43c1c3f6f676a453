import { multiply3, orthonormalise, randomNumbers, transpose3 } from '../numerics/linear.js';
import { UnionFind } from '../numerics/union-find.js';
import { rotationDifference } from './two-view.js';

export interface RelativeRotation {
  a: number;
  b: number;
  /** x_b = rotation x_a. */
  rotation: Float64Array;
  /** Inliers. */
  weight: number;
}

/**
 * A pair further from the averaged rotations than this is wrong. Uncalibrated distortion alone moves good pairs by up
 * to 5.
 */
const WRONG_DEGREES = 8;
const SCALE_DEGREES = 2;
const SWEEPS = 40;
/** Three rotations round a triangle of right pairs come back to within this. */
const CLOSED_DEGREES = 5;
const TREES = 40;

/**
 * World-to-camera rotations that most pairs agree with (Hartley, Trumpf, Dai and Li, "Rotation Averaging", IJCV 2013: start
 * from a spanning tree, then robust re-averaging of each photo over its neighbours). Repeating wallpaper gives wrong
 * pairs with a hundred inliers that no test on the pair alone can find; one of them in the tree would spoil the start,
 * so pairs count by how many triangles they close (Zach, Klopschitz and Pollefeys, CVPR 2010), and of several random
 * trees the one that most pairs agree with is taken.
 *
 * @param count number of photos
 */
export function averageRotations(count: number, pairs: readonly RelativeRotation[]): Float64Array[] {
  const rotations = bestTree(count, pairs);
  const neighbours: { other: number; toMe: Float64Array; weight: number }[][] = Array.from({ length: count }, () => []);
  for (const { a, b, rotation, weight } of pairs) {
    neighbours[b]!.push({ other: a, toMe: rotation, weight });
    neighbours[a]!.push({ other: b, toMe: transpose3(rotation), weight });
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = 0; i < count; i++) {
      const sum = new Float64Array(9);
      let total = 0;
      for (const { other, toMe, weight } of neighbours[i]!) {
        const said = multiply3(toMe, rotations[other]!);
        const difference = rotationDifference(said, rotations[i]!) / SCALE_DEGREES;
        const w = weight / (1 + difference * difference) ** 2;
        total += w;
        for (let k = 0; k < 9; k++) sum[k] = sum[k]! + w * said[k]!;
      }
      if (total > 0) rotations[i] = orthonormalise(sum.map((value) => value / total));
    }
  }
  return rotations;
}

/** Per pair, how far it is from the averaged rotations, degrees. */
export const rotationDisagreement = (
  rotations: readonly Float64Array[],
  pairs: readonly RelativeRotation[],
): Float64Array =>
  Float64Array.from(pairs, ({ a, b, rotation }) =>
    rotationDifference(multiply3(rotation, rotations[a]!), rotations[b]!),
  );

export const isConsistent = (disagreement: number): boolean => disagreement < WRONG_DEGREES;

/** World-to-camera rotations along the spanning forest that the pairs agree with most. */
function bestTree(count: number, pairs: readonly RelativeRotation[]): Float64Array[] {
  const trust = triangleTrust(count, pairs);
  const random = randomNumbers(1);
  let best: { rotations: Float64Array[]; agreement: number } | undefined;
  for (let k = 0; k < TREES; k++) {
    // The first tree is the one of most trust, the others are drawn round it.
    const rotations = spanningRotations(
      count,
      pairs,
      trust.map((value) => (k === 0 ? value : value * random() ** 2)),
    );
    let agreement = 0;
    for (const { a, b, rotation, weight } of pairs) {
      const difference = rotationDifference(multiply3(rotation, rotations[a]!), rotations[b]!) / WRONG_DEGREES;
      if (difference < 1) agreement += Math.sqrt(weight) * (1 - difference * difference);
    }
    if (!best || agreement > best.agreement) best = { rotations, agreement };
  }
  return best!.rotations;
}

/**
 * The square root of each pair's inliers, times the squared share of its triangles that close; pairs in no triangle
 * count by their inliers alone.
 */
function triangleTrust(count: number, pairs: readonly RelativeRotation[]): Float64Array {
  const from = Array.from({ length: count }, () => new Map<number, Float64Array>());
  for (const { a, b, rotation } of pairs) {
    from[a]!.set(b, rotation);
    from[b]!.set(a, transpose3(rotation));
  }
  return Float64Array.from(pairs, ({ a, b, rotation, weight }) => {
    let closed = 0;
    let triangles = 0;
    for (const [c, toC] of from[a]!) {
      const back = from[c]!.get(b);
      if (!back) continue;
      triangles++;
      if (rotationDifference(multiply3(back, toC), rotation) < CLOSED_DEGREES) closed++;
    }
    return Math.sqrt(weight) * ((1 + closed) / (1 + triangles)) ** 2;
  });
}

/** World-to-camera rotations along a maximum spanning forest: those of each tree's first photo are the identity. */
function spanningRotations(count: number, pairs: readonly RelativeRotation[], trust: Float64Array): Float64Array[] {
  const order = pairs.map((_, k) => k).sort((p, q) => trust[q]! - trust[p]!);
  const sets = new UnionFind(count);
  // Kruskal's: looking for the best pair that leaves the tree, photo by photo, took photos times pairs.
  const ties: { other: number; toOther: Float64Array }[][] = Array.from({ length: count }, () => []);
  for (const k of order) {
    const { a, b, rotation } = pairs[k]!;
    if (!sets.join(a, b)) continue;
    ties[a]!.push({ other: b, toOther: rotation });
    ties[b]!.push({ other: a, toOther: transpose3(rotation) });
  }
  const rotations: (Float64Array | undefined)[] = new Array(count).fill(undefined);
  for (let root = 0; root < count; root++) {
    if (rotations[root]) continue;
    rotations[root] = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    const open = [root];
    for (let photo = open.pop(); photo !== undefined; photo = open.pop()) {
      for (const { other, toOther } of ties[photo]!) {
        if (rotations[other]) continue;
        rotations[other] = multiply3(toOther, rotations[photo]!);
        open.push(other);
      }
    }
  }
  return rotations as Float64Array[];
}

import { multiply3, orthonormalise, transpose3 } from '../../geometry/linear.js';
import { rotationDifference } from './two-view.js';

export interface RelativeRotation {
  a: number;
  b: number;
  /** x_b = rotation x_a. */
  rotation: Float64Array;
  /** Inliers. */
  weight: number;
}

/** A pair further from the averaged rotations than this is wrong. Uncalibrated distortion alone moves good pairs by up to 5. */
const WRONG_DEGREES = 8;
const SCALE_DEGREES = 2;
const SWEEPS = 40;

/**
 * Which relative rotations contradict the rest (Hartley, Trumpf, Dai and Li, "Rotation Averaging", IJCV 2013: start from
 * a maximum spanning tree, then robust re-averaging of each photo over its neighbours). Repeating wallpaper gives wrong
 * pairs with a hundred inliers that no test on the pair alone can find.
 *
 * @param count number of photos
 * @returns per pair, the disagreement in degrees
 */
export function rotationDisagreement(count: number, pairs: readonly RelativeRotation[]): Float64Array {
  const rotations = spanningRotations(count, pairs);
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
  return Float64Array.from(pairs, ({ a, b, rotation }) => rotationDifference(multiply3(rotation, rotations[a]!), rotations[b]!));
}

export const isConsistent = (disagreement: number): boolean => disagreement < WRONG_DEGREES;

/** World-to-camera rotations along a maximum spanning forest. */
function spanningRotations(count: number, pairs: readonly RelativeRotation[]): Float64Array[] {
  const rotations: (Float64Array | undefined)[] = new Array(count).fill(undefined);
  for (let root = 0; root < count; root++) {
    if (rotations[root]) continue;
    rotations[root] = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    for (;;) {
      let best: RelativeRotation | undefined;
      for (const pair of pairs) {
        if (!rotations[pair.a] === !rotations[pair.b]) continue;
        if (!best || pair.weight > best.weight) best = pair;
      }
      if (!best) break;
      if (rotations[best.a]) rotations[best.b] = multiply3(best.rotation, rotations[best.a]!);
      else rotations[best.a] = multiply3(transpose3(best.rotation), rotations[best.b]!);
    }
  }
  return rotations as Float64Array[];
}

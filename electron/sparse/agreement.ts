import { multiply3, transpose3 } from '../numerics/linear.js';
import type { PlacedCamera } from './bundle.js';
import type { VerifiedPair } from './structure.js';
import { rotationDifference } from './two-view.js';

/** A pair agrees with cameras that turn and lie to each other as it says, to within this, degrees. */
const TURN = 8;
const DIRECTION = 20;

/** True where a pair knows a direction at all: not when it was taken from one place or nearly so. */
export const isTelling = ({ parallax, rotationShare }: VerifiedPair): boolean => parallax > 1 && rotationShare < 0.5;

type Posed = Pick<PlacedCamera, 'rotation' | 'translation'>;

/** Whether two placed cameras stand to each other as the pair says alone. */
export function agrees(pair: VerifiedPair, a: Posed, b: Posed): boolean {
  const rotation = multiply3(b.rotation, transpose3(a.rotation));
  if (rotationDifference(rotation, pair.rotation) > TURN) return false;
  const t = [0, 1, 2].map(
    (i) =>
      b.translation[i]! -
      (rotation[3 * i]! * a.translation[0]! +
        rotation[3 * i + 1]! * a.translation[1]! +
        rotation[3 * i + 2]! * a.translation[2]!),
  );
  const along = t.reduce((sum, value, i) => sum + value * pair.translation[i]!, 0);
  return along > Math.cos((DIRECTION * Math.PI) / 180) * Math.hypot(...t);
}

/**
 * Share of the pairs, by their inliers, that agree with the placed cameras. Pairs hold by themselves and cameras by
 * points: where both say the same a wrong result is unlikely. Six photos of wallpaper that were placed by one wrong pair
 * agreed by 0.6; right results do by 0.97.
 *
 * @returns 1 where no pair tells
 */
export function agreement(pairs: readonly VerifiedPair[], cameras: ReadonlyMap<number, Posed>): number {
  const told = between(pairs, cameras);
  const weigh = (some: readonly VerifiedPair[]) => some.reduce((sum, { inlierCount }) => sum + inlierCount, 0);
  return told.length === 0 ? 1 : 1 - weigh(disagreeing(told, cameras)) / weigh(told);
}

/** The pairs of placed cameras that say otherwise. */
export const disagreeing = (
  pairs: readonly VerifiedPair[],
  cameras: ReadonlyMap<number, Posed>,
): readonly VerifiedPair[] =>
  between(pairs, cameras).filter((pair) => !agrees(pair, cameras.get(pair.a)!, cameras.get(pair.b)!));

const between = (pairs: readonly VerifiedPair[], cameras: ReadonlyMap<number, Posed>): readonly VerifiedPair[] =>
  pairs.filter((pair) => cameras.has(pair.a) && cameras.has(pair.b) && isTelling(pair));

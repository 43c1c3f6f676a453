import { dot3 } from '../numerics/vector.js';
import { fromTo, type Posed } from './pose.js';
import type { VerifiedPair } from './structure.js';
import { rotationDifference } from './two-view.js';

/** A pair agrees with cameras that turn and lie to each other as it says, to within this, degrees. */
const TURN = 8;
const DIRECTION = 20;
/** Beyond this a pair's direction says nothing. */
const ANY_DIRECTION = 90;

/** True where a pair knows a direction at all: not when it was taken from one place or nearly so. */
export const isTelling = ({ parallax, rotationShare }: Pick<VerifiedPair, 'parallax' | 'rotationShare'>): boolean =>
  parallax > 1 && rotationShare < 0.5;

/** Whether two placed cameras stand to each other as a pair says alone. */
export type Agreement = (pair: VerifiedPair, a: Posed, b: Posed) => boolean;

/** What places cameras asks this: where a pair and the points say different things another start may be better. */
export const agrees: Agreement = (pair, a, b) => isWithin(pair, a, b, () => DIRECTION);

/**
 * Before somebody is told that a result is wrong. A small turn and a step aside move a picture alike, so a pair of small
 * parallax trades one for the other: who is off by an angle in its rotation is off by that angle over the parallax in
 * its direction (25 to 60 degrees for 0.8 to 4.7 of rotation at 1.6 to 4.5 of parallax, in eight of eight such pairs of a
 * film whose cameras were right), and that is no contradiction. Cameras placed so leniently went astray, of eight photos of
 * one building (translation 32 degrees off instead of 4 for the worst tenth).
 */
export const mayAgree: Agreement = (pair, a, b) =>
  isWithin(pair, a, b, (turned) => Math.min(ANY_DIRECTION, DIRECTION + ((turned / pair.parallax) * 180) / Math.PI));

function isWithin(pair: VerifiedPair, a: Posed, b: Posed, limitOf: (turned: number) => number): boolean {
  const { rotation, translation } = fromTo(a, b);
  const turned = rotationDifference(rotation, pair.rotation);
  if (turned > TURN) return false;
  const along = dot3(translation, pair.translation);
  return along > Math.cos((limitOf(turned) * Math.PI) / 180) * Math.hypot(...translation);
}

/**
 * Share of the pairs, by their inliers, that agree with the placed cameras. Pairs hold by themselves and cameras by
 * points: where both say the same a wrong result is unlikely. Six photos of wallpaper that were placed by one wrong pair
 * agreed by 0.6; right results do by 0.97.
 *
 * @returns 1 where no pair tells
 */
export function agreement(
  pairs: readonly VerifiedPair[],
  cameras: ReadonlyMap<number, Posed>,
  test: Agreement = agrees,
): number {
  const told = between(pairs, cameras);
  const weigh = (some: readonly VerifiedPair[]) => some.reduce((sum, { inlierCount }) => sum + inlierCount, 0);
  return told.length === 0 ? 1 : 1 - weigh(disagreeing(told, cameras, test)) / weigh(told);
}

/** The pairs of placed cameras that say otherwise. */
export const disagreeing = (
  pairs: readonly VerifiedPair[],
  cameras: ReadonlyMap<number, Posed>,
  test: Agreement = agrees,
): readonly VerifiedPair[] =>
  between(pairs, cameras).filter((pair) => !test(pair, cameras.get(pair.a)!, cameras.get(pair.b)!));

const between = (pairs: readonly VerifiedPair[], cameras: ReadonlyMap<number, Posed>): readonly VerifiedPair[] =>
  pairs.filter((pair) => cameras.has(pair.a) && cameras.has(pair.b) && isTelling(pair));

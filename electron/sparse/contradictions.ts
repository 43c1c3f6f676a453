import { isTelling } from './agreement.js';
import { averageRotations, isConsistent, rotationDisagreement } from './consistency.js';
import { agreeingDirections } from './directions.js';
import { centreOf } from './pose.js';
import type { VerifiedPair } from './structure.js';

/**
 * Per pair, what the other pairs have against it, one line for people: another rotation, or another way from camera to
 * camera; undefined for those that they agree with.
 *
 * @param count number of photos
 */
export function contradictionsOf(count: number, pairs: readonly VerifiedPair[]): (string | undefined)[] {
  const weighed = pairs.map(({ a, b, rotation, inlierCount }) => ({ a, b, rotation, weight: inlierCount }));
  const rotations = averageRotations(count, weighed);
  const turned = rotationDisagreement(rotations, weighed);
  const said = pairs.map((_, k) =>
    isConsistent(turned[k]!)
      ? undefined
      : `its rotation is ${turned[k]!.toFixed(0)} degrees off what the other pairs say`,
  );
  // Nearly from one place, a pair knows no direction.
  const telling = pairs.flatMap((pair, k) => (said[k] === undefined && isTelling(pair) ? [k] : []));
  const agrees = agreeingDirections(
    telling.map((k) => {
      const { a, b, translation, inlierCount } = pairs[k]!;
      return { a, b, direction: centreOf({ rotation: rotations[b]!, translation }), weight: inlierCount };
    }),
  );
  telling.forEach((k, at) => {
    if (!agrees[at]) said[k] = 'it says another way from camera to camera than the other pairs do';
  });
  return said;
}

import type { KnownLength, MeasuredLength } from '../contract/scene.js';
import { UserError } from '../contract/errors.js';
import type { FoundPoint } from './ends.js';

export interface ScaleFit {
  metresPerUnit: number;
  lengths: MeasuredLength[];
}

/** @throws UserError 'bad-input' when the two points are one, within what their depths are good for */
export function distanceBetween(a: FoundPoint, b: FoundPoint): number {
  const distance = Math.hypot(...a.position.map((value, i) => value - b.position[i]!));
  if (distance <= 2 * Math.max(a.deviation, b.deviation))
    throw new UserError(
      'bad-input',
      'the two ends of a length are one point of the scene, within what its depths are good for; choose two that are farther apart',
    );
  return distance;
}

/**
 * The scale at which the scene's distances are nearest to lengths that were measured: least squares over their
 * differences in metres.
 *
 * @param distances of the lengths, in the unit that the result scales
 */
export function fitScale(
  lengths: readonly Pick<KnownLength, 'metres' | 'name'>[],
  distances: readonly number[],
): ScaleFit {
  let [cross, square] = [0, 0];
  lengths.forEach(({ metres }, k) => {
    cross += distances[k]! * metres;
    square += distances[k]! ** 2;
  });
  const metresPerUnit = cross / square;
  return {
    metresPerUnit,
    lengths: lengths.map(({ name, metres }, k) => {
      const measured = metresPerUnit * distances[k]!;
      return { ...(name === undefined ? {} : { name }), metres, measured, residual: measured - metres };
    }),
  };
}

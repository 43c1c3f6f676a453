import type { KnownLength, MeasuredLength } from '../contract/scene.js';
import { UserError } from '../contract/errors.js';
import type { Camera, DepthMap } from '../geometry/types.js';
import { pointAtPixel } from './points.js';

export interface ScaleFit {
  metresPerUnit: number;
  lengths: MeasuredLength[];
}

/**
 * The scale at which the scene's distances are nearest to lengths that were measured: least squares over their
 * differences in metres.
 *
 * @param cameras, maps in one frame, whose unit the result scales
 * @throws UserError 'bad-input' for ends that coincide or have no depth
 */
export function scaleByLengths(
  lengths: readonly KnownLength[],
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
): ScaleFit {
  const distances = lengths.map(({ a, b }) => {
    const [p, q] = [pointAtPixel(a, cameras, maps), pointAtPixel(b, cameras, maps)];
    const distance = Math.hypot(...p.position.map((value, i) => value - q.position[i]!));
    if (distance <= 2 * Math.max(p.deviation, q.deviation))
      throw new UserError(
        'bad-input',
        'the two ends of a length are one point of the scene, within what its depths are good for; choose two that are farther apart',
      );
    return distance;
  });
  const metresPerUnit = fitScale(
    distances,
    lengths.map(({ metres }) => metres),
  );
  return {
    metresPerUnit,
    lengths: lengths.map(({ metres }, k) => {
      const measured = metresPerUnit * distances[k]!;
      return { metres, measured, residual: measured - metres };
    }),
  };
}

/** s with least sum of (s distance - metres)^2. */
function fitScale(distances: readonly number[], metres: readonly number[]): number {
  let [cross, square] = [0, 0];
  distances.forEach((distance, k) => {
    cross += distance * metres[k]!;
    square += distance * distance;
  });
  return cross / square;
}

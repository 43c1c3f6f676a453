import { UserError } from '../contract/errors.js';
import { multiply3, rotationOf, transpose3 } from '../numerics/linear.js';
import { isStored } from './prepared.js';
import type { Observation } from '../geometry/types.js';
import type { AlignmentProblem, AlignmentView, StoredObservation } from './types.js';

const bad = (message: string): UserError => new UserError('bad-input', message);

/**
 * Refuses what can't be aligned, naming the observation; what is merely poor (NaN points, confidences under 1) is read
 * as "no information".
 *
 * @throws UserError
 */
export function validateProblem(problem: AlignmentProblem<Observation | StoredObservation>): void {
  const { views, observations } = problem;
  if (views.length === 0) throw bad('there is nothing to align: the problem has no views');
  if (observations.length === 0)
    throw bad('there is nothing to align: the problem has no observations; check that the photos overlap');
  const sizes = new Map(views.map((view) => [view.photo, view]));
  if (sizes.size !== views.length) throw bad('two views have the same photo: name each photo once');
  for (const { photo, width, height } of views)
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0))
      throw bad(`a view of ${width}x${height} pixels can't be aligned: ${photo}`);
  validateObservations(problem, sizes);
  validateKnowledge(problem);
}

function validateObservations(
  { observations }: AlignmentProblem<Observation | StoredObservation>,
  sizes: ReadonlyMap<string, AlignmentView>,
): void {
  observations.forEach((observation, k) => {
    const seen = isStored(observation) ? observation.digest.views : observation.views;
    if (seen.length === 0) throw bad(`observation ${k} has no views`);
    for (const each of seen) {
      const { photo, width, height } = each;
      const view = sizes.get(photo);
      if (!view) throw bad(`observation ${k} speaks of a photo that is not among the views: ${photo}`);
      if (view.width !== width || view.height !== height)
        throw bad(
          `observation ${k} is ${width}x${height} where its photo's view is ${view.width}x${view.height}; all observations of a photo must have one size: ${photo}`,
        );
      if (!('points' in each)) continue;
      if (each.points.length !== width * height * 3 || each.confidence.length !== width * height)
        throw bad(
          `observation ${k} holds ${each.points.length / 3} points and ${each.confidence.length} confidences for ${width}x${height} pixels: ${photo}`,
        );
    }
  });
}

function validateKnowledge({ views, constraints, initial, sharedFocal }: Omit<AlignmentProblem, 'observations'>): void {
  constraints?.forEach((constraint, k) => {
    if (!constraint) return;
    const { focal, expectedFocal, principalPoint, pose } = constraint;
    if (focal !== undefined) validateFocal(focal, `the focal given for view ${k}`);
    if (expectedFocal) {
      validateFocal(expectedFocal.focal, `the focal expected for view ${k}`);
      if (!(expectedFocal.share > 0))
        throw bad(`what the focal of view ${k} is expected to be off by must be more than nothing; give it instead`);
    }
    if (principalPoint && !principalPoint.every(Number.isFinite))
      throw bad(
        `the principal point given for view ${k} is (${principalPoint.join(', ')}); give two numbers of pixels`,
      );
    if (pose) validatePose(pose.worldFromCamera, `the pose given for view ${k}`);
    if (pose?.expected && !(pose.expected.turn > 0 && pose.expected.shift > 0))
      throw bad(
        `what the pose given for view ${k} is expected to be off by must be more than nothing; hold it fixed instead`,
      );
  });
  initial?.forEach((start, k) => {
    if (!start) return;
    validateFocal(start.focal, `the earlier focal of view ${k}`);
    validatePose(start.worldFromCamera, `the earlier pose of view ${k}`);
  });
  const sizes = new Set(views.map(({ width, height }) => `${width}x${height}`));
  if (sharedFocal && sizes.size > 1)
    throw bad(`one focal for all photos needs views of one size; these have ${sizes.size}: ${[...sizes].join(', ')}`);
}

function validateFocal(focal: number, what: string): void {
  if (!(focal > 0 && Number.isFinite(focal))) throw bad(`${what} is ${focal}; it must be a positive number of pixels`);
}

function validatePose(pose: Float64Array, what: string): void {
  if (pose.length !== 16) throw bad(`${what} has ${pose.length} numbers; give a row-major 4x4 matrix`);
  if (!pose.every(Number.isFinite)) throw bad(`${what} is not finite`);
  const R = rotationOf(pose);
  const product = multiply3(R, transpose3(R));
  const orthonormal = product.every((value, i) => Math.abs(value - (i % 4 === 0 ? 1 : 0)) < 1e-3);
  const determinant =
    R[0]! * (R[4]! * R[8]! - R[5]! * R[7]!) -
    R[1]! * (R[3]! * R[8]! - R[5]! * R[6]!) +
    R[2]! * (R[3]! * R[7]! - R[4]! * R[6]!);
  if (!orthonormal || determinant < 0)
    throw bad(`${what} is not a rotation and a translation; give worldFromCamera without scale or mirror`);
}

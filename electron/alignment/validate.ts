import { UserError } from '../contract/errors.js';
import type { AlignmentProblem } from './types.js';

/** Refuses what can't be aligned, naming the observation; what is merely poor (NaN points, confidences under 1) is read as "no information". */
export function validateProblem({ views, observations, constraints }: AlignmentProblem): void {
  const bad = (message: string) => new UserError('bad-input', message);
  if (views.length === 0) throw bad('there is nothing to align: the problem has no views');
  if (observations.length === 0) throw bad('there is nothing to align: the problem has no observations; check that the photos overlap');
  const sizes = new Map(views.map((view) => [view.photo, view]));
  if (sizes.size !== views.length) throw bad('two views have the same photo: name each photo once');
  observations.forEach((observation, k) => {
    if (observation.views.length === 0) throw bad(`observation ${k} has no views`);
    for (const { photo, width, height, points, confidence } of observation.views) {
      const view = sizes.get(photo);
      if (!view) throw bad(`observation ${k} speaks of a photo that is not among the views: ${photo}`);
      if (view.width !== width || view.height !== height) throw bad(`observation ${k} is ${width}x${height} where its photo's view is ${view.width}x${view.height}; all observations of a photo must have one size: ${photo}`);
      if (points.length !== width * height * 3 || confidence.length !== width * height) throw bad(`observation ${k} holds ${points.length / 3} points and ${confidence.length} confidences for ${width}x${height} pixels: ${photo}`);
    }
  });
  constraints?.forEach((constraint, k) => {
    if (constraint?.focal !== undefined && !(constraint.focal > 0 && Number.isFinite(constraint.focal))) throw bad(`the focal given for view ${k} is ${constraint.focal}; it must be a positive number of pixels`);
    if (constraint?.pose && !constraint.pose.worldFromCamera.every(Number.isFinite)) throw bad(`the pose given for view ${k} is not finite`);
  });
}

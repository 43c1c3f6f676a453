import type { SparseModel } from '../geometry/sparse-model.js';
import { projected } from '../geometry/rays.js';
import type { Camera, PhotoId } from '../geometry/types.js';
import { invertRigid } from '../numerics/linear.js';
import { median } from '../numerics/median.js';

/**
 * How far the points of a scene's sparse model project from where each photo shows them: median distance, pixels of the
 * original photo. The median: a wrong match says nothing about a camera.
 *
 * @param sparse of the scene (sparseOfScene): in its world, parallel to its cameras
 */
export function reprojectionErrors(
  cameras: readonly Camera[],
  { points }: Pick<SparseModel, 'points'>,
): Map<PhotoId, number> {
  const poses = cameras.map(({ worldFromCamera }) => invertRigid(worldFromCamera));
  const errors: number[][] = cameras.map(() => []);
  for (let point = 0; point + 1 < points.offsets.length; point++) {
    const [x, y, z] = points.positions.subarray(3 * point, 3 * point + 3);
    for (let s = points.offsets[point]!; s < points.offsets[point + 1]!; s++) {
      const k = points.trackCamera[s]!;
      const { width, height } = cameras[k]!;
      const seen = projected(cameras[k]!, poses[k]!, [x!, y!, z!]);
      if (!seen) continue;
      const side = Math.max(width, height);
      const u = points.trackAt[2 * s]! * side + (width - 1) / 2;
      const v = points.trackAt[2 * s + 1]! * side + (height - 1) / 2;
      errors[k]!.push(Math.hypot(seen[0] - u, seen[1] - v));
    }
  }
  return new Map(
    cameras.flatMap(({ photo }, k) => {
      const middle = median(errors[k]!);
      return middle === undefined ? [] : [[photo, middle] as const];
    }),
  );
}

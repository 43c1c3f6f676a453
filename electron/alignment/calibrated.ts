import { multiply3, rotationAngle, rotationOf, transpose3 } from '../numerics/linear.js';
import { compose, invert, type Similarity } from '../geometry/similarity.js';
import type { AlignmentState } from './state.js';
import type { AlignmentProblem } from './types.js';

/**
 * Relative poses that close their cycles this well (radians, share of the baseline) come from one adjustment of all
 * cameras.
 */
const CLOSES = { turn: 0.003, shift: 0.03 };

/**
 * Camera poses as the estimator itself calibrated them (Observation.firstFromCamera), when they are of one piece:
 * chained over a spanning tree they must also hold for the observations outside the tree. Relative poses found pair by
 * pair do not, and say nothing that the pointmaps do not say better.
 *
 * @param usable observations; @param viewsOf views of every observation; @param root the view whose camera stays where
 * it is
 * @returns worldFromCamera by view in the state's world and scale; undefined when the estimator has none of one piece
 */
export function calibratedPoses(
  problem: AlignmentProblem,
  state: AlignmentState,
  usable: readonly number[],
  viewsOf: readonly (readonly number[])[],
  root: number,
): Map<number, Similarity> | undefined {
  const ties = usable.flatMap((k) => {
    const poses = problem.observations[k]!.firstFromCamera;
    const [first, ...others] = viewsOf[k]!;
    return others.flatMap((view, i) => {
      const [a, b] = [poses?.[0], poses?.[i + 1]];
      return a && b && view !== first ? [{ a: first!, b: view, relative: compose(invert(pose(a)), pose(b)) }] : [];
    });
  });
  if (ties.length === 0) return undefined;
  const scales = usable.map((k) => state.observations[k]!.scale).sort((p, q) => p - q);
  const scale = scales[scales.length >> 1]!;
  for (const { relative } of ties) relative.translation = relative.translation.map((value) => value * scale);
  const poses = new Map([[root, state.cameras[root]!]]);
  const tree = new Set<object>();
  for (let grown = true; grown;) {
    grown = false;
    for (const tie of ties) {
      if (poses.has(tie.a) === poses.has(tie.b)) continue;
      if (poses.has(tie.a)) poses.set(tie.b, compose(poses.get(tie.a)!, tie.relative));
      else poses.set(tie.a, compose(poses.get(tie.b)!, invert(tie.relative)));
      tree.add(tie);
      grown = true;
    }
  }
  const rest = ties.filter((tie) => !tree.has(tie) && poses.has(tie.a) && poses.has(tie.b));
  if (rest.length === 0) return undefined;
  const turns: number[] = [];
  const shifts: number[] = [];
  for (const { a, b, relative } of rest) {
    const chained = compose(invert(poses.get(a)!), poses.get(b)!);
    turns.push(rotationAngle(multiply3(chained.rotation, transpose3(relative.rotation))));
    shifts.push(
      Math.hypot(...chained.translation.map((value, i) => value - relative.translation[i]!)) /
        Math.max(1e-12, Math.hypot(...relative.translation)),
    );
  }
  return nearlyAll(turns, CLOSES.turn) && nearlyAll(shifts, CLOSES.shift) ? poses : undefined;
}

const nearlyAll = (values: number[], limit: number): boolean =>
  values.filter((value) => value < limit).length >= 0.9 * values.length;

const pose = (m: Float64Array): Similarity => ({
  scale: 1,
  rotation: rotationOf(m),
  translation: Float64Array.of(m[3]!, m[7]!, m[11]!),
});

import { median } from '../numerics/median.js';
import type { PreparedProblem } from './prepared.js';
import type { RecoveredView } from './recover.js';
import type { AlignmentState } from './state.js';

/** A baseline under this share of the depth (half a degree of parallax) says next to nothing of depth or focal. */
const LEAST_BASELINE = 0.01;
/** A photo tied by observations that tell of fewer than this share of its pixels is held by them in name only. */
const LEAST_OVERLAP = 0.03;

/**
 * Says which poses the data hardly holds. These are the two ways in which alignment goes wrong quietly: cameras that
 * only turned (every depth then rests on the estimator alone), and photos that share next to nothing with the others.
 *
 * @param views of one component; @param recovered their depths; @param viewsOf views of every observation; @param
 * usable observations
 * @returns lines for the user
 */
export function conditioningWarnings(
  problem: PreparedProblem,
  state: AlignmentState,
  views: readonly number[],
  recovered: readonly RecoveredView[],
  usable: readonly number[],
  viewsOf: readonly (readonly number[])[],
): string[] {
  if (views.length < 2) return [];
  const depthOf = new Map(views.map((view, k) => [view, middle(recovered[k]!.depth)]));
  const parallax = new Map(views.map((view) => [view, 0]));
  const overlap = new Map(views.map((view) => [view, 0]));
  for (const k of usable) {
    const seen = viewsOf[k]!;
    seen.forEach((view, role) => {
      for (const other of seen) {
        if (other === view) continue;
        const [a, b] = [state.cameras[view]!.translation, state.cameras[other]!.translation];
        const baseline = Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!);
        parallax.set(view, Math.max(parallax.get(view)!, baseline / Math.max(1e-12, depthOf.get(view)!)));
      }
      if (seen.some((other) => other !== view))
        overlap.set(view, Math.max(overlap.get(view)!, problem.observations[k]!.views[role]!.telling));
    });
  }
  const lines: string[] = [];
  const turned = views.filter((view) => parallax.get(view)! < LEAST_BASELINE);
  if (turned.length === views.length)
    lines.push(
      `all ${views.length} photos of a group were taken from one place: depths and focal rest on the estimator alone; take photos from places apart`,
    );
  else if (turned.length > 0)
    lines.push(
      `taken from the place of their neighbours, so that only the estimator tells their depth: ${names(problem, turned)}`,
    );
  const bare = views.filter((view) => overlap.get(view)! < LEAST_OVERLAP);
  if (bare.length > 0) lines.push(`share too little with other photos for a sure place: ${names(problem, bare)}`);
  return lines;
}

const names = (problem: PreparedProblem, views: readonly number[]): string =>
  views.map((view) => problem.views[view]!.photo).join(', ');

function middle(depth: Float32Array): number {
  const sampled: number[] = [];
  for (let k = 0; k < depth.length; k += 37) if (depth[k]! > 0) sampled.push(depth[k]!);
  return median(sampled) ?? 0;
}

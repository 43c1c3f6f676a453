import { median } from '../numerics/median.js';
import { focalFromPointmap } from './resection.js';
import type { PreparedProblem } from './prepared.js';

/** Focal over the long side where nothing tells. */
const DEFAULT_FOCAL = 1.2;
/** Pointmaps of one photo that are asked; their median hardly moves with more. */
const ASKED = 8;

/**
 * A focal for every view to start from, in this order: given; of the earlier solution; expected (EXIF);
 * the estimator's own calibration;
 * the median over the view's pointmaps as first view; what is typical of the other views, in proportion to the long
 * side. With one focal for all, a given one is everyone's.
 *
 * @param principal per view, view pixels
 * @returns view pixels, and which are given and to be held
 */
export function startFocals(
  problem: PreparedProblem,
  principal: readonly (readonly [number, number])[],
): { focal: Float64Array; held: boolean[] } {
  const { views, constraints, observations, initial } = problem;
  const index = new Map(views.map(({ photo }, view) => [photo, view]));
  const hints: number[][] = views.map(() => []);
  const estimates: number[][] = views.map(() => []);
  const known = (view: number): number | undefined =>
    constraints?.[view]?.focal ?? initial?.[view]?.focal ?? constraints?.[view]?.expectedFocal?.focal;
  for (const observation of observations) {
    observation.views.forEach((seen, role) => {
      const view = index.get(seen.photo)!;
      if (known(view) !== undefined) return;
      const hint = observation.focal?.[role];
      if (hint !== undefined && hint > 0 && Number.isFinite(hint)) hints[view]!.push(hint);
      else if (role === 0 && estimates[view]!.length < ASKED) {
        const estimate = focalFromPointmap(seen, principal[view]!);
        if (estimate !== undefined) estimates[view]!.push(estimate);
      }
    });
  }
  const found = views.map((_, view) => known(view) ?? median(hints[view]!) ?? median(estimates[view]!));
  const long = views.map(({ width, height }) => Math.max(width, height));
  const typical =
    median(found.flatMap((value, view) => (value === undefined ? [] : [value / long[view]!]))) ?? DEFAULT_FOCAL;
  const focal = Float64Array.from(found, (value, view) => value ?? typical * long[view]!);
  const held = views.map((_, view) => constraints?.[view]?.focal !== undefined);
  if (problem.sharedFocal) {
    const given = median(held.flatMap((yes, view) => (yes ? [focal[view]!] : [])));
    focal.fill(given ?? median([...focal])!);
    if (given !== undefined) held.fill(true);
  }
  return { focal, held };
}

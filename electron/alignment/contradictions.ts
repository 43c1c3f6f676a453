import { AGREES, medianOfBins } from './depth-maps.js';
import type { PixelKernel } from './pixels.js';
import type { PhotoSamples } from './samples.js';
import type { AlignmentState } from './state.js';

/**
 * An observation contradicts the solved rest when its residual is this many times the typical one, and more than
 * LEAST_RESIDUAL.
 */
const OUTLIER_RATIO = 3;
const LEAST_RESIDUAL = 0.08;

/**
 * Residual of every observation at the kernel's accepted depths: the weighted median distance over depth, of its worse
 * view.
 */
export function observationResiduals(
  pixels: PixelKernel,
  photos: readonly PhotoSamples[],
  state: AlignmentState,
): Map<number, number> {
  const residuals = new Map<number, number>();
  photos.forEach((photo, k) => {
    const { histogram, bins } = pixels.judge(k, state, AGREES);
    photo.targets.forEach((observation, t) => {
      residuals.set(
        observation,
        Math.max(residuals.get(observation) ?? 0, medianOfBins(histogram.subarray(t * bins, (t + 1) * bins))),
      );
    });
  });
  return residuals;
}

/**
 * Observations that contradict the solution, worst first. One that alone holds a part of the graph stays: a doubtful
 * place is better than none, and its residual is told.
 *
 * @param usable observations in the solution
 * @param viewsOf views of every observation
 */
export function contradicting(
  residuals: ReadonlyMap<number, number>,
  usable: readonly number[],
  viewsOf: readonly (readonly number[])[],
): Set<number> {
  const sorted = [...residuals.values()].sort((a, b) => a - b);
  const limit = Math.max(LEAST_RESIDUAL, OUTLIER_RATIO * (sorted[Math.floor(0.35 * sorted.length)] ?? 0));
  const suspects = usable
    .filter((k) => residuals.get(k)! > limit)
    .sort((a, b) => residuals.get(b)! - residuals.get(a)!);
  const dropped = new Set<number>();
  const parts = countParts(usable, viewsOf);
  for (const suspect of suspects) {
    const rest = usable.filter((k) => k !== suspect && !dropped.has(k));
    const left = countParts(rest, viewsOf);
    if (left.parts === parts.parts && left.views === parts.views) dropped.add(suspect);
  }
  return dropped;
}

function countParts(
  observations: readonly number[],
  viewsOf: readonly (readonly number[])[],
): { parts: number; views: number } {
  const parent = new Map<number, number>();
  const rootOf = (view: number): number => {
    const up = parent.get(view) ?? view;
    if (up === view) return view;
    const root = rootOf(up);
    parent.set(view, root);
    return root;
  };
  for (const k of observations) for (const view of viewsOf[k]!) parent.set(rootOf(view), rootOf(viewsOf[k]![0]!));
  const views = new Set(observations.flatMap((k) => viewsOf[k]!));
  return { parts: new Set([...views].map(rootOf)).size, views: views.size };
}

import { assemble, evaluate, layOut, takeStep } from './reduced-system.js';
import type { PhotoSamples } from './samples.js';
import type { AlignmentState, Freedom } from './state.js';
import type { AlignmentOptions } from './types.js';

export interface Level {
  name: string;
  photos: PhotoSamples[];
  /** Norm smoothing in world units: coarse 0.7 % of the depth; finer than 0.15 % stalls, coarser than 2 % biases. */
  smoothing: number;
  steps: number;
}

/** A decrease under this share ends IRLS (beta 0) and begins near-Newton steps (BETA). */
const CREEPING = 0.02;
const BETA = 0.95;
const CONVERGED = 2e-5;

/**
 * Levenberg-Marquardt on the reduced system, on one level of pixels.
 *
 * @returns the state at the lowest objective found and the number of steps
 */
export function solveLevel(start: AlignmentState, level: Level, freedom: Freedom, options: AlignmentOptions, iteration: number, newton: boolean): { state: AlignmentState; iteration: number; objective: number } {
  const { photos, smoothing } = level;
  const newDepths = () => start.cameras.map((_, view) => new Float64Array(photos.find((photo) => photo.view === view)?.count ?? 0));
  let state = start;
  let depths: Float64Array[] = newDepths();
  let objective = evaluate(state, photos, depths, smoothing);
  const layout = layOut(state, freedom);
  if (layout.size === 0) return { state, iteration, objective };
  let beta = newton ? BETA : 0;
  let damping = 1e-4;
  for (let step = 0; step < level.steps; step++) {
    options.signal?.throwIfAborted();
    const equations = assemble(state, photos, depths, layout, smoothing, beta);
    let next: { state: AlignmentState; objective: number; depths: Float64Array[] } | undefined;
    for (let attempt = 0; attempt < 5; attempt++) {
      const moved = takeStep(state, equations, layout, damping);
      if (moved) {
        const trial = depths.map((depth) => depth.slice());
        const value = evaluate(moved, photos, trial, smoothing);
        if (value < objective) {
          next = { state: moved, objective: value, depths: trial };
          break;
        }
      }
      damping = Math.max(damping, 1e-6) * 30;
    }
    iteration++;
    if (!next) {
      if (beta === 0) break;
      // Newton's matrix does not help from here: one careful step, then stop.
      beta = 0;
      damping = 1e-4;
      continue;
    }
    const decrease = (objective - next.objective) / objective;
    ({ state, objective, depths } = next);
    damping = Math.max(1e-8, damping / 10);
    options.onStep?.({ iteration, objective, level: level.name });
    if (beta === 0 && decrease < CREEPING) beta = BETA;
    else if (decrease < CONVERGED) break;
  }
  return { state, iteration, objective };
}

import { LinearSystem } from './linear-system.js';
import { PixelKernel } from './pixels.js';
import { addScaleGradient, assemble, layOut, priorCost, scaleNorm, takeStep } from './reduced-system.js';
import type { PhotoSamples } from './samples.js';
import type { AlignmentState, Freedom } from './state.js';
import type { AlignmentOptions } from './types.js';

export interface Level {
  name: string;
  photos: PhotoSamples[];
  /** Norm smoothing in world units: coarse 0.7 % of the depth; finer than 0.15 % stalls, coarser than 2 % biases. */
  smoothing: number;
  steps: number;
  /** A decrease under this share ends the level. */
  converged: number;
}

/** A decrease under this share ends IRLS (beta 0) and begins near-Newton steps (BETA). */
const CREEPING = 0.02;
const BETA = 0.95;
/** Relative step of a difference quotient. */
const SMALL = 1e-3;

export interface LevelResult {
  /** At the lowest objective found. */
  state: AlignmentState;
  iteration: number;
  objective: number;
  /** Holds the depths at that state. */
  pixels: PixelKernel;
}

/**
 * Levenberg-Marquardt on the reduced system, on one level of pixels.
 *
 * @param viewsOf views of every observation
 * @param newton the state is near already: begin with near-Newton steps
 */
export async function solveLevel(
  start: AlignmentState,
  level: Level,
  freedom: Freedom,
  viewsOf: readonly (readonly number[])[],
  options: AlignmentOptions,
  iteration: number,
  newton: boolean,
): Promise<LevelResult> {
  const { photos } = level;
  const pixels = new PixelKernel(photos);
  // The smoothing is a share of the scene's size: were it a length, a scene whose size is free would grow to be
  // smoothed less.
  const smoothingOf = (state: AlignmentState): number => (level.smoothing * scaleNorm(start)) / scaleNorm(state);
  const costOf = (state: AlignmentState): number =>
    scaleNorm(state) * pixels.evaluate(state, smoothingOf(state)) + priorCost(state, freedom);
  let state = start;
  let objective = costOf(state);
  pixels.accept();
  const layout = layOut(state, freedom, viewsOf);
  if (layout.size === 0) return { state, iteration, objective, pixels };
  const system = new LinearSystem(layout.size);
  let beta = newton ? BETA : 0;
  let damping = 1e-4;
  for (let step = 0; step < level.steps; step++) {
    // The event loop gets a turn, so that a cancel can arrive and a window's questions are answered.
    await new Promise((resolve) => setImmediate(resolve));
    options.signal?.throwIfAborted();
    const smoothing = smoothingOf(state);
    assemble(system, pixels, photos, state, freedom, layout, smoothing, beta);
    if (freedom.scaled) {
      const value = (objective - priorCost(state, freedom)) / scaleNorm(state);
      const more = pixels.evaluate(state, smoothing * (1 + SMALL));
      addScaleGradient(system, layout, value - (more - value) / SMALL);
    }
    let next: { state: AlignmentState; objective: number } | undefined;
    for (let attempt = 0; attempt < 5 && !next; attempt++) {
      const moved = takeStep(state, system, layout, damping, !freedom.scaled);
      const value = moved ? costOf(moved) : Infinity;
      if (moved && value < objective) next = { state: moved, objective: value };
      else damping = Math.max(damping, 1e-6) * 30;
    }
    iteration++;
    if (!next) {
      if (beta === 0) break;
      // Newton's matrix does not help from here: one careful step, then stop.
      beta = 0;
      damping = 1e-4;
      continue;
    }
    pixels.accept();
    const decrease = (objective - next.objective) / objective;
    ({ state, objective } = next);
    damping = Math.max(1e-8, damping / 10);
    options.onStep?.({ iteration, objective, level: level.name });
    if (beta === 0 && decrease < CREEPING) beta = BETA;
    else if (decrease < level.converged) break;
  }
  return { state, iteration, objective, pixels };
}

import { rigid } from '../geometry/linear.js';
import type { Similarity } from '../geometry/similarity.js';
import type { RecoveredDepth } from './depth-maps.js';
import { initialise, type Initialisation } from './initialise.js';
import { startFocals } from './focals.js';
import { PixelKernel } from './pixels.js';
import { recoverDepths } from './recover.js';
import { samplePhotos, type PhotoSamples } from './samples.js';
import { solveLevel, type Level } from './solver.js';
import type { AlignmentState, Freedom } from './state.js';
import type { AlignedComponent, AlignmentOptions, AlignmentProblem, AlignmentResult, ObservationReport } from './types.js';
import { validateProblem } from './validate.js';

export type * from './types.js';

/** Pixels per photo of the two levels that are solved; the fine one takes more where FINE_WORK allows. All pixels are used for the depths at the end. */
const LEVELS = [
  { name: 'coarse', pixels: 700, smoothing: 0.0065, steps: 12, converged: 2e-5 },
  { name: 'fine', pixels: 2800, smoothing: 0.0004, steps: 8, converged: 1e-5 },
] as const;
/**
 * Multiplications of one assembly that a small problem may spend on more pixels: 2,800 of 12,288 pixels a photo leave the rotations
 * of six photos at 0.37 degrees, all of them at 0.32 (with smoothing 0.0004 instead of 0.0017), for 0.1 s.
 */
const FINE_WORK = 4e8;
/** The geometric mean of the observations' scales, as the objective demands. */
const MEAN_SCALE = 0.5;

/**
 * Global alignment: poses, focals and depth maps that agree best with all observations (Wang et al., "DUSt3R", CVPR 2024, section 3.4,
 * solved to convergence). Deterministic.
 *
 * @throws UserError when the problem makes no sense (sizes that don't match, no observations); the signal's reason when aborted
 */
export async function align(problem: AlignmentProblem, options: AlignmentOptions = {}): Promise<AlignmentResult> {
  const started = performance.now();
  validateProblem(problem);
  const principal = problem.views.map(({ width, height }, k) => problem.constraints?.[k]?.principalPoint ?? ([width / 2, height / 2] as [number, number]));
  const { focal, held: known } = startFocals(problem, principal);
  const start = initialise(problem, principal, focal);
  const warnings: string[] = [];
  const reports: ObservationReport[] = problem.observations.map((_, index) => ({ index, residual: start.registrations[index]!.cost, rejected: start.registrations[index]!.rejected }));
  const components: AlignedComponent[] = [];
  const viewResidual = new Float64Array(problem.views.length);
  let iterations = 0;
  let objective = 0;
  let objectiveInitial = 0;
  for (const views of start.components) {
    const solved = await solveComponent(problem, start, views, principal, known, options, iterations);
    iterations = solved.iterations;
    objective += solved.component.objective;
    objectiveInitial += solved.initial;
    components.push(solved.component);
    views.forEach((view, k) => {
      viewResidual[view] = solved.recovered[k]!.residual;
    });
    solved.residuals.forEach((residual, index) => {
      reports[index]!.residual = residual;
    });
  }
  const placed = new Set(start.components.flat());
  const unplaced = problem.views.map((_, k) => k).filter((k) => !placed.has(k));
  const rejected = reports.filter((report) => report.rejected).length;
  if (rejected > 0) warnings.push(`${rejected} of ${reports.length} observations contradict the rest and were left out`);
  if (components.length > 1) warnings.push(`the photos fall into ${components.length} groups that share nothing; each was aligned alone`);
  return { components, unplaced, observations: reports, viewResidual, warnings, objective, objectiveInitial, iterations, seconds: (performance.now() - started) / 1000 };
}

function medianOf(values: number[]): number | undefined {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

interface Solved {
  component: AlignedComponent;
  recovered: RecoveredDepth[];
  residuals: Map<number, number>;
  iterations: number;
  initial: number;
}

async function solveComponent(problem: AlignmentProblem, start: Initialisation, views: readonly number[], principal: readonly [number, number][], known: readonly boolean[], options: AlignmentOptions, iterations: number): Promise<Solved> {
  const inside = new Set(views);
  const photoIndex = new Map(problem.views.map(({ photo }, k) => [photo, k]));
  const usable = problem.observations.flatMap((observation, k) => (start.state.observations[k] && observation.views.every(({ photo }) => inside.has(photoIndex.get(photo)!)) ? [k] : []));
  const viewsOf = problem.observations.map((observation) => observation.views.map(({ photo }) => photoIndex.get(photo)!));
  let state: AlignmentState = restrict(start.state, inside, usable);
  state = rescale(state, usable);
  const freedom: Freedom = {
    camera: problem.views.map((_, k) => inside.has(k) && k !== views[0]),
    focal: problem.views.map((_, k) => inside.has(k) && !known[k]),
    sharedFocal: problem.sharedFocal ?? false,
    rough: problem.views.map(() => undefined),
    scaled: false,
  };
  const begun = state;
  let sampled = { first: 1, last: 1 };
  let depthScale = 1;
  for (const [index, { name, pixels, smoothing, steps, converged }] of LEVELS.entries()) {
    const photos = samplesAt(problem, usable, index === 0 ? pixels : Math.max(pixels, affordable(problem, usable)), principal);
    if (index === 0) {
      const kernel = new PixelKernel(photos);
      kernel.evaluate(state, 1e-9);
      kernel.accept();
      depthScale = typicalDepth(photos.map((_, k) => kernel.depths(k)));
    }
    const level: Level = { name, photos, smoothing: smoothing * depthScale, steps, converged };
    const solved = await solveLevel(state, level, freedom, viewsOf, options, iterations, index > 0);
    state = solved.state;
    iterations = solved.iteration;
    if (index === LEVELS.length - 1) sampled = { first: objectiveOf(begun, photos, depthScale), last: objectiveOf(state, photos, depthScale) };
    // The event loop gets a turn between levels, so that a cancel can arrive.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const recovered = await recoverDepths(problem, usable, state, views, principal, depthScale, options);
  const perObservation = new Map<number, number[]>();
  let objective = 0;
  for (const depth of recovered) {
    objective += depth.objective;
    depth.targets.forEach((observation, t) => {
      if (!perObservation.has(observation)) perObservation.set(observation, []);
      perObservation.get(observation)!.push(depth.targetResiduals[t]!);
    });
  }
  const residuals = new Map([...perObservation].map(([observation, values]) => [observation, Math.max(...values)]));
  const component: AlignedComponent = {
    views: [...views],
    worldFromCamera: views.map((view) => rigid(state.cameras[view]!.rotation, state.cameras[view]!.translation)),
    focal: Float64Array.from(views, (view) => state.focal[view]!),
    principalPoint: views.map((view) => principal[view]!),
    depth: recovered.map(({ depth }) => depth), confidence: recovered.map(({ confidence }) => confidence), objective,
  };
  // The objective of the start is told from the sampled pixels: a full pass for it would take as long as the solution.
  return { component, recovered, residuals, iterations, initial: (objective * sampled.first) / sampled.last };
}

function objectiveOf(state: AlignmentState, photos: readonly PhotoSamples[], depthScale: number): number {
  return new PixelKernel(photos).evaluate(state, 1e-4 * depthScale);
}

/** Pixels a photo for FINE_WORK: each costs half the square of seven unknowns for every time that the photo was seen. */
function affordable(problem: AlignmentProblem, usable: readonly number[]): number {
  const seen = new Map<string, number>();
  for (const k of usable) for (const { photo } of problem.observations[k]!.views) seen.set(photo, (seen.get(photo) ?? 0) + 1);
  return Math.floor(FINE_WORK / [...seen.values()].reduce((sum, times) => sum + (7 * times + 1) ** 2 / 2, 0));
}

function samplesAt(problem: AlignmentProblem, usable: readonly number[], pixels: number, principal: readonly [number, number][]): PhotoSamples[] {
  const largest = Math.max(...problem.views.map(({ width, height }) => width * height));
  return samplePhotos(problem, usable, Math.max(1, Math.round(Math.sqrt(largest / pixels))), principal);
}

function typicalDepth(depths: readonly Float64Array[]): number {
  const positive = depths.flatMap((depth) => Array.from(depth).filter((value) => value > 0));
  return medianOf(positive) ?? 1;
}

function restrict(state: AlignmentState, inside: ReadonlySet<number>, usable: readonly number[]): AlignmentState {
  const used = new Set(usable);
  return {
    cameras: state.cameras.map((camera, k) => (inside.has(k) ? camera : undefined)),
    focal: state.focal,
    observations: state.observations.map((similarity, k) => (used.has(k) ? similarity : undefined)),
  };
}

/** Brings the geometric mean of the scales to MEAN_SCALE, about the world's origin. */
function rescale(state: AlignmentState, usable: readonly number[]): AlignmentState {
  const mean = Math.exp(usable.reduce((sum, k) => sum + Math.log(state.observations[k]!.scale), 0) / Math.max(1, usable.length));
  const factor = MEAN_SCALE / mean;
  const grow = (similarity: Similarity | undefined, withScale: boolean) => similarity && { ...similarity, scale: withScale ? similarity.scale * factor : 1, translation: similarity.translation.map((value) => value * factor) };
  return { cameras: state.cameras.map((camera) => grow(camera, false)), focal: state.focal, observations: state.observations.map((observation) => grow(observation, true)) };
}

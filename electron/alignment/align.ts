import { WorkerPool } from '../compute/pool.js';
import type { Observation } from '../geometry/types.js';
import { rigid } from '../numerics/linear.js';
import { affordable, FINE_PIXELS, type SolvedPart } from './component.js';
import { conditioningWarnings } from './conditioning.js';
import { prepare, type PreparedProblem } from './prepared.js';
import { recoverDepths, type RecoveredView } from './recover.js';
import { scaleNorm } from './reduced-system.js';
import { principalPoints, solveProblem, viewsOfObservations, type Solution } from './solve.js';
import type { SolveRequest } from './solve-worker.js';
import type {
  AlignedComponent,
  AlignmentOptions,
  AlignmentProblem,
  AlignmentResult,
  ObservationReport,
  StoredObservation,
} from './types.js';
import { validateProblem } from './validate.js';

export type * from './types.js';

const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './solve-worker.ts' : './solve-worker.js', import.meta.url);
/** How often the worker's steps are told on, milliseconds. */
const TELL = 200;

/**
 * Global alignment: poses, focals and depth maps that agree best with all observations (Wang et al., "DUSt3R", CVPR
 * 2024, section 3.4, solved to convergence). Cameras that a bundle adjustment knows are final. Deterministic. Stored
 * observations are solved in a thread of their own from their digests, and their pointmaps decoded in others.
 *
 * @throws UserError when the problem makes no sense (sizes that don't match, no observations); DamagedObservation when
 * a stored pointmap can't be read; the signal's reason when aborted
 */
export async function align(
  given: AlignmentProblem<Observation | StoredObservation>,
  options: AlignmentOptions = {},
): Promise<AlignmentResult> {
  const started = performance.now();
  validateProblem(given);
  const problem = prepare(given);
  const all = problem.observations.map((_, k) => k);
  const large = affordable(problem, all) <= 1.5 * FINE_PIXELS;
  const { parts, registrations } =
    problem.stored && large ? await solveApart(problem, options) : await solveProblem(problem, options);
  const reports = registrations.map(({ cost, rejected }, index): ObservationReport => ({
    index,
    residual: cost,
    rejected,
  }));
  const warnings: string[] = [];
  const components: AlignedComponent[] = [];
  const viewResidual = new Float64Array(problem.views.length);
  let iterations = 0;
  let objective = 0;
  let objectiveInitial = 0;
  for (const part of parts) {
    const { component, recovered } = await withDepths(problem, part, options);
    warnings.push(...part.warnings, ...conditioning(problem, part, recovered));
    iterations = Math.max(iterations, part.iterations);
    objective += component.objective;
    objectiveInitial += component.objective * part.ratio;
    components.push(component);
    report(reports, viewResidual, part, recovered);
  }
  const placed = new Set(components.flatMap(({ views }) => views));
  const unplaced = problem.views.map((_, k) => k).filter((k) => !placed.has(k));
  const rejected = reports.filter((each) => each.rejected).length;
  if (rejected > 0)
    warnings.push(`${rejected} of ${reports.length} observations contradict the rest and were left out`);
  if (components.length > 1)
    warnings.push(`the photos fall into ${components.length} groups that share nothing; each was aligned alone`);
  return {
    components,
    unplaced,
    observations: reports,
    viewResidual,
    warnings,
    objective,
    objectiveInitial,
    iterations,
    seconds: (performance.now() - started) / 1000,
  };
}

/** The solution, from a thread of its own. The digests' samples move there; what is left of them are the numbers. */
async function solveApart(problem: PreparedProblem, { signal, onStep }: AlignmentOptions): Promise<Solution> {
  const pool = new WorkerPool(workerUrl, 1);
  const steps = new Int32Array(new SharedArrayBuffer(4));
  let told = 0;
  const telling = setInterval(() => {
    const iteration = Atomics.load(steps, 0);
    if (iteration > told) onStep?.({ iteration: (told = iteration), objective: NaN, level: '' });
  }, TELL);
  try {
    const request: SolveRequest = {
      problem: { ...problem, observations: problem.observations.map(({ full: _, ...digest }) => digest) },
      steps,
    };
    const transfer = problem.observations.flatMap(({ views }) =>
      views.flatMap(({ cloud, grid }) => [cloud.points, cloud.weights, grid.points, grid.weights]),
    );
    const buffers = transfer.map(({ buffer }) => buffer as ArrayBuffer);
    return await pool.run<Solution>(request, { transfer: buffers, ...(signal ? { signal } : {}) });
  } finally {
    clearInterval(telling);
    await pool.close();
  }
}

async function withDepths(
  problem: PreparedProblem,
  { views, state, usable, placed, depthScale, gathered }: SolvedPart,
  options: AlignmentOptions,
): Promise<{ component: AlignedComponent; recovered: RecoveredView[] }> {
  const principal = principalPoints(problem);
  const recovered = await recoverDepths(
    { problem, usable, state, views, principal, scale: depthScale, gathered, placed },
    options,
  );
  const component: AlignedComponent = {
    views: [...views],
    worldFromCamera: views.map((view) => rigid(state.cameras[view]!.rotation, state.cameras[view]!.translation)),
    focal: Float64Array.from(views, (view) => state.focal[view]!),
    principalPoint: views.map((view) => principal[view]!),
    depth: recovered.map(({ depth }) => depth),
    confidence: recovered.map(({ confidence }) => confidence),
    inferred: recovered.map(({ inferred }) => inferred),
    sky: recovered.map(({ sky }) => sky),
    objective: recovered.reduce((sum, { objective }) => sum + objective * scaleNorm(state), 0),
  };
  return { component, recovered };
}

function conditioning(problem: PreparedProblem, part: SolvedPart, recovered: readonly RecoveredView[]): string[] {
  return conditioningWarnings(problem, part.state, part.views, recovered, part.usable, viewsOfObservations(problem));
}

function report(
  reports: ObservationReport[],
  viewResidual: Float64Array,
  { views, dropped }: SolvedPart,
  recovered: readonly RecoveredView[],
): void {
  const residuals = new Map<number, number>();
  recovered.forEach(({ targets, targetResiduals, residual }, k) => {
    viewResidual[views[k]!] = residual;
    targets.forEach((observation, t) =>
      residuals.set(observation, Math.max(residuals.get(observation) ?? 0, targetResiduals[t]!)),
    );
  });
  for (const [index, residual] of residuals) reports[index]!.residual = residual;
  for (const [index, residual] of dropped) Object.assign(reports[index]!, { residual, rejected: true });
}

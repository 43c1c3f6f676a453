import { anchorsOf } from './anchors.js';
import { calibratedGroups, placeOnCameras, withPieceHeld } from './calibrated.js';
import { solveComponent, type Setting } from './component.js';
import { startFocals } from './focals.js';
import { initialise } from './initialise.js';
import type {
  AlignedComponent,
  AlignmentOptions,
  AlignmentProblem,
  AlignmentResult,
  ObservationReport,
} from './types.js';
import { validateProblem } from './validate.js';

export type * from './types.js';

/**
 * Global alignment: poses, focals and depth maps that agree best with all observations (Wang et al., "DUSt3R", CVPR
 * 2024, section 3.4, solved to convergence). Deterministic.
 *
 * @throws UserError when the problem makes no sense (sizes that don't match, no observations); the signal's reason when
 * aborted
 */
export async function align(given: AlignmentProblem, options: AlignmentOptions = {}): Promise<AlignmentResult> {
  const started = performance.now();
  validateProblem(given);
  const index = new Map(given.views.map(({ photo }, view) => [photo, view]));
  const viewsOf = given.observations.map((observation) => observation.views.map(({ photo }) => index.get(photo)!));
  const groups = calibratedGroups(given.sparse, viewsOf);
  const problem = withPieceHeld(given, { anchors: anchorsOf(given), viewsOf });
  const principal = problem.views.map(
    ({ width, height }, k) => problem.constraints?.[k]?.principalPoint ?? ([width / 2, height / 2] as [number, number]),
  );
  const { focal, held: focalHeld } = startFocals(problem, principal);
  const setting: Setting = { problem, options, principal, focalHeld, anchors: anchorsOf(problem), viewsOf };
  // What the bundle has solved takes no part in what is solved here.
  const solvedAlready = new Set(groups.flatMap(({ observations }) => observations));
  const left = viewsOf.map((views, k) => (solvedAlready.has(k) ? [] : views));
  const start = initialise(problem, left, principal, focal);
  const warnings: string[] = [];
  const reports: ObservationReport[] = problem.observations.map((_, index) => ({
    index,
    residual: start.registrations[index]!.cost,
    rejected: start.registrations[index]!.rejected,
  }));
  const components: AlignedComponent[] = [];
  const viewResidual = new Float64Array(problem.views.length);
  let iterations = 0;
  let objective = 0;
  let objectiveInitial = 0;
  const placed = new Set<number>();
  const parts = [...groups.map(({ views }) => views), ...start.components];
  for (const [part, views] of parts.entries()) {
    const solved =
      part < groups.length
        ? await placeOnCameras(setting, groups[part]!, focal)
        : await solveComponent(setting, start.state, views, iterations);
    for (const view of views) placed.add(view);
    warnings.push(...solved.warnings);
    iterations = Math.max(iterations, solved.iterations);
    objective += solved.component.objective;
    objectiveInitial += solved.initial;
    components.push(solved.component);
    views.forEach((view, k) => {
      viewResidual[view] = solved.recovered[k]!.residual;
    });
    solved.residuals.forEach((residual, index) => {
      reports[index]!.residual = residual;
      if (solved.dropped.has(index)) reports[index]!.rejected = true;
      else if (part < groups.length) reports[index]!.rejected = false;
    });
  }
  components.sort((p, q) => q.views.length - p.views.length);
  const unplaced = problem.views.map((_, k) => k).filter((k) => !placed.has(k));
  const rejected = reports.filter((report) => report.rejected).length;
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

import { anchorsOf } from './anchors.js';
import { calibratedGroups, placeOnCameras, withPieceHeld } from './calibrated.js';
import { solveComponent, type Setting, type SolvedPart } from './component.js';
import { startFocals } from './focals.js';
import { initialise } from './initialise.js';
import type { PreparedProblem } from './prepared.js';
import type { Registration } from './ties.js';
import type { AlignmentOptions } from './types.js';

/** Everything of a problem but the depths. */
export interface Solution {
  /** Largest first. */
  parts: SolvedPart[];
  /** Per observation, before anything was solved; those on calibrated cameras count as registered. */
  registrations: Registration[];
}

export const viewsOfObservations = ({ views, observations }: PreparedProblem): number[][] => {
  const index = new Map(views.map(({ photo }, view) => [photo, view]));
  return observations.map((observation) => observation.views.map(({ photo }) => index.get(photo)!));
};

/** Per view, view pixels: as given, or the centre. */
export const principalPoints = ({ views, constraints }: PreparedProblem): [number, number][] =>
  views.map(({ width, height }, k) => constraints?.[k]?.principalPoint ?? [width / 2, height / 2]);

/** Solves poses, focals and similarities, from the digests alone as long as the problem is not a small one. */
export async function solveProblem(given: PreparedProblem, options: AlignmentOptions): Promise<Solution> {
  const viewsOf = viewsOfObservations(given);
  const groups = calibratedGroups(given.sparse, viewsOf);
  const problem = withPieceHeld(given, { anchors: anchorsOf(given), viewsOf });
  const principal = principalPoints(problem);
  const { focal, held: focalHeld } = startFocals(problem, principal);
  const setting: Setting = { problem, options, principal, focalHeld, anchors: anchorsOf(problem), viewsOf };
  // What the bundle has solved takes no part in what is solved here.
  const solvedAlready = new Set(groups.flatMap(({ observations }) => observations));
  const left = viewsOf.map((views, k) => (solvedAlready.has(k) ? [] : views));
  const start = initialise(problem, left, principal, focal);
  const parts = groups.map((group) => placeOnCameras(setting, group, focal));
  let iterations = 0;
  for (const views of start.components) {
    const part = await solveComponent(setting, start.state, views, iterations);
    iterations = part.iterations;
    parts.push(part);
  }
  parts.sort((p, q) => q.views.length - p.views.length);
  return {
    parts,
    registrations: start.registrations.map((registration, k) =>
      solvedAlready.has(k) ? { cost: 0, rejected: false } : registration,
    ),
  };
}

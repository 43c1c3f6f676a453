import { serve } from '../compute/serve.js';
import type { PreparedObservation, PreparedProblem } from './prepared.js';
import { solveProblem } from './solve.js';

/** A problem whose pointmaps stay where they are: its digests are all that is needed. */
export interface SolveRequest {
  problem: Omit<PreparedProblem, 'observations'> & { observations: Omit<PreparedObservation, 'full'>[] };
  /** [1] shared: the number of steps made. */
  steps: Int32Array;
}

serve(async ({ problem, steps }: SolveRequest) => {
  const observations = problem.observations.map((digest) => ({
    ...digest,
    full: (): never => {
      throw new Error('a large problem is solved from its digests');
    },
  }));
  const solution = await solveProblem(
    { ...problem, observations },
    { onStep: ({ iteration }) => Atomics.store(steps, 0, iteration) },
  );
  // Samples are the problem's size again, and serve only small ones.
  for (const part of solution.parts) part.gathered = [];
  return { value: solution };
});

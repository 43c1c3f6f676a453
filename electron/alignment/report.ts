import { align } from './align.js';
import { readAlignmentProblem } from './problem-file.js';
import type { AlignmentOptions, AlignmentResult } from './types.js';

/** What `pointmap align --json` prints. */
export interface AlignmentReport {
  objective: number;
  objectiveInitial: number;
  iterations: number;
  seconds: number;
  /** [N] view pixels; null for photos that could not be placed. */
  focal: (number | null)[];
  /** [N][16] row-major; null for photos that could not be placed. */
  worldFromCamera: (number[] | null)[];
  /** Index of the connected component, 0 the largest; null for photos that could not be placed. */
  component: (number | null)[];
  observations: { residual: number; rejected: boolean }[];
  warnings: string[];
}

/** Aligns a problem file (problem-file.ts). */
export async function alignFile(path: string, options: AlignmentOptions = {}): Promise<AlignmentReport> {
  const problem = readAlignmentProblem(path);
  return reportOf(problem.views.length, await align(problem, options));
}

export function reportOf(count: number, result: AlignmentResult): AlignmentReport {
  const focal: (number | null)[] = new Array(count).fill(null);
  const worldFromCamera: (number[] | null)[] = new Array(count).fill(null);
  const component: (number | null)[] = new Array(count).fill(null);
  result.components.forEach((aligned, k) =>
    aligned.views.forEach((view, i) => {
      focal[view] = aligned.focal[i]!;
      worldFromCamera[view] = Array.from(aligned.worldFromCamera[i]!);
      component[view] = k;
    }),
  );
  const { objective, objectiveInitial, iterations, seconds, warnings } = result;
  return {
    objective,
    objectiveInitial,
    iterations,
    seconds,
    focal,
    worldFromCamera,
    component,
    observations: result.observations.map(({ residual, rejected }) => ({ residual, rejected })),
    warnings,
  };
}

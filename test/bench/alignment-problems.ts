import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAlignmentProblem } from '../../electron/alignment/problem-file.js';
import type { AlignmentProblem } from '../../electron/alignment/types.js';
import { rotationFromVector } from '../../electron/numerics/linear.js';
import type { ObservedView } from '../../electron/geometry/types.js';
import { normalNumbers } from '../fixtures/room.js';

/** Python with NumPy and SciPy; outside the checkout. */
export const generator = '../shared/reference/alignment/make_problem.py';

export interface Recipe {
  seed: number;
  views: number;
  width: number;
  height: number;
  focal: number;
}

export interface GeneratedProblem {
  problem: AlignmentProblem;
  /** [16] worldFromCamera per view. */
  truth: Float64Array[];
}

/** Runs the generator; every ordered pair is an observation. Throws its last line when it fails. */
export function generate(folder: string, { seed, views, width, height, focal }: Recipe): GeneratedProblem {
  const path = join(folder, `${seed}-${views}.safetensors`);
  const made = spawnSync(
    '/usr/bin/python3',
    [
      generator,
      path,
      '--seed',
      `${seed}`,
      '--views',
      `${views}`,
      '--width',
      `${width}`,
      '--height',
      `${height}`,
      '--focal',
      `${focal}`,
    ],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(made.stderr.trim().split('\n').at(-1));
  return { problem: readAlignmentProblem(path), truth: truePoses(path) };
}

/** truth_pose F32 [N, 4, 4] of a problem file. */
function truePoses(path: string): Float64Array[] {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const { truth_pose: entry } = JSON.parse(bytes.subarray(8, 8 + length).toString()) as {
    truth_pose: { shape: number[]; data_offsets: [number, number] };
  };
  return Array.from({ length: entry.shape[0]! }, (_, k) =>
    Float64Array.from({ length: 16 }, (__, i) =>
      bytes.readFloatLE(8 + length + entry.data_offsets[0] + 4 * (16 * k + i)),
    ),
  );
}

/** Only the observations for which `keep` says so, by the numbers of their photos. */
export function restricted(problem: AlignmentProblem, keep: (i: number, j: number) => boolean): AlignmentProblem {
  return {
    ...problem,
    observations: problem.observations.filter(({ views }) => keep(Number(views[0]!.photo), Number(views[1]!.photo))),
  };
}

/**
 * Makes a share of the observations wrong: by turns the second pointmap is that of another pair, or it is right and
 * stands in a wrong place beside the first.
 */
export function spoiled(
  problem: AlignmentProblem,
  share: number,
  seed: number,
): { problem: AlignmentProblem; wrong: Set<number> } {
  const normal = normalNumbers(seed);
  const { length } = problem.observations;
  const wrong = new Set<number>();
  while (wrong.size < Math.round(share * length)) wrong.add(Math.floor(Math.abs(normal()) * 7919) % length);
  const observations = problem.observations.map((observation, e) => {
    if (!wrong.has(e)) return observation;
    const [first, second] = observation.views as [ObservedView, ObservedView];
    if (e % 2) {
      const others = problem.observations.filter(({ views }) => views.every(({ photo }) => photo !== second.photo));
      const other = others[Math.floor(Math.abs(normal()) * 7919) % Math.max(1, others.length)];
      if (other)
        return {
          views: [first, { ...second, points: other.views[1]!.points, confidence: other.views[1]!.confidence }],
        };
    }
    const R = rotationFromVector(0.3 * normal(), 0.5 + Math.abs(normal()), 0.3 * normal());
    const t = [normal(), 0.3 * normal(), normal()];
    const points = second.points.map((_, k) => {
      const row = k % 3;
      const at = k - row;
      return (
        R[3 * row]! * second.points[at]! +
        R[3 * row + 1]! * second.points[at + 1]! +
        R[3 * row + 2]! * second.points[at + 2]! +
        t[row]!
      );
    });
    return { views: [first, { ...second, points }] };
  });
  return { problem: { ...problem, observations }, wrong };
}

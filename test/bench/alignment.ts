/**
 * Global alignment on problems with true cameras: `npm run bench:alignment`. Makes them with ../shared/reference/alignment/make_problem.py
 * where that is present (Python with NumPy and SciPy), and says so where it is not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { align } from '../../electron/alignment/align.js';
import { readAlignmentProblem } from '../../electron/alignment/problem-file.js';
import { poseErrors } from '../fixtures/alignment-problem.js';

const generator = '../shared/reference/alignment/make_problem.py';

const problems = [
  { seed: 3, views: 6, width: 128, height: 96, focal: 110, objective: 0.1232, position: 0.009, rotation: 0.33, seconds: 0.4 },
  { seed: 11, views: 12, width: 160, height: 112, focal: 150, objective: 0.1204, position: 0.006, rotation: 0.2, seconds: 3 },
];

/** truth_pose F32 [N, 4, 4] of a problem file. */
function truePoses(path: string): Float64Array[] {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const { truth_pose: entry } = JSON.parse(bytes.subarray(8, 8 + length).toString()) as { truth_pose: { shape: number[]; data_offsets: [number, number] } };
  return Array.from({ length: entry.shape[0]! }, (_, k) => Float64Array.from({ length: 16 }, (__, i) => bytes.readFloatLE(8 + length + entry.data_offsets[0] + 4 * (16 * k + i))));
}

const mark = (value: number, target: number) => `${value.toFixed(4)} (${value <= target ? 'met' : 'MISSED'}, target ${target})`;

if (!existsSync(generator)) console.log(`skipped: there is no ${generator}`);
else {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-alignment-'));
  for (const { seed, views, width, height, focal, ...target } of problems) {
    const path = join(folder, `${seed}.safetensors`);
    const made = spawnSync('/usr/bin/python3', [generator, path, '--seed', `${seed}`, '--views', `${views}`, '--width', `${width}`, '--height', `${height}`, '--focal', `${focal}`], { encoding: 'utf8' });
    if (made.status !== 0) {
      console.log(`skipped seed ${seed}: ${made.stderr.trim().split('\n').at(-1)}`);
      continue;
    }
    const problem = readAlignmentProblem(path);
    const truth = truePoses(path);
    // The first run compiles the code; the second is what a user's third project sees.
    await align(problem);
    const { components, objective, objectiveInitial, iterations, seconds } = await align(problem);
    const component = components[0]!;
    const errors = poseErrors(component.worldFromCamera, component.views.map((view) => truth[view]!));
    console.log(`seed ${seed}, ${views} views, ${width}x${height}: ${iterations} steps, objective ${objectiveInitial.toFixed(4)} -> ${mark(objective, target.objective)}`);
    console.log(`  position ${mark(errors.position, target.position)}, rotation ${mark(errors.rotation, target.rotation)} deg, seconds ${mark(seconds, target.seconds)}`);
  }
  rmSync(folder, { recursive: true, force: true });
}

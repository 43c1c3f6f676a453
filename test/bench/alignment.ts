/**
 * Global alignment on problems with true cameras: `npm run bench:alignment`, or `-- robustness`, `-- large` for those
 * parts alone. `--all-adam` runs the yardstick (adam.ts) on every problem in full; otherwise the larger one's time is
 * that of 30 steps, times ten. Problems come from ../shared/reference/alignment/make_problem.py where that is present,
 * and it says so where it is not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { align } from '../../electron/alignment/align.js';
import type { AlignmentProblem } from '../../electron/alignment/types.js';
import { poseErrors } from '../fixtures/alignment-problem.js';
import { alignByAdam } from './adam.js';
import { generate, generator, restricted, spoiled } from './alignment-problems.js';

const problems = [
  // What the usual method reaches in 300 steps: objective, and the seconds of PyTorch on two cores.
  {
    seed: 3,
    views: 6,
    width: 128,
    height: 96,
    focal: 110,
    objective: 0.1232,
    position: 0.009,
    rotation: 0.33,
    seconds: 0.4,
    adam: 0.126,
  },
  {
    seed: 11,
    views: 12,
    width: 160,
    height: 112,
    focal: 150,
    objective: 0.1204,
    position: 0.006,
    rotation: 0.2,
    seconds: 3,
    adam: 0.1265,
  },
];
const sizes = [
  { seed: 21, views: 5, width: 96, height: 72, focal: 85 },
  { seed: 22, views: 9, width: 96, height: 72, focal: 85 },
  { seed: 23, views: 20, width: 64, height: 48, focal: 56 },
];
const LEAST_RATIO = 25;

const mark = (value: number, target: number) =>
  `${value.toFixed(4)} (${value <= target ? 'met' : 'MISSED'}, target ${target})`;

/** Of this process; on a machine with other work to do it is steadier than the clock. */
function processorSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function solve(problem: AlignmentProblem, truth: readonly Float64Array[]) {
  const before = process.cpuUsage();
  const result = await align(problem);
  const processor = processorSeconds(before);
  const component = result.components[0]!;
  return {
    ...result,
    processor,
    placed: component.views.length,
    ...poseErrors(
      component.worldFromCamera,
      component.views.map((view) => truth[view]!),
    ),
  };
}

async function accuracyAndSpeed(folder: string, allAdam: boolean): Promise<void> {
  for (const target of problems) {
    const { problem, truth } = generate(folder, target);
    // The first run compiles the code; the best of the next is what a user's third project sees on a machine with other
    // work to do.
    await solve(problem, truth);
    let best = await solve(problem, truth);
    for (let run = 0; run < 2; run++) {
      const next = await solve(problem, truth);
      if (next.processor < best.processor) best = { ...next, seconds: Math.min(next.seconds, best.seconds) };
    }
    console.log(
      `seed ${target.seed}, ${target.views} views, ${target.width}x${target.height}: ${best.iterations} steps, objective ${best.objectiveInitial.toFixed(4)} -> ${mark(best.objective, target.objective)}`,
    );
    console.log(
      `  position ${mark(best.position, target.position)}, rotation ${mark(best.rotation, target.rotation)} deg, seconds ${mark(best.seconds, target.seconds)}, processor ${best.processor.toFixed(2)} s`,
    );
    const full = allAdam || target.views <= 6;
    const before = process.cpuUsage();
    const adam = alignByAdam(problem, full ? 300 : 30);
    const processor = processorSeconds(before) * (full ? 1 : 10);
    const seconds = full ? adam.seconds : adam.seconds * 10;
    const errors = poseErrors(adam.worldFromCamera, truth);
    console.log(
      `  300 Adam steps: ${seconds.toFixed(1)} s${full ? `, objective ${adam.objective.toFixed(4)} (known: ${target.adam}), position ${errors.position.toFixed(4)}, rotation ${errors.rotation.toFixed(3)} deg` : ' (from 30)'}`,
    );
    const ratio = processor / best.processor;
    console.log(
      `  ratio ${ratio.toFixed(1)} by processor time (${ratio >= LEAST_RATIO ? 'met' : 'MISSED'}, target ${LEAST_RATIO}), ${(seconds / best.seconds).toFixed(1)} by the clock`,
    );
  }
}

async function robustness(folder: string): Promise<void> {
  for (const recipe of sizes) {
    const { problem, truth } = generate(folder, recipe);
    const name = `seed ${recipe.seed}, ${recipe.views} views`;
    for (const share of [0.1, 0.25, 0.4]) {
      const spoilt = spoiled(problem, share, recipe.seed + 1);
      const without = await solve(
        { ...problem, observations: problem.observations.filter((_, e) => !spoilt.wrong.has(e)) },
        truth,
      );
      const found = await solve(spoilt.problem, truth);
      const rejected = new Set(found.observations.filter((report) => report.rejected).map(({ index }) => index));
      const missed = [...spoilt.wrong].filter((e) => !rejected.has(e)).length;
      const lost = [...rejected].filter((e) => !spoilt.wrong.has(e)).length;
      console.log(
        `${name}, ${share * 100} % wrong: ${missed} of ${spoilt.wrong.size} missed, ${lost} good ones lost; ${found.placed} placed, position ${without.position.toFixed(4)} without them, ${mark(found.position, Number((1.5 * without.position).toFixed(4)))}, rotation ${without.rotation.toFixed(3)}, ${found.rotation.toFixed(3)} deg`,
      );
    }
    const complete = await solve(problem, truth);
    const sparse: [string, (i: number, j: number) => boolean][] = [
      ['chain of +-1 and +-2', (i, j) => Math.abs(i - j) <= 2],
      ['the same, one direction', (i, j) => j > i && j - i <= 2],
      ['all pairs, one direction', (i, j) => j > i],
    ];
    for (const [graph, keep] of sparse) {
      const fewer = restricted(problem, keep);
      const found = await solve(fewer, truth);
      // Where the same objective leads from the true cameras: a solver that finds this has found what these
      // observations hold.
      const best = await solve(
        { ...fewer, initial: truth.map((worldFromCamera) => ({ worldFromCamera, focal: recipe.focal })) },
        truth,
      );
      console.log(
        `${name}, ${graph}: ${found.placed} placed, position ${complete.position.toFixed(4)} of the complete graph (${fewer.observations.length} of ${problem.observations.length} observations), ${mark(found.position, Number((2 * complete.position).toFixed(4)))}, begun at the truth ${best.position.toFixed(4)}; rotation ${complete.rotation.toFixed(3)}, ${found.rotation.toFixed(3)} deg`,
      );
    }
  }
}

const parts = process.argv.slice(2).filter((part) => !part.startsWith('--'));
const chosen = (part: string): boolean => parts.length === 0 || parts.includes(part);
const folder = mkdtempSync(join(tmpdir(), 'pointmap-alignment-'));
try {
  if (!existsSync(generator)) console.log(`accuracy and robustness skipped: there is no ${generator}`);
  else {
    if (chosen('accuracy')) await accuracyAndSpeed(folder, process.argv.includes('--all-adam'));
    if (chosen('robustness')) await robustness(folder);
  }
  // A process of its own, so that its memory is its own.
  if (chosen('large'))
    spawnSync(process.execPath, ['--import', 'tsx', 'test/bench/alignment-large.ts', 'round'], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunProgress, type ProgressStep } from '../../../electron/engine/run-progress.js';
import { forecastSteps } from '../../../electron/engine/stages.js';
import { Timings } from '../../../electron/engine/timings.js';

const size = { photos: 11, pairs: 55, threads: 2, estimator: 60, sparse: true, detail: 1, lensUnknown: false };
const steps = forecastSteps(size);

/** Plays a run whose sub-steps take `slow` times what is expected; the sparse steps come twice, as they do. */
function play(slow: (step: ProgressStep) => number): { share: number; left: number | undefined; truth: number }[] {
  let now = 100;
  const progress = new RunProgress(forecastSteps({ ...size, photos: 2, pairs: 1, estimator: 1 }), () => now);
  progress.update('photos', 'checking the photos');
  progress.expect(steps);
  const again = steps.filter(({ detail }) => ['calibrating', 'relating pairs', 'placing cameras'].includes(detail));
  const at = steps.findIndex(({ detail }) => detail === 'placing cameras') + 1;
  const road = [
    ...steps.slice(0, at),
    ...again.map((step) => ({ ...step, seconds: step.seconds / 4 })),
    ...steps.slice(at),
  ];
  const seconds = road.map((step) => step.seconds * slow(step));
  const end = now + seconds.reduce((sum, value) => sum + value, 0);
  const told: ReturnType<typeof play> = [];
  road.forEach(({ stage, detail }, k) => {
    for (let tenth = 0; tenth <= 10; tenth++) {
      progress.update(stage, detail, tenth / 10);
      told.push({ share: progress.share, left: progress.secondsLeft, truth: end - now });
      if (tenth < 10) now += seconds[k]! / 10;
    }
  });
  progress.finish();
  told.push({ share: progress.share, left: 0, truth: 0 });
  return told;
}

test('the bar never goes back, though sub-steps come again, and ends full', () => {
  const shares = play(() => 1).map(({ share }) => share);
  shares.forEach((share, k) => expect(share).toBeGreaterThanOrEqual(shares[k - 1] ?? 0));
  expect(shares.at(-1)).toBe(1);
  // Not full long before the end: what comes again weighs little.
  expect(shares.at(-14)).toBeLessThan(0.99);
});

test.each([
  ['as expected', () => 1],
  ['three times slower', () => 3],
  ['twice as fast', () => 0.5],
  ['slow where depth is computed', ({ stage }: ProgressStep) => (stage === 'pointmaps' ? 2.5 : 1)],
])('from 30 %% on the time left is near the truth: %s', (_, slow) => {
  const all = play(slow);
  const told = all.filter(({ truth }) => truth < 0.7 * all[0]!.truth && truth > 3);
  expect(told.length).toBeGreaterThan(10);
  const off = told.map(({ left, truth }) => left! / truth);

  const limit = 0.35;
  expect(Math.max(...off)).toBeLessThan(1 + limit);
  expect(Math.min(...off)).toBeGreaterThan(1 - limit);
});

test('nothing is said before anything is measured; then the clock counts down without a jump', () => {
  const told = play(() => 2);
  expect(told[0]!.left).toBeUndefined();
  const known = told.filter(({ left }) => left !== undefined).slice(0, -1);
  known.slice(1).forEach(({ left, truth }, k) => {
    const before = known[k]!;
    const passed = before.truth - truth;
    // What it says is at most a third off what it said before, less the time that has passed.
    expect(Math.abs(left! - (before.left! - passed))).toBeLessThan(Math.max(3, before.left! / 3));
  });
});

test('sub-steps that nobody expects move nothing', () => {
  const progress = new RunProgress(steps, () => 0);
  progress.update('sparse', 'finding features', 0.5);
  const { share } = progress;
  progress.update('sparse', 'something new', 0.9);
  expect(progress.share).toBe(share);
});

test('a machine learns what it takes, and its range becomes narrow', () => {
  const folder = mkdtempSync(join(tmpdir(), 'timings-'));
  try {
    const timings = new Timings(folder);
    const sum = (list: readonly ProgressStep[]): number => list.reduce((total, { seconds }) => total + seconds, 0);
    const first = timings.range('geometric/normal', steps);
    expect(first[1] / first[0]).toBeGreaterThan(4);
    timings.learn(
      'geometric/normal',
      steps,
      steps.map((step) => ({ ...step, seconds: step.seconds * 3 })),
    );
    // Read from the file by another start of the program.
    const later = new Timings(folder);
    expect(sum(later.apply('geometric/normal', steps)) / sum(steps)).toBeGreaterThan(2.8);
    const [least, most] = later.range('geometric/normal', steps);
    expect(least).toBeLessThan(3 * sum(steps));
    expect(most).toBeGreaterThan(2.8 * sum(steps));
    expect(most / least).toBeLessThan(2);
    expect(sum(later.apply('da3/normal', steps))).toBe(sum(steps));
    // Of a run whose results were there already nothing is learnt.
    later.learn(
      'geometric/normal',
      steps,
      steps.map((step) => ({ ...step, seconds: 0 })),
    );
    expect(sum(later.apply('geometric/normal', steps)) / sum(steps)).toBeGreaterThan(2.8);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

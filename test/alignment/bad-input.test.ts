import { describe, expect, test } from 'vitest';
import { align } from '../../electron/alignment/align.js';
import type { AlignmentResult } from '../../electron/alignment/types.js';
import { rigid, rotationFromVector } from '../../electron/numerics/linear.js';
import type { Observation, ObservedView } from '../../electron/geometry/types.js';
import { makeProblem, poseErrors, type ProblemWithTruth } from '../fixtures/alignment-problem.js';
import { pointmapOf, Room } from '../fixtures/room.js';

const small = (views = 4): ProblemWithTruth => makeProblem({ views, width: 48, height: 36, focal: 42 });

/** Spoils some of the pixels of every view. */
function spoilPixels(
  { observations }: ProblemWithTruth,
  every: number,
  spoil: (view: ObservedView, pixel: number) => void,
): void {
  observations.forEach(({ views }, e) =>
    views.forEach((view) => {
      for (let pixel = e; pixel < view.confidence.length; pixel += every) spoil(view, pixel);
    }),
  );
}

/** No number of a result may be anything but a number, and no depth or scale may be turned over. */
function expectSound({ components, objective, objectiveInitial, observations, viewResidual }: AlignmentResult): void {
  expect(Number.isFinite(objective)).toBe(true);
  expect(Number.isFinite(objectiveInitial)).toBe(true);
  for (const { residual, rejected } of observations) expect(Number.isFinite(residual) || rejected).toBe(true);
  expect(viewResidual.every(Number.isFinite)).toBe(true);
  for (const component of components) {
    expect(component.focal.every((focal) => focal > 0 && focal < 1e5)).toBe(true);
    for (const pose of component.worldFromCamera) expect(pose.every(Number.isFinite)).toBe(true);
    for (const depth of component.depth) expect(depth.every((value) => value >= 0 && value < 1e6)).toBe(true);
    for (const confidence of component.confidence)
      expect(confidence.every((value) => value >= 1 && value < Infinity)).toBe(true);
  }
}

async function soundly(problem: ProblemWithTruth) {
  const result = await align(problem);
  expectSound(result);
  const component = result.components[0];
  const errors =
    component && component.views.length > 2
      ? poseErrors(
          component.worldFromCamera,
          component.views.map((view) => problem.truth[view]!.worldFromCamera),
        )
      : undefined;
  return { ...result, errors };
}

describe('pixels that say nothing', () => {
  test.each<[string, (view: ObservedView, pixel: number) => void]>([
    ['NaN points', ({ points }, pixel) => points.fill(NaN, 3 * pixel, 3 * pixel + 3)],
    ['one NaN coordinate', ({ points }, pixel) => (points[3 * pixel + 1] = NaN)],
    ['infinite points', ({ points }, pixel) => (points[3 * pixel] = pixel % 2 ? Infinity : -Infinity)],
    ['points at the camera', ({ points }, pixel) => points.fill(0, 3 * pixel, 3 * pixel + 3)],
    ['points behind the camera', ({ points }, pixel) => (points[3 * pixel + 2] = -points[3 * pixel + 2]!)],
    [
      'points a million times too far',
      ({ points }, pixel) => [0, 1, 2].forEach((c) => (points[3 * pixel + c] = points[3 * pixel + c]! * 1e6)),
    ],
    ['confidences below 1', ({ confidence }, pixel) => (confidence[pixel] = [0, -3, 0.5][pixel % 3]!)],
    ['confidences that are no numbers', ({ confidence }, pixel) => (confidence[pixel] = pixel % 2 ? NaN : Infinity)],
  ])('%s in a tenth of the pixels do no harm', async (_, spoil) => {
    const problem = small();
    spoilPixels(problem, 10, spoil);
    const { components, errors } = await soundly(problem);
    expect(components[0]!.views).toHaveLength(4);
    expect(errors!.position).toBeLessThan(0.03);
  });
});

describe('observations that say nothing', () => {
  test('an empty mask loses its observation, not the others', async () => {
    const problem = small();
    problem.observations[2]!.views[1]!.confidence.fill(1);
    const { components, observations } = await soundly(problem);
    expect(components[0]!.views).toHaveLength(4);
    expect(observations[2]!.rejected).toBe(true);
  });

  test('confidences of 1 everywhere place nothing', async () => {
    const problem = small(3);
    for (const { views } of problem.observations) for (const { confidence } of views) confidence.fill(1);
    const { components, unplaced } = await soundly(problem);
    expect(components).toEqual([]);
    expect(unplaced).toEqual([0, 1, 2]);
  });

  test.each([
    ['NaN', NaN],
    ['zero', 0],
    ['negative', -1],
  ])('a pointmap all %s loses its observation', async (_, value) => {
    const problem = small();
    problem.observations[1]!.views[1]!.points = problem.observations[1]!.views[1]!.points.map((old) => old * value);
    const { components, errors } = await soundly(problem);
    expect(components[0]!.views).toHaveLength(4);
    expect(errors!.position).toBeLessThan(0.03);
  });

  test('one observation alone places its two photos', async () => {
    const problem = small(2);
    problem.observations = [problem.observations[0]!];
    const { components } = await soundly(problem);
    expect(components[0]!.views).toEqual([0, 1]);
  });

  test('no overlap: every pair its own group, none forced together', async () => {
    const problem = makeProblem({
      views: 4,
      width: 48,
      height: 36,
      focal: 42,
      edges: () => [
        [0, 1],
        [2, 3],
      ],
    });
    const { components, warnings } = await soundly(problem);
    expect(components.map(({ views }) => views)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(warnings.join()).toContain('2 groups');
  });

  test('every observation three times is as good as once', async () => {
    const problem = small();
    const once = await soundly(problem);
    problem.observations = [...problem.observations, ...problem.observations, ...problem.observations];
    const { components, errors } = await soundly(problem);
    expect(components[0]!.views).toHaveLength(4);
    expect(Math.abs(errors!.position - once.errors!.position)).toBeLessThan(0.003);
  });

  test('an observation of one photo twice, among others', async () => {
    const problem = small();
    const [first] = problem.observations;
    problem.observations.push({ views: [first!.views[0]!, first!.views[0]!] });
    expect((await soundly(problem)).components[0]!.views).toHaveLength(4);
  });
});

test('all cameras in one place: aligned by their turns, and said', async () => {
  const room = new Room(3);
  const truth = [-0.3, 0, 0.3].map((angle) =>
    room.render(rigid(rotationFromVector(0, angle, 0), [0, 0, -2]), 42, 48, 36),
  );
  const turn = (i: number, j: number): Float64Array => rigid(rotationFromVector(0, 0.3 * (j - i), 0), [0, 0, 0]);
  const view = (i: number, j: number): ObservedView => ({
    photo: String(j),
    width: 48,
    height: 36,
    originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
    points: pointmapOf(truth[j]!, turn(i, j)),
    confidence: new Float32Array(48 * 36).fill(4),
  });
  const observations: Observation[] = [
    [0, 1],
    [1, 0],
    [1, 2],
    [2, 1],
  ].map(([i, j]) => ({ views: [view(i!, i!), view(i!, j!)] }));
  const result = await align({
    views: truth.map((_, k) => ({ photo: String(k), width: 48, height: 36 })),
    observations,
  });
  expectSound(result);
  expect(result.components[0]!.views).toEqual([0, 1, 2]);
  expect(result.warnings.join()).toContain('taken from one place');
  const [a, b] = [result.components[0]!.worldFromCamera[0]!, result.components[0]!.worldFromCamera[2]!];
  expect(Math.acos(a[2]! * b[2]! + a[6]! * b[6]! + a[10]! * b[10]!)).toBeCloseTo(0.6, 1);
});

describe('what makes no sense is refused with a reason', () => {
  test.each<[string, (problem: ProblemWithTruth) => void, RegExp]>([
    ['no views', (problem) => (problem.views = []), /no views/],
    ['no observations', (problem) => (problem.observations = []), /no observations/],
    ['an observation without views', (problem) => (problem.observations[0]!.views = []), /observation 0 has no views/],
    ['a photo twice', (problem) => (problem.views[1]!.photo = '0'), /each photo once/],
    ['another size', (problem) => (problem.observations[0]!.views[1]!.width = 47), /47x36/],
    ['a size of zero', (problem) => (problem.views[0]!.width = 0), /0x36/],
    ['an unknown photo', (problem) => (problem.observations[1]!.views[0]!.photo = 'who'), /not among the views: who/],
    ['too few points', (problem) => (problem.observations[0]!.views[0]!.points = new Float32Array(12)), /4 points/],
    [
      'too few confidences',
      (problem) => (problem.observations[0]!.views[0]!.confidence = new Float32Array(7)),
      /7 confidences/,
    ],
    ['a focal of zero', (problem) => (problem.constraints = [{ focal: 0 }]), /positive number/],
    [
      'a principal point that is no number',
      (problem) => (problem.constraints = [{ principalPoint: [NaN, 3] }]),
      /principal point/,
    ],
    [
      'a pose that is no number',
      (problem) =>
        (problem.constraints = [{ pose: { worldFromCamera: new Float64Array(16).fill(NaN), kind: 'fixed' } }]),
      /pose given for view 0/,
    ],
    [
      'a pose that mirrors',
      (problem) =>
        (problem.constraints = [
          {
            pose: { worldFromCamera: Float64Array.of(-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1), kind: 'fixed' },
          },
        ]),
      /not a rotation/,
    ],
    [
      'a pose of too few numbers',
      (problem) => (problem.constraints = [{ pose: { worldFromCamera: new Float64Array(12), kind: 'rough' } }]),
      /12 numbers/,
    ],
    [
      'an earlier focal that is none',
      (problem) => (problem.initial = [{ worldFromCamera: rigid(rotationFromVector(0, 0, 0), [0, 0, 0]), focal: NaN }]),
      /focal/,
    ],
    [
      'one focal for views of two sizes',
      (problem) => {
        problem.sharedFocal = true;
        problem.views.push({ photo: 'x', width: 30, height: 20 });
      },
      /one size/,
    ],
  ])('%s', async (_, spoil, message) => {
    const problem = small(3);
    spoil(problem);
    await expect(align(problem)).rejects.toThrow(message);
  });
});

import { describe, expect, test } from 'vitest';
import { align } from '../../electron/alignment/align.js';
import { completeEdges, makeProblem, poseErrors, type ProblemWithTruth } from '../fixtures/alignment-problem.js';

async function errorsOf(problem: ProblemWithTruth) {
  const result = await align(problem);
  const component = result.components[0]!;
  return {
    result,
    ...poseErrors(
      component.worldFromCamera,
      component.views.map((view) => problem.truth[view]!.worldFromCamera),
    ),
  };
}

describe('global alignment', () => {
  test('finds cameras, focal and depths from noisy pointmaps', async () => {
    const problem = makeProblem();
    const { result, position, rotation } = await errorsOf(problem);
    expect(result.components).toHaveLength(1);
    expect(position).toBeLessThan(0.03);
    expect(rotation).toBeLessThan(0.6);
    for (const focal of result.components[0]!.focal) expect(Math.abs(focal / 56 - 1)).toBeLessThan(0.01);
    const { depth } = result.components[0]!;
    const truth = problem.truth[0]!.depth;
    const ratios = Array.from(depth[0]!, (value, k) => value / truth[k]!).sort((a, b) => a - b);
    const median = ratios[ratios.length >> 1]!;
    const off = ratios.map((ratio) => Math.abs(ratio / median - 1)).sort((a, b) => a - b);
    expect(off[Math.floor(off.length * 0.5)]).toBeLessThan(0.012);
  });

  test('goes down from its start, and the same way twice', async () => {
    const problem = makeProblem({ seed: 8, views: 4 });
    const first = await align(problem);
    const second = await align(problem);
    expect(first.objective).toBeLessThanOrEqual(first.objectiveInitial);
    expect(second.objective).toBe(first.objective);
    expect(second.components[0]!.worldFromCamera).toEqual(first.components[0]!.worldFromCamera);
  });

  test.each(['elsewhere', 'misplaced'] as const)(
    'leaves out observations that contradict the rest (%s), and names them',
    async (wrongly) => {
      const problem = makeProblem({ views: 6, wrong: 0.4, wrongly });
      const clean = await errorsOf({
        ...problem,
        observations: problem.observations.filter((_, k) => !problem.wrong.has(k)),
      });
      const { result, position } = await errorsOf(problem);
      const rejected = result.observations.filter((report) => report.rejected).map((report) => report.index);
      expect(new Set(rejected)).toEqual(problem.wrong);
      expect(position).toBeLessThan(1.5 * clean.position);
    },
  );

  test('a chain in one direction does nearly as well as all pairs', async () => {
    const complete = await errorsOf(makeProblem({ views: 6 }));
    const chain = await errorsOf(
      makeProblem({ views: 6, edges: (n) => completeEdges(n).filter(([i, j]) => i < j && j - i <= 2) }),
    );
    expect(chain.result.components[0]!.views).toHaveLength(6);
    expect(chain.position).toBeLessThan(2 * complete.position);
  });

  test('two groups that share nothing come out apart, the larger first', async () => {
    const problem = makeProblem({
      views: 5,
      edges: () => [
        [0, 1],
        [1, 0],
        [2, 3],
        [3, 4],
        [4, 2],
        [3, 2],
      ],
    });
    const { components, warnings } = await align(problem);
    expect(components.map(({ views }) => views)).toEqual([
      [2, 3, 4],
      [0, 1],
    ]);
    expect(warnings.join()).toContain('2 groups');
  });

  test('a photo that nothing sees is not forced in', async () => {
    const problem = makeProblem({
      views: 4,
      edges: () => [
        [0, 1],
        [1, 0],
        [1, 2],
        [2, 1],
      ],
    });
    expect((await align(problem)).unplaced).toEqual([3]);
  });

  test('a given focal is kept', async () => {
    const problem = makeProblem({ views: 4 });
    problem.constraints = problem.views.map(() => ({ focal: 56 }));
    const { components } = await align(problem);
    expect([...components[0]!.focal]).toEqual([56, 56, 56, 56]);
  });

  test('one photo paired with itself gives its depth and focal', async () => {
    const problem = makeProblem({ views: 2 });
    const [observation] = problem.observations;
    const alone = {
      views: [problem.views[0]!],
      observations: [{ views: [observation!.views[0]!, observation!.views[0]!] }],
    };
    const { components } = await align(alone);
    expect(components[0]!.views).toEqual([0]);
    expect(Math.abs(components[0]!.focal[0]! / 56 - 1)).toBeLessThan(0.02);
  });

  test('an abort ends it with its reason', async () => {
    const controller = new AbortController();
    const problem = makeProblem({ views: 4 });
    await expect(
      align(problem, { signal: controller.signal, onStep: () => controller.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
  });
});

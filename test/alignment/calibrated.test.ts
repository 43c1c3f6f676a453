import { describe, expect, test } from 'vitest';
import { align } from '../../electron/alignment/align.js';
import { calibratedGroups } from '../../electron/alignment/calibrated.js';
import type { SparsePrior } from '../../electron/alignment/sparse-prior.js';
import { invertRigid, multiply4, rotationFromVector, rigid } from '../../electron/numerics/linear.js';
import { makeProblem, poseErrors, type ProblemWithTruth } from '../fixtures/alignment-problem.js';

const FOCAL = 56;
/** The bundle's world is another one than the truth's, and has another unit. */
const UNIT = 2.5;
const world = rigid(rotationFromVector(0.3, -0.2, 0.1), [1, 2, 3]);
const inUnit = (pose: Float64Array): Float64Array =>
  multiply4(world, pose).map((value, k) => (k % 4 === 3 && k < 12 ? value * UNIT : value));

/** What a perfect bundle would say: true cameras, and points at some pixels of every photo. */
function prior({ truth }: ProblemWithTruth, known = truth.map(() => true)): SparsePrior {
  const view: number[] = [];
  const at: number[] = [];
  const positions: number[] = [];
  truth.forEach(({ width, height, depth, worldFromCamera }, k) => {
    if (!known[k]) return;
    for (let y = 3; y < height; y += 7)
      for (let x = 3; x < width; x += 7) {
        const z = depth[y * width + x]!;
        const [p, q] = [((x - width / 2) / FOCAL) * z, ((y - height / 2) / FOCAL) * z];
        const W = inUnit(worldFromCamera);
        view.push(k);
        at.push(x, y);
        for (let i = 0; i < 3; i++)
          positions.push(UNIT * (W[4 * i]! * p + W[4 * i + 1]! * q + W[4 * i + 2]! * z) + W[4 * i + 3]!);
      }
  });
  return {
    cameras: truth.map(({ worldFromCamera }, k) =>
      known[k] ? { piece: 0, worldFromCamera: inUnit(worldFromCamera), focal: FOCAL } : undefined,
    ),
    ties: { view: Uint32Array.from(view), at: Float32Array.from(at), positions: Float64Array.from(positions) },
  };
}

/** Largest difference of relative poses from the truth's, in rotation entries and shares of the first baseline. */
function disagreement(placed: readonly Float64Array[], truth: readonly Float64Array[]): number {
  const relative = (poses: readonly Float64Array[], k: number) => multiply4(invertRigid(poses[0]!), poses[k]!);
  const length = (pose: Float64Array) => Math.hypot(pose[3]!, pose[7]!, pose[11]!);
  const unit = length(relative(placed, 1)) / length(relative(truth, 1));
  let most = 0;
  placed.forEach((_, k) => {
    const [p, q] = [relative(placed, k), relative(truth, k)];
    for (let i = 0; i < 12; i++) most = Math.max(most, Math.abs(p[i]! - (i % 4 === 3 ? unit : 1) * q[i]!));
  });
  return most;
}

describe('cameras of the bundle', () => {
  test('are final; noisy pointmaps of any scale give the depths, a wrong one is dropped', async () => {
    const problem = makeProblem({ views: 5, noise: 0.03, wrong: 0.15, wrongly: 'elsewhere' });
    const truth = problem.truth.map(({ worldFromCamera }) => worldFromCamera);
    const alone = await align(problem);
    const result = await align({ ...problem, sparse: prior(problem) });
    const [component] = result.components;
    expect(component!.views).toEqual([0, 1, 2, 3, 4]);
    expect(disagreement(component!.worldFromCamera, truth)).toBeLessThan(1e-6);
    expect(poseErrors(alone.components[0]!.worldFromCamera, truth).rotation).toBeGreaterThan(0.01);
    expect([...component!.focal]).toEqual(truth.map(() => FOCAL));
    const baseline = (a: Float64Array, b: Float64Array) => Math.hypot(a[3]! - b[3]!, a[7]! - b[7]!, a[11]! - b[11]!);
    const unit =
      baseline(component!.worldFromCamera[0]!, component!.worldFromCamera[1]!) / baseline(truth[0]!, truth[1]!);
    component!.depth.forEach((depth, k) => {
      const off = Array.from(depth, (z, i) => Math.abs(z / unit / problem.truth[k]!.depth[i]! - 1)).sort(
        (p, q) => p - q,
      );
      expect(off[off.length >> 1]).toBeLessThan(0.02);
    });
    expect(new Set(result.observations.flatMap(({ rejected, index }) => (rejected ? [index] : [])))).toEqual(
      problem.wrong,
    );
  });

  test('hold a photo that the bundle does not have, and stay where they are', async () => {
    const problem = makeProblem({ views: 5 });
    const truth = problem.truth.map(({ worldFromCamera }) => worldFromCamera);
    const result = await align({ ...problem, sparse: prior(problem, [true, true, true, true, false]) });
    const [component] = result.components;
    expect(component!.views).toHaveLength(5);
    const at = (view: number) => component!.worldFromCamera[component!.views.indexOf(view)]!;
    const known = [0, 1, 2, 3];
    expect(
      disagreement(
        known.map(at),
        known.map((k) => truth[k]!),
      ),
    ).toBeLessThan(1e-6);
    const { rotation, position } = poseErrors([...known, 4].map(at), truth);
    expect(rotation).toBeLessThan(0.5);
    expect(position).toBeLessThan(0.03);
  });

  test('take the world of poses that are given', async () => {
    const problem = makeProblem({ views: 4 });
    const given = [1, 2].map((k) => ({
      pose: { worldFromCamera: problem.truth[k]!.worldFromCamera, kind: 'fixed' as const },
    }));
    const result = await align({
      ...problem,
      constraints: [undefined, given[0], given[1], undefined],
      sparse: prior(problem),
    });
    result.components[0]!.worldFromCamera.forEach((pose, k) =>
      pose.forEach((value, i) => expect(value).toBeCloseTo(problem.truth[k]!.worldFromCamera[i]!, 5)),
    );
  });

  test('of two pieces that nothing ties are two groups; one that ties them leaves both to the pointmaps', () => {
    const cameras = [0, 0, 1, 1].map((piece) => ({ piece, worldFromCamera: new Float64Array(16), focal: 1 }));
    const ties = { view: new Uint32Array(0), at: new Float32Array(0), positions: new Float64Array(0) };
    const within = [
      [0, 1],
      [2, 3],
    ];
    expect(calibratedGroups({ cameras, ties }, within)).toEqual([
      { views: [0, 1], observations: [0] },
      { views: [2, 3], observations: [1] },
    ]);
    expect(calibratedGroups({ cameras, ties }, [...within, [1, 2]])).toEqual([]);
    expect(calibratedGroups(undefined, within)).toEqual([]);
  });
});

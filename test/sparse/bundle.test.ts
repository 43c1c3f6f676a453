import { describe, expect, it } from 'vitest';
import { minimumDegree } from '../../electron/numerics/minimum-degree.js';
import { randomNumbers } from '../../electron/numerics/linear.js';
import {
  adjustBundle,
  project,
  type BundleOptions,
  type Lens,
  type PlacedCamera,
} from '../../electron/sparse/bundle.js';
import { BundleSystem } from '../../electron/sparse/bundle-system.js';
import { planElimination } from '../../electron/sparse/elimination.js';
import { arc, scatter, see, turn } from './synthetic.js';
import { multiply3 } from '../../electron/numerics/linear.js';

const OPTIONS: BundleOptions = { scale: 1e-3, iterations: 60, refineFocal: true, refineDistortion: true };

/** Cameras moved off the truth, and what the true ones see; photo k has lens k % lensCount. */
function problem(cameraCount: number, lensCount = 1, seed = 3) {
  const random = randomNumbers(seed);
  const truth = arc(cameraCount, 80).map((camera, k) => ({ ...camera, lens: k % lensCount, fixed: k < 2 }));
  const lenses: Lens[] = Array.from({ length: lensCount }, (_, k) => ({ focal: 0.9 + 0.05 * k, k1: -0.1 + 0.02 * k }));
  const world = scatter(150, 4);
  const [camera, point, at] = [[], [], []] as number[][];
  truth.forEach((placed, c) =>
    see(placed, lenses[placed.lens]!, world, 0, random).forEach((seen, p) => {
      // A camera sees the points of its side only: neighbours share points, far ones don't.
      const isNear = Math.abs((p / world.length) * cameraCount - c) < 3 || p % 10 === 0;
      if (!seen || !isNear) return;
      camera!.push(c);
      point!.push(p);
      at!.push(...seen);
    }),
  );
  const shake = (size: number) => size * (random() - 0.5);
  const cameras: PlacedCamera[] = truth.map((each) =>
    each.fixed
      ? { ...each }
      : {
          ...each,
          rotation: multiply3(turn(shake(1), shake(1), shake(1)), each.rotation),
          translation: each.translation.map((value) => value + shake(0.05)),
        },
  );
  return {
    truth,
    lenses,
    cameras,
    start: lenses.map((lens) => ({ focal: lens.focal * 1.03, k1: 0 })),
    points: Float64Array.from(world.flat(), (value) => value + shake(0.05)),
    sightings: { camera: Int32Array.from(camera!), point: Int32Array.from(point!), at: Float64Array.from(at!) },
  };
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, k) => Math.max(most, Math.abs(value - b[k]!)), 0);

describe('adjustBundle', () => {
  it.each([1, 3])('finds exact cameras and %i lenses again, some held where they are', (lensCount) => {
    const { truth, lenses, cameras, start, points, sightings } = problem(9, lensCount);
    const held = cameras[0]!.rotation;
    adjustBundle(cameras, start, points, sightings, OPTIONS);
    cameras.forEach((camera, k) => {
      expect(largest(camera.rotation, truth[k]!.rotation)).toBeLessThan(1e-4);
      expect(largest(camera.translation, truth[k]!.translation)).toBeLessThan(1e-3);
    });
    // The weak prior on k1 pulls by less than this.
    start.forEach((lens, k) => {
      expect(lens.focal / lenses[k]!.focal).toBeCloseTo(1, 3);
      expect(lens.k1).toBeCloseTo(lenses[k]!.k1, 2);
    });
    expect(cameras[0]!.rotation).toBe(held);
  });

  it('finds the second radial term and the principal point where they are free, and leaves them where they are not', () => {
    const shown = { focal: 0.9, k1: -0.15, k2: 0.12, cx: 0.02, cy: -0.015 };
    const { truth, cameras, points, sightings } = problem(12, 1);
    const seen = new Float64Array(2);
    sightings.camera.forEach((c, s) => {
      const p = 3 * sightings.point[s]!;
      const [x, y, z] = scatter(150, 4)[p / 3]!;
      project(truth[c]!, shown, x, y, z, seen);
      sightings.at.set(seen, 2 * s);
    });
    const run = (free: Partial<BundleOptions>) => {
      const lens: Lens = { focal: 0.92, k1: 0 };
      const moved = cameras.map((camera) => ({ ...camera }));
      const cost = adjustBundle(moved, [lens], points.slice(), sightings, {
        ...OPTIONS,
        scale: 2e-4,
        iterations: 200,
        ...free,
      });
      return { cost, lens };
    };
    const own = new Set([0]);
    const { lens, cost } = run({ second: own, centre: own });
    expect(lens.k2).toBeCloseTo(shown.k2, 2);
    expect(lens.cx).toBeCloseTo(shown.cx, 3);
    expect(lens.cy).toBeCloseTo(shown.cy, 3);
    expect(cost).toBeLessThan(0.05 * run({}).cost);
    expect(run({ second: own }).lens.cx).toBeUndefined();
    expect(run({ centre: own }).lens.k2).toBeUndefined();
  });

  it('iterates to the same solution where a factor would be too large', () => {
    const [exact, iterated] = [problem(9, 2), problem(9, 2)];
    adjustBundle(exact.cameras, exact.start, exact.points, exact.sightings, OPTIONS);
    adjustBundle(iterated.cameras, iterated.start, iterated.points, iterated.sightings, {
      ...OPTIONS,
      elimination: { factorWork: 0, factorNumbers: 0 },
    });
    iterated.cameras.forEach((camera, k) => {
      expect(largest(camera.rotation, exact.cameras[k]!.rotation)).toBeLessThan(1e-5);
    });
  });

  it('gives the same bits twice, whatever was solved between', () => {
    const runs = [0, 1].map(() => {
      const run = problem(8, 2);
      adjustBundle(run.cameras, run.start, run.points, run.sightings, OPTIONS);
      const other = problem(12, 1, 9);
      adjustBundle(other.cameras, other.start, other.points, other.sightings, OPTIONS);
      return run;
    });
    expect(runs[0]!.points).toEqual(runs[1]!.points);
    expect(runs[0]!.start).toEqual(runs[1]!.start);
  });

  it('keeps a lens that is held', () => {
    const { cameras, start, points, sightings } = problem(6, 2);
    const before = { ...start[0]! };
    adjustBundle(cameras, start, points, sightings, { ...OPTIONS, heldLenses: new Set([0]) });
    expect(start[0]).toEqual(before);
    expect(start[1]!.k1).not.toBe(0);
  });

  it('steps as the gradient of the cost says', () => {
    // With a huge damping the step is the gradient over the damped diagonal: its sign is the descent of every unknown.
    const { cameras, start, points, sightings } = problem(6);
    const counts = new Int32Array(points.length / 3 + 1);
    const order = Array.from(sightings.point.keys()).sort((a, b) => sightings.point[a]! - sightings.point[b]!);
    for (const p of sightings.point) counts[p + 1] = counts[p + 1]! + 1;
    for (let p = 0; p + 1 < counts.length; p++) counts[p + 1] = counts[p + 1]! + counts[p]!;
    const sorted = {
      camera: Int32Array.from(order, (s) => sightings.camera[s]!),
      point: Int32Array.from(order, (s) => sightings.point[s]!),
      at: Float64Array.from(order.flatMap((s) => [sightings.at[2 * s]!, sightings.at[2 * s + 1]!])),
    };
    const system = new BundleSystem(cameras, start, points, sorted, counts, () => false);
    system.load(cameras, start);
    const before = system.cost(1e-2);
    const step = system.step(1e-2, 1e6, () => undefined)!;
    const nudge = 1e-7;
    cameras.forEach((camera, k) => {
      const o = system.cameraAt[k]!;
      if (o < 0) return;
      for (let axis = 0; axis < 3; axis++) {
        const original = camera.translation;
        camera.translation = original.map((value, i) => value + (i === axis ? nudge : 0));
        system.load(cameras, start);
        const moved = system.cost(1e-2);
        camera.translation = original;
        // The points have been moved by the step already, by a millionth: both costs are taken there.
        system.load(cameras, start);
        const slope = moved - system.cost(1e-2);
        if (Math.abs(slope) > 1e-9 * before) expect(Math.sign(step[o + 3 + axis]!)).toBe(-Math.sign(slope));
      }
    });
  });
});

describe('planElimination', () => {
  /** A ring in which each unknown touches the six nearest, and one that touches all (a lens). */
  const ring = (n: number) => ({
    sizes: [...new Array<number>(n).fill(6), 2],
    neighbours: [
      ...Array.from({ length: n }, (_, k) => [...[-3, -2, -1, 1, 2, 3].map((d) => (k + d + n) % n), n]),
      Array.from({ length: n }, (_, k) => k),
    ],
  });

  it('holds numbers in proportion to the photos of a loop, not to their square', () => {
    const [small, large] = [100, 400].map((n) => planElimination(ring(n)));
    expect(large!.exact).toBe(true);
    expect(large!.pattern.length / small!.pattern.length).toBeLessThan(4.6);
    expect(large!.pattern.length).toBeLessThan(0.05 * (6 * 400) ** 2);
  });

  it('eliminates last what touches everything', () => {
    const order = minimumDegree(ring(50).neighbours);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 51 }, (_, k) => k));
    expect(order.indexOf(50)).toBeGreaterThan(40);
  });

  it('holds only the blocks of the system where its factor would be too large', () => {
    const { exact, pattern } = planElimination(ring(100), { factorWork: 1, factorNumbers: 1 });
    expect(exact).toBe(false);
    expect(pattern.length).toBe(100 * 36 + 300 * 36 + 100 * 12 + 4);
  });
});

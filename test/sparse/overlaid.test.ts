import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { overlaid, type Overlaid } from '../../electron/sparse/overlaid.js';
import type { StructurePoint } from '../../electron/sparse/structure.js';
import { lookAt } from './synthetic.js';

/** Side of the wall that both photos see: x from -2 to 2, y from -1.5 to 1.5. */
interface Wall {
  /** Depth behind the plane of the wall. */
  depth: number;
  count: number;
  /** Range of x. */
  x: [number, number];
  /** Photos that see a point. */
  photos: (random: () => number) => number[];
}

/** What two photos from nearly one place say of walls. */
function compare(walls: readonly Wall[], aside = 0.3): Overlaid[] {
  const cameras = new Map([-aside, aside].map((x, k) => [k, lookAt([x, 0, -6], [0, 0, 0])] as const));
  return overlaid({ cameras, points: pointsOn(walls) }, [{ focal: 1.2, k1: 0 }], () => [0.5, 0.375]);
}

function pointsOn(walls: readonly Wall[]): StructurePoint[] {
  const random = randomNumbers(5);
  return walls.flatMap(({ depth, count, x: [from, to], photos }) =>
    Array.from({ length: count }, (): StructurePoint => {
      const seenBy = photos(random);
      return {
        position: Float64Array.of(from + (to - from) * random(), 3 * random() - 1.5, depth),
        photos: seenBy,
        features: seenBy.map(() => 0),
      };
    }).filter(({ photos: seen }) => seen.length > 0),
  );
}
const both = (): number[] => [0, 1];

describe('photos at nearly one place', () => {
  it('that see the same contradict nowhere', () => {
    const [told] = compare([{ depth: 0, count: 600, x: [-2, 2], photos: both }]);
    expect(told).toMatchObject({ a: 0, b: 1, against: 0 });
    expect(told!.cells).toBeGreaterThan(20);
  });

  it('that find half of their features again contradict nowhere', () => {
    const some = (random: () => number): number[] => [0, 1].filter(() => random() < 0.7);
    expect(compare([{ depth: 0, count: 900, x: [-2, 2], photos: some }])[0]!.against).toBe(0);
  });

  it('contradict where each sees a surface of its own in the same place', () => {
    const own = (random: () => number): number[] => [random() < 0.5 ? 0 : 1];
    const [told] = compare([
      { depth: 0, count: 300, x: [-2, 0], photos: both },
      { depth: 0, count: 600, x: [0, 2], photos: own },
    ]);
    expect(told!.against).toBeGreaterThan(0.3 * told!.cells);
  });

  it('may see different things at different depths: one hides the other', () => {
    const [told] = compare([
      { depth: 0, count: 300, x: [-2, 0], photos: both },
      { depth: 0, count: 300, x: [0, 2], photos: () => [0] },
      { depth: 3, count: 300, x: [0, 2], photos: () => [1] },
    ]);
    expect(told!.against).toBe(0);
  });

  it('are not asked when they stand far apart', () => {
    expect(compare([{ depth: 0, count: 600, x: [-2, 2], photos: both }], 3)).toEqual([]);
  });

  describe('that turn away to different sides', () => {
    const own = (random: () => number): number[] => [random() < 0.5 ? 0 : 1];
    const points = pointsOn([{ depth: 0, count: 2000, x: [-2, 2], photos: own }]);
    const seen = (targets: [number, number, number][], rig?: number): Overlaid[] => {
      const cameras = targets.map((target, k) => {
        const camera = lookAt([0.1 * k, 0, -3], target);
        return [
          k,
          rig === undefined ? camera : { ...camera, rig: { id: rig, cameraFromRig: camera.rotation } },
        ] as const;
      });
      return overlaid({ cameras: new Map(cameras), points }, [{ focal: 0.4, k1: 0 }], () => [0.5, 0.5]);
    };
    it('are not asked where each picture is stretched its own way', () => {
      const aside: [number, number, number] = [2.5, 0, 0];
      const alike = seen([aside, aside])[0]!.cells;
      expect(alike).toBeGreaterThan(30);
      // What lies between both is stretched alike in both.
      expect(seen([aside, [0, 2.5, 0]])[0]!.cells).toBeLessThan(0.25 * alike);
    });
    it('are not asked where they are views of one picture', () => {
      expect(
        seen([
          [0.5, 0, 0],
          [0, 0.5, 0],
        ])[0]!.against,
      ).toBeGreaterThan(10);
      expect(
        seen(
          [
            [0.5, 0, 0],
            [0, 0.5, 0],
          ],
          1,
        ),
      ).toEqual([]);
    });
  });
});

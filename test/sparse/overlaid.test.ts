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
  const random = randomNumbers(5);
  const points = walls.flatMap(({ depth, count, x: [from, to], photos }) =>
    Array.from({ length: count }, (): StructurePoint => {
      const seenBy = photos(random);
      return {
        position: Float64Array.of(from + (to - from) * random(), 3 * random() - 1.5, depth),
        photos: seenBy,
        features: seenBy.map(() => 0),
      };
    }).filter(({ photos: seen }) => seen.length > 0),
  );
  const cameras = new Map([-aside, aside].map((x, k) => [k, lookAt([x, 0, -6], [0, 0, 0])] as const));
  return overlaid({ cameras, points }, [{ focal: 1.2, k1: 0 }], () => [0.5, 0.375]);
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
});

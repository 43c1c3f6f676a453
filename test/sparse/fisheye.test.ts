import { describe, expect, it } from 'vitest';
import { projectRay, type Projection } from '../../electron/geometry/projection.js';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { times3 } from '../../electron/numerics/vector.js';
import { fisheyeOf } from '../../electron/sparse/fisheye.js';
import type { StructurePoint } from '../../electron/sparse/structure.js';
import { lookAt, type Vector } from './synthetic.js';

const [WIDTH, HEIGHT] = [1600, 1200];
/** Half the range of the noise, long sides: half a pixel. */
const NOISE = 3e-4;
const middle = { width: WIDTH, height: HEIGHT, cx: 799.5 + 12, cy: 599.5 - 8 };

const fisheye = (degrees: number): Projection => {
  const focal = WIDTH / ((degrees * Math.PI) / 180);
  return { kind: 'fisheye', ...middle, fx: focal, fy: focal, k1: 0.03, k2: -0.008, k3: 0.001, k4: 0 };
};
const bent = (focal: number): Projection => ({
  kind: 'brown',
  ...{ ...middle, fx: focal, fy: focal, k1: -0.15, k2: 0.03, k3: 0, p1: 0, p2: 0 },
});

/** Photos that look about in a room, the points that they see on three of its walls, and where. */
function seen(camera: Projection, count = 6, pointCount = 400) {
  const random = randomNumbers(3);
  const noise = (): number => NOISE * (2 * random() - 1);
  const cameras = Array.from({ length: count }, (_, k) =>
    lookAt([-1.2 + 0.4 * k, 0.2 * Math.sin(2 * k), -1 + 0.3 * Math.cos(k)], [0.8 * Math.sin(k), 0.3 * Math.cos(k), 3]),
  );
  const at: [number, number][][] = cameras.map(() => []);
  const walls: ((a: number, b: number) => Vector)[] = [
    (a, b) => [3 * a, 2 * b, 3],
    (a, b) => [-3, 2 * b, 3 * a],
    (a, b) => [3, 2 * b, 3 * a],
  ];
  const points = Array.from({ length: pointCount }, (_, n): StructurePoint => {
    const position = Float64Array.from(walls[n % 3]!(2 * random() - 1, 2 * random() - 1));
    const point: StructurePoint = { position, photos: [], features: [] };
    cameras.forEach(({ rotation, translation }, photo) => {
      const [x, y, z] = times3(rotation, position).map((value, k) => value + translation[k]!) as unknown as Vector;
      const pixel = projectRay(camera, x, y, z);
      if (!pixel || pixel[0] < 0 || pixel[1] < 0 || pixel[0] > WIDTH - 1 || pixel[1] > HEIGHT - 1) return;
      point.photos.push(photo);
      point.features.push(at[photo]!.length);
      at[photo]!.push([(pixel[0] - 799.5) / WIDTH + noise(), (pixel[1] - 599.5) / WIDTH + noise()]);
    });
    return point;
  }).filter(({ photos }) => photos.length >= 2);
  return {
    piece: { cameras: new Map(cameras.map((each, k) => [k, each])), points },
    position: (photo: number, feature: number) => at[photo]![feature]!,
  };
}

describe('fisheyeOf', () => {
  it('finds what a fisheye is, from what two radial terms made of it', () => {
    const { piece, position } = seen(fisheye(120));
    const found = fisheyeOf(piece, 0, { focal: 0.5, k1: -0.15, k2: 0.02 }, position)!;
    expect(found.focal).toBeCloseTo(1 / ((120 * Math.PI) / 180), 3);
    expect(found.cx).toBeCloseTo(12 / WIDTH, 2);
    expect(found.cy).toBeCloseTo(-8 / WIDTH, 2);
    // At the corners, where a term more is in truth.
    const angle = 1.2;
    const radius = (k1: number, k2: number, k3 = 0): number =>
      angle + k1 * angle ** 3 + k2 * angle ** 5 + k3 * angle ** 7;
    expect(found.focal * radius(found.k1, found.k2)).toBeCloseTo(
      radius(0.03, -0.008, 0.001) / ((120 * Math.PI) / 180),
      3,
    );
  });

  it('leaves a lens as it is that radial terms tell, however wide it is', () => {
    const { piece, position } = seen(bent(0.55 * WIDTH));
    expect(fisheyeOf(piece, 0, { focal: 0.55, k1: -0.14, k2: 0.02 }, position)).toBeUndefined();
  });

  it('asks no photos that see little aside, and no three photos', () => {
    const narrow = seen(fisheye(50));
    expect(fisheyeOf(narrow.piece, 0, { focal: 1.1, k1: -0.1 }, narrow.position)).toBeUndefined();
    const few = seen(fisheye(120), 3);
    expect(fisheyeOf(few.piece, 0, { focal: 0.5, k1: -0.15, k2: 0.02 }, few.position)).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import type { Photo } from '../../electron/geometry/types.js';
import { multiply3, randomNumbers, transpose3 } from '../../electron/numerics/linear.js';
import type { PlacedCamera } from '../../electron/sparse/bundle.js';
import { rigsOf } from '../../electron/sparse/rigs.js';
import { buildStructure } from '../../electron/sparse/structure.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { directionDifference, lookAt, relative, see, turn, type Vector } from './synthetic.js';

const FOCAL = 0.45;
const NOISE = 0.5 / 1600;
const FACES = [0, 60, 120, 180, 240, 300].map((yaw) => turn(0, -yaw, 0));

/** Rigs of six views in a row inside a ball of points, and the photos that they are. */
function scene(count: number) {
  const random = randomNumbers(3);
  const points = Array.from({ length: 900 }, (): Vector => {
    const [a, b, r] = [2 * Math.PI * random(), Math.asin(2 * random() - 1), 4 + 2 * random()];
    return [r * Math.cos(b) * Math.cos(a), r * Math.sin(b), r * Math.cos(b) * Math.sin(a)];
  });
  const truth: PlacedCamera[] = [];
  const photos: Photo[] = [];
  for (let rig = 0; rig < count; rig++) {
    const base = lookAt([0.5 * rig - 1, 0.2 * Math.sin(rig), 0.3 * Math.cos(2 * rig)], [0.3 * rig, 0.1 * rig, 9]);
    for (const faceFromPicture of FACES) {
      const at = (v: Float64Array) =>
        Float64Array.from([0, 3, 6], (k) => [0, 1, 2].reduce((sum, i) => sum + faceFromPicture[k + i]! * v[i]!, 0));
      truth.push({ ...base, rotation: multiply3(faceFromPicture, base.rotation), translation: at(base.translation) });
      const face = { pictureId: `picture-${rig}`, faceFromPicture: [...faceFromPicture] };
      photos.push({ id: `${photos.length}`, width: 1600, height: 1200, face } as unknown as Photo);
    }
  }
  const lens = { focal: FOCAL, k1: 0, fixed: true };
  const seen = truth.map((camera) => see(camera, lens, points, NOISE, random));
  const tracks = points.map((_, p) => {
    const views = truth.map((__, c) => c).filter((c) => seen[c]![p]);
    return { photos: views, features: views.map(() => p) };
  });
  const pairs = truth.flatMap((a, i) =>
    truth.flatMap((b, j) => {
      const common = points.filter((_, p) => seen[i]![p] && seen[j]![p]).length;
      if (j <= i || photos[i]!.face!.pictureId === photos[j]!.face!.pictureId || common < 30) return [];
      const { rotation, translation } = relative(a, b);
      const off = turn(random() - 0.5, random() - 0.5, random() - 0.5);
      return [
        {
          a: i,
          b: j,
          rotation: multiply3(off, rotation),
          translation,
          inlierCount: common,
          parallax: 8,
          rotationShare: 0,
        },
      ];
    }),
  );
  const input = {
    photoCount: truth.length,
    lensOf: truth.map(() => 0),
    lenses: [lens],
    tracks: tracks.filter((track) => track.photos.length > 1),
    position: (photo: number, feature: number) => seen[photo]![feature]!,
    pairs,
    rigs: rigsOf(photos),
  };
  return { input, truth };
}

describe('rigs', () => {
  it('are placed whole, turn and move as one in the bundle adjustment, and come out where they are', async () => {
    const { input, truth } = scene(5);
    const [piece, ...others] = await buildStructure(input);
    expect(others).toHaveLength(0);
    expect(piece!.cameras.size).toBe(truth.length);
    let [rotation, direction] = [0, 0];
    for (let rig = 0; rig < 5; rig++) {
      const first = piece!.cameras.get(6 * rig)!;
      for (let k = 1; k < 6; k++) {
        const view = piece!.cameras.get(6 * rig + k)!;
        const between = multiply3(view.rotation, transpose3(first.rotation));
        expect(rotationDifference(between, multiply3(FACES[k]!, transpose3(FACES[0]!)))).toBeLessThan(1e-5);
        expect(Math.hypot(...centreOf(view).map((value, i) => value - centreOf(first)[i]!))).toBeLessThan(1e-6);
      }
      const other = piece!.cameras.get(6 * ((rig + 1) % 5))!;
      const [is, should] = [relative(first, other), relative(truth[6 * rig]!, truth[6 * ((rig + 1) % 5)]!)];
      rotation = Math.max(rotation, rotationDifference(is.rotation, should.rotation));
      direction = Math.max(direction, directionDifference(is.translation, should.translation));
    }
    // Half a pixel of 1600 at this focal is 0.04 degrees, over hundreds of points.
    expect(rotation).toBeLessThan(0.03);
    expect(direction).toBeLessThan(0.15);
  });

  it('are none where no two photos are of one picture', () => {
    const face = { pictureId: 'a', faceFromPicture: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
    expect(rigsOf([{ id: 'x', face }, { id: 'y' }] as unknown as Photo[])).toBeUndefined();
  });
});

const centreOf = ({ rotation: R, translation: t }: PlacedCamera): number[] =>
  [0, 1, 2].map((k) => -(R[k]! * t[0]! + R[3 + k]! * t[1]! + R[6 + k]! * t[2]!));

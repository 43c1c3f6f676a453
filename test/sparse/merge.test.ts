import { describe, expect, it } from 'vitest';
import { multiply3, randomNumbers, transpose3 } from '../../electron/numerics/linear.js';
import type { PlacedCamera } from '../../electron/sparse/bundle.js';
import { mergePieces } from '../../electron/sparse/merge.js';
import { Reconstruction, trackTable } from '../../electron/sparse/reconstruction.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { arc, scatter, see, turn } from './synthetic.js';

const LENS = { focal: 1, k1: 0 };
const LIMIT = 4 / 1600;

/** Six cameras round one scene; the last three know it in a world of their own: turned, thrice as large, elsewhere. */
function twoPieces(noise: number, wrong = 0) {
  const random = randomNumbers(8);
  const truth = arc(6, 60);
  const points = scatter(150, 9);
  const seen = truth.map((camera) => see(camera, LENS, points, noise, random));
  const tracks = points
    .map((_, p) => {
      const photos = truth.map((__, c) => c).filter((c) => seen[c]![p]);
      return { photos, features: photos.map(() => p) };
    })
    .filter(({ photos }) => photos.length > 3);
  const table = trackTable(tracks, 6, (photo, feature) => seen[photo]![feature]!);
  const [R, scale, shift] = [turn(20, -70, 35), 3, [5, -2, 7]] as const;
  const pieces = [0, 1].map(() => new Reconstruction(table, [{ ...LENS }], 1 / 1600));
  truth.forEach((camera, k) =>
    pieces[k < 3 ? 0 : 1]!.cameras.set(k, k < 3 ? camera : inWorld(camera, R, scale, shift)),
  );
  for (const piece of pieces) piece.retriangulate(LIMIT);
  // Points of one piece that are not those of the other.
  for (let track = 0; track < wrong * tracks.length; track++)
    pieces[1]!.points.fill(20 * random(), 3 * track, 3 * track + 2);
  return { truth, pieces: pieces as [Reconstruction, Reconstruction] };
}

/** A camera in a world whose points are q = scale R p + shift. */
function inWorld(camera: PlacedCamera, R: Float64Array, scale: number, shift: readonly number[]): PlacedCamera {
  const rotation = multiply3(camera.rotation, transpose3(R));
  return {
    ...camera,
    rotation,
    translation: camera.translation.map(
      (t, i) => scale * t - [0, 1, 2].reduce((sum, j) => sum + rotation[3 * i + j]! * shift[j]!, 0),
    ),
  };
}

describe('mergePieces', () => {
  it.each([
    { noise: 0, wrong: 0, degrees: 1e-4, length: 1e-5 },
    { noise: 0.4 / 1600, wrong: 0.4, degrees: 0.6, length: 0.06 },
  ])(
    'brings cameras of another world home: noise $noise, $wrong of the points wrong',
    ({ noise, wrong, degrees, length }) => {
      const { truth, pieces } = twoPieces(noise, wrong);
      expect(mergePieces(...pieces, LIMIT)).toBe(true);
      expect(pieces[0].cameras.size).toBe(6);
      for (const [k, { rotation, translation }] of pieces[0].cameras) {
        expect(rotationDifference(rotation, truth[k]!.rotation)).toBeLessThan(degrees);
        expect(Math.hypot(...translation.map((t, i) => t - truth[k]!.translation[i]!))).toBeLessThan(length);
      }
    },
  );

  it('refuses a piece whose points are others, and changes nothing', () => {
    const { pieces } = twoPieces(0.4 / 1600, 1);
    const before = [...pieces[0].cameras.keys()];
    expect(mergePieces(...pieces, LIMIT)).toBe(false);
    expect([...pieces[0].cameras.keys()]).toEqual(before);
  });
});

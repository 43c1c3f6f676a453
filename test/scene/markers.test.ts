import { beforeAll, describe, expect, it } from 'vitest';
import { fitScale } from '../../electron/scene/scale.js';
import type { Camera } from '../../electron/geometry/types.js';
import { endPoint } from '../../electron/scene/ends.js';
import { detectSquares } from '../../electron/scene/marker-detector.js';
import { markerLengths } from '../../electron/scene/marker-lengths.js';
import { sharpCorners, type PhotoMarker } from '../../electron/scene/markers.js';
import { photoOfWall, wallCameras, type PrintedMarker } from '../fixtures/marker-room.js';

const side = 0.32;
const printed: PrintedMarker[] = [
  { dictionary: 'APRILTAG_36h11', id: 7, centre: [-0.45, -0.1], turn: 12, side },
  { dictionary: 'APRILTAG_36h11', id: 23, centre: [0.4, 0.25], turn: -71, side },
];

async function seenBy(cameras: readonly Camera[], markers: readonly PrintedMarker[]) {
  const found = new Map<string, PhotoMarker[]>();
  for (const camera of cameras) {
    const picture = { width: camera.width, height: camera.height, values: photoOfWall(markers, camera) };
    const squares = await detectSquares(picture, 'apriltag-36h11');
    found.set(camera.photo, sharpCorners(squares, { camera, picture }));
  }
  return found;
}

describe('printed markers', () => {
  const cameras = wallCameras(4, { k1: -0.12 });
  let found: Map<string, PhotoMarker[]>;
  beforeAll(async () => {
    found = await seenBy(cameras, printed);
  }, 120_000);

  it('are found in every photo, their corners within a tenth of a pixel', () => {
    for (const camera of cameras) {
      const markers = found.get(camera.photo)!;
      expect(markers.map(({ id }) => id).sort((a, b) => a - b)).toEqual([7, 23]);
    }
  });

  it('tell the scale within 0.5 % in any unit of the scene, each of their sides too', () => {
    const moved = cameras.map((camera) => {
      const worldFromCamera = camera.worldFromCamera.slice();
      for (const at of [3, 7, 11]) worldFromCamera[at]! *= 3.7;
      return { ...camera, worldFromCamera };
    });
    const lengths = markerLengths(found, moved, { family: 'apriltag-36h11', metres: side });
    expect(lengths).toHaveLength(8);
    const scene = { cameras: moved, depthMaps: [] };
    const distances = lengths.map(({ a, b }) => {
      const [p, q] = [endPoint(a, scene), endPoint(b, scene)];
      expect(p.residualPixels).toBeLessThan(0.1);
      return Math.hypot(...p.position.map((value, i) => value - q.position[i]!));
    });
    const fit = fitScale(lengths, distances);
    expect(Math.abs(fit.metresPerUnit * 3.7 - 1)).toBeLessThan(0.005);
    for (const { residual } of fit.lengths) expect(Math.abs(residual)).toBeLessThan(0.005 * side);
  });

  it('of two sizes disagree, which is told with both names', async () => {
    const uneven = [printed[0]!, { ...printed[1]!, side: 0.29 }];
    const seen = await seenBy(cameras.slice(0, 2), uneven);
    expect(() => markerLengths(seen, cameras, { family: 'apriltag-36h11', metres: side })).toThrow(
      /markers disagree: apriltag-36h11 7 is \d+\.\d % larger .* apriltag-36h11 23/,
    );
  }, 60_000);

  it('a photo that misread one is left out, and one photo alone is not enough', () => {
    const wrong = new Map(found);
    const [first] = found.get('photo-0')!;
    wrong.set('photo-0', [{ ...first!, corners: first!.corners.map(([x, y]) => [x + 40, y - 25]) }]);
    const lengths = markerLengths(wrong, cameras, { family: 'apriltag-36h11', metres: side });
    const ofFirst = lengths.find(({ name }) => name!.startsWith(`apriltag-36h11 ${first!.id},`))!;
    expect('photo' in ofFirst.a && [ofFirst.a.photo, ...ofFirst.a.others!.map(({ photo }) => photo)]).not.toContain(
      'photo-0',
    );
    const alone = new Map([['photo-1', found.get('photo-1')!]]);
    expect(() => markerLengths(alone, cameras, { family: 'apriltag-36h11', metres: side })).toThrow(
      /none in two photos/,
    );
    expect(() => markerLengths(new Map(), cameras, { family: 'aruco-4x4', metres: side })).toThrow(
      /no aruco-4x4 marker was found/,
    );
  });
});

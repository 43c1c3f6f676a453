import { describe, expect, test } from 'vitest';
import type { LengthEnd, Vector } from '../../electron/contract/scene.js';
import { placeAt } from '../../electron/geometry/earth.js';
import type { GeoPosition } from '../../electron/geometry/types.js';
import { checkApart } from '../../electron/scene/ends.js';
import { unlevelledFrame } from '../../electron/scene/frame.js';
import { gpsFrame } from '../../electron/scene/gps-frame.js';
import { fitScale, lengthNotes, lengthsAt } from '../../electron/scene/scale.js';
import { wallCameras } from '../fixtures/marker-room.js';

const at = (
  photo: string,
  x: number,
  y: number,
  others: { photo: string; x: number; y: number }[] = [],
): LengthEnd => ({
  ...{ photo, x, y, others },
});

describe('picked points', () => {
  test.each([
    ['are one pixel', at('a', 10, 20), at('a', 10, 20)],
    ['lie a fifth of a pixel apart', at('a', 10, 20), at('a', 10.2, 20)],
    ['are one in another photo', at('a', 10, 20, [{ photo: 'b', x: 5, y: 5 }]), at('b', 6, 5)],
  ])('that %s are refused', (_, a, b) => {
    expect(() => checkApart(a, b)).toThrow(/points coincide.*farther apart/);
  });

  test('of two photos, or two pixels apart, or cameras, are taken', () => {
    checkApart(at('a', 10, 20), at('b', 10, 20));
    checkApart(at('a', 10, 20), at('a', 12, 20));
    checkApart({ camera: 'a' }, at('a', 12, 20));
  });
});

test('lengths that contradict each other are told with the worst; those within what a tape is good for are not', () => {
  const [sill, door] = [
    { name: 'sill', metres: 1 },
    { name: 'door', metres: 2 },
  ];
  expect(lengthNotes(fitScale([sill, door], [0.5, 1.01]))).toEqual([]);
  expect(lengthNotes(fitScale([sill, door], [0.5, 0.6]))).toEqual([
    expect.stringMatching(/contradict.*sill is 39 % off/),
  ]);
});

test('places that are off by a good share of what they span give a frame, with a word', () => {
  const cameras = wallCameras(7);
  const positions = (noise: number): Map<string, GeoPosition> =>
    new Map(
      cameras.map(({ photo }, k) => {
        const place: Vector = [2 * k + noise * Math.sin(5 * k), 2 * Math.sin(k) + noise * Math.cos(7 * k), 1];
        return [photo, placeAt(place, { latitude: 48, longitude: 2, altitude: 50 })];
      }),
    );
  const spread = cameras.map((camera, k) => {
    const worldFromCamera = camera.worldFromCamera.slice();
    [worldFromCamera[3], worldFromCamera[7], worldFromCamera[11]] = [k, Math.sin(k), 0.5];
    return { ...camera, worldFromCamera };
  });
  const told = (noise: number): string => gpsFrame(spread, positions(noise), unlevelledFrame()).notes.join();
  expect(told(3)).toMatch(/places disagree with the cameras by \d.* give a known length/);
  expect(told(0.1)).not.toMatch(/disagree/);
});

test('a length in a scene of its own scale, as products round it, and in another', () => {
  const fit = fitScale([{ metres: 2 }], [0.7]);
  expect(lengthsAt(fit, fit.metresPerUnit * (1 - 1e-13))[0]!.residual).toBe(fit.lengths[0]!.residual);
  expect(lengthsAt(fit, 3 * fit.metresPerUnit)[0]).toEqual({
    metres: 2,
    measured: expect.closeTo(6, 9),
    residual: expect.closeTo(4, 9),
  });
});

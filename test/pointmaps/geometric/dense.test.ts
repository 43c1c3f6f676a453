import { afterAll, describe, expect, test } from 'vitest';
import { invertRigid, multiply4, rigid, rotationFromVector } from '../../../electron/numerics/linear.js';
import type { View } from '../../../electron/geometry/types.js';
import { DensePool, densePair, type DensePair } from '../../../electron/pointmaps/geometric/dense/index.js';
import type { PairGeometry } from '../../../electron/pointmaps/geometric/geometry.js';
import { Room, type RoomView } from '../../fixtures/room.js';

const pool = new DensePool(2);
afterAll(() => pool.close());

const room = new Room(4);
const [poseA, poseB] = room.arc(2, 0.16);
const width = 224;
const height = 168;
const [a, b] = [poseA!, poseB!].map((pose) => room.render(pose, 200, width, height)) as [RoomView, RoomView];
const view = (rendered: RoomView, pixels = rendered.pixels): View => ({
  photo: 'x',
  width,
  height,
  pixels,
  originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
});

/** The true geometry, with every 50th pixel's point as a sparse point. */
function geometry(): PairGeometry {
  const points: number[] = [];
  for (let k = 25; k < a.depth.length; k += 50) {
    const z = a.depth[k]!;
    points.push((((k % width) - width / 2) / a.focal) * z, ((Math.floor(k / width) - height / 2) / a.focal) * z, z);
  }
  const none = new Float64Array(0);
  return {
    secondFromFirst: multiply4(invertRigid(b.worldFromCamera), a.worldFromCamera),
    focalA: a.focal,
    focalB: b.focal,
    centreA: [width / 2, height / 2],
    centreB: [width / 2, height / 2],
    points: Float64Array.from(points),
    pixelsA: none,
    pixelsB: none,
    parallax: 8,
  };
}

/** Relative depth errors of the confident pixels of the first view, sorted, and their share. */
function errorsOf({ pointsA, confidenceA }: DensePair): { errors: number[]; share: number } {
  const errors: number[] = [];
  confidenceA.forEach((confidence, k) => {
    if (confidence > 1) errors.push(Math.abs(pointsA[3 * k + 2]! / a.depth[k]! - 1));
  });
  return { errors: errors.sort((p, q) => p - q), share: errors.length / confidenceA.length };
}

describe('dense depth along known geometry', () => {
  test('depths are right where it is confident, in both views and one frame', async () => {
    const dense = await densePair(view(a), view(b), geometry(), pool);
    const { errors, share } = errorsOf(dense);
    expect(share).toBeGreaterThan(0.45);
    expect(errors[errors.length >> 1]).toBeLessThan(0.01);
    expect(errors[Math.floor(errors.length * 0.95)]).toBeLessThan(0.06);
    // The second view's points lie in the first camera's frame: bring them to the second's and compare.
    const T = geometry().secondFromFirst;
    const relative: number[] = [];
    dense.confidenceB.forEach((confidence, k) => {
      if (confidence <= 1) return;
      const [x, y, z] = dense.pointsB.subarray(3 * k, 3 * k + 3) as unknown as [number, number, number];
      relative.push(Math.abs((T[8]! * x + T[9]! * y + T[10]! * z + T[11]!) / b.depth[k]! - 1));
    });
    relative.sort((p, q) => p - q);
    expect(relative.length / dense.confidenceB.length).toBeGreaterThan(0.45);
    expect(relative[relative.length >> 1]).toBeLessThan(0.01);
    expect(dense.pointsA.every(Number.isFinite) && dense.pointsB.every(Number.isFinite)).toBe(true);
  });

  test.each([1, 2, 3])('a photo rolled by %i quarter turns gives the same', async (quarters) => {
    const roll = rigid(rotationFromVector(0, 0, (quarters * Math.PI) / 2), [0, 0, 0]);
    const lying = quarters % 2 === 1;
    const rolled = room.render(
      multiply4(b.worldFromCamera, invertRigid(roll)),
      200,
      lying ? height : width,
      lying ? width : height,
    );
    const dense = await densePair(
      view(a),
      { ...view(rolled), width: rolled.width, height: rolled.height },
      {
        ...geometry(),
        secondFromFirst: multiply4(invertRigid(rolled.worldFromCamera), a.worldFromCamera),
        centreB: [rolled.width / 2, rolled.height / 2],
      },
      pool,
    );
    const { errors, share } = errorsOf(dense);
    expect(share).toBeGreaterThan(0.45);
    expect(errors[errors.length >> 1]).toBeLessThan(0.01);
    const T = multiply4(invertRigid(rolled.worldFromCamera), a.worldFromCamera);
    const ofB: number[] = [];
    dense.confidenceB.forEach((confidence, k) => {
      const [x, y, z] = dense.pointsB.subarray(3 * k, 3 * k + 3) as unknown as [number, number, number];
      if (confidence > 1) ofB.push(Math.abs((T[8]! * x + T[9]! * y + T[10]! * z + T[11]!) / rolled.depth[k]! - 1));
    });
    ofB.sort((p, q) => p - q);
    expect(ofB.length / dense.confidenceB.length).toBeGreaterThan(0.45);
    expect(ofB[ofB.length >> 1]).toBeLessThan(0.01);
  });

  test('what has no texture has no confidence', async () => {
    const blank = (pixels: Uint8Array) => {
      const out = pixels.slice();
      out.fill(200, 0, width * 60 * 3);
      return out;
    };
    const { confidenceA } = await densePair(view(a, blank(a.pixels)), view(b, blank(b.pixels)), geometry(), pool);
    let sure = 0;
    for (let k = 0; k < width * 50; k++) if (confidenceA[k]! > 1) sure++;
    expect(sure / (width * 50)).toBeLessThan(0.02);
  });

  test('a photo of something else has almost none', async () => {
    const other = new Room(77).render(poseB!, 200, width, height);
    const { share } = errorsOf(await densePair(view(a), view(other), geometry(), pool));
    expect(share).toBeLessThan(0.03);
  });

  test('an abort ends it', async () => {
    const controller = new AbortController();
    const running = densePair(view(a), view(b), geometry(), pool, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });
});

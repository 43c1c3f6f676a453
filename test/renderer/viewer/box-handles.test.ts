import { PerspectiveCamera, Quaternion, Ray, Vector3 } from 'three';
import { describe, expect, test } from 'vitest';
import {
  boxHandles,
  draggedBox,
  handlePlace,
  turnedBox,
  type BoxHandle,
} from '../../../renderer/viewer/box-handles.js';
import { photoPixelAt, projectionThrough, rayThrough, uprightOf } from '../../../renderer/viewer/frames.js';
import { projectorOf } from '../../../renderer/viewer/projector.js';
import type { SceneRegion } from '../../../electron/contract/scene.js';
import { ringOfCameras } from './synthetic.js';

const box = turnedBox({ centre: [1, 2, 3], size: [2, 4, 6], rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1] }, Math.PI / 6);
const eye = new Vector3(9, -7, 6);
const sightOf = (place: Vector3): Ray => new Ray(eye, place.clone().sub(eye).normalize());
/** A handle dragged so that it lies under the pointer again. */
const drag = (handle: BoxHandle, by: Vector3): SceneRegion => {
  const place = handlePlace(box, handle);
  return draggedBox(box, handle, sightOf(place), sightOf(place.clone().add(by)));
};

describe('the handles of a crop box', () => {
  test('a face goes where the pointer is, and the face opposite stays', () => {
    for (const handle of boxHandles.filter((each) => each.kind === 'face')) {
      const opposite = { ...handle, sign: -handle.sign as 1 | -1 };
      const normal = handlePlace(box, handle)
        .sub(new Vector3(...box.centre))
        .normalize();
      const after = drag(handle, normal.clone().multiplyScalar(0.7));
      expect(after.size[handle.axis]).toBeCloseTo(box.size[handle.axis] + 0.7, 6);
      expect(handlePlace(after, opposite).distanceTo(handlePlace(box, opposite))).toBeLessThan(1e-6);
      expect(drag(handle, normal.clone().multiplyScalar(-100)).size.every((side) => side > 0)).toBe(true);
    }
  });

  test('the turn is about up, through the middle; the whole box moves over the ground', () => {
    const place = handlePlace(box, { kind: 'turn' });
    const arm = place.clone().sub(new Vector3(...box.centre));
    const goal = arm.clone().applyAxisAngle(new Vector3(0, 0, 1), 0.4);
    const after = drag({ kind: 'turn' }, goal.sub(arm));
    expect(after.centre).toEqual(box.centre);
    turnedBox(box, 0.4).rotation.forEach((value, k) => expect(after.rotation[k]).toBeCloseTo(value, 6));
    const moved = drag({ kind: 'move' }, new Vector3(0.5, -0.25, 0));
    [1.5, 1.75, 3].forEach((value, k) => expect(moved.centre[k]).toBeCloseTo(value, 6));
  });

  test('seen from the side nothing flies away', () => {
    const side = (place: Vector3): Ray =>
      new Ray(place.clone().add(new Vector3(0, -10, 0.01)), new Vector3(0, 1, -0.001).normalize());
    const place = handlePlace(box, { kind: 'move' });
    const after = draggedBox(box, { kind: 'move' }, side(place), side(place.clone().add(new Vector3(0.3, 0, 0.1))));
    expect(new Vector3(...after.centre).distanceTo(new Vector3(...box.centre))).toBeLessThan(1);
  });
});

test('the screen and the scene frame are one the inverse of the other', () => {
  const camera = new PerspectiveCamera(45, 1.5, 0.01, 100);
  camera.position.set(1, 2, 8);
  camera.lookAt(0, 0, 0);
  camera.updateMatrixWorld();
  const turn = new Quaternion().setFromAxisAngle(new Vector3(1, 2, 3).normalize(), 0.7);
  const m = new Vector3(0, 0, 0);
  const rows = [0, 1, 2].map((row) =>
    [0, 1, 2].map((column) => {
      m.set(Number(column === 0), Number(column === 1), Number(column === 2)).applyQuaternion(turn);
      return 2 * m.getComponent(row);
    }),
  );
  const matrix = [...rows[0]!, 0.3, ...rows[1]!, -0.2, ...rows[2]!, 0.1, 0, 0, 0, 1];
  const frame = { matrix, scale: 2 };
  const projector = projectorOf(camera, uprightOf(frame), frame, { width: 600, height: 400 });
  const point = new Vector3(0.4, 0.6, -0.3);
  const at = projector.toScreen(point)!;
  expect(projector.ray(...at).distanceToPoint(point)).toBeLessThan(1e-6);
  const ray = projector.ray(300, 200);
  expect(projector.toScreen(ray.at(-20, new Vector3()))).toBeUndefined();
});

test('a mark in a photo that is looked through is the pixel that the photo shows there', () => {
  const [some] = ringOfCameras(1);
  const camera = { ...some!, width: 800, height: 600, fx: 700, fy: 700, cx: 410, cy: 290, k1: -0.15 };
  const size = { width: 1000, height: 500 };
  const [pixelX, pixelY] = [90, 520];
  const [x, y] = rayThrough(camera, pixelX, pixelY);
  const clip = new Vector3(x, -y, -1).applyMatrix4(projectionThrough(camera, size, 0.01, 100));
  const found = photoPixelAt(camera, size, ((clip.x + 1) / 2) * size.width, ((1 - clip.y) / 2) * size.height)!;
  expect(found.x).toBeCloseTo(pixelX, 3);
  expect(found.y).toBeCloseTo(pixelY, 3);
  expect(photoPixelAt(camera, size, 2, 250)).toBeUndefined();
});

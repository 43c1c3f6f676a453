import { Matrix4, PerspectiveCamera, Quaternion, Vector3 } from 'three';
import { describe, expect, it } from 'vitest';
import type { CameraInfo } from '../../../electron/contract/api.js';
import {
  cameraFromThree,
  imageCorners,
  letterbox,
  projectionThrough,
  rayThrough,
  originOf,
  uprightOf,
  worldFromCamera,
} from '../../../renderer/viewer/frames.js';
import { fittingDistance } from '../../../renderer/viewer/navigation.js';
import { sheetGeometry } from '../../../renderer/viewer/PhotoSheet.js';
import { firstPhotoUpright, ringOfCameras } from './synthetic.js';

const odd: CameraInfo = { ...ringOfCameras(7)[2]!, width: 1200, height: 800, fx: 900, fy: 950, cx: 640, cy: 350 };

/** Where a point of the world is seen by a camera, pixels of its photo, centres at integers. */
function pixelOf(camera: CameraInfo, world: Vector3): [number, number] {
  const { x, y, z } = world.clone().applyMatrix4(worldFromCamera(camera).invert());
  const bend = 1 + camera.k1 * ((x / z) ** 2 + (y / z) ** 2);
  return [camera.cx + (camera.fx * bend * x) / z, camera.cy + (camera.fy * bend * y) / z];
}

/** Where the 3D view draws it when it looks through the camera, pixels of the box from its left top corner. */
function drawnAt(
  camera: CameraInfo,
  world: Vector3,
  box: { width: number; height: number },
  upright: Quaternion,
): [number, number] {
  const eye = new PerspectiveCamera();
  eye.matrixAutoUpdate = false;
  eye.matrix.makeRotationFromQuaternion(upright).multiply(worldFromCamera(camera)).multiply(cameraFromThree);
  eye.updateMatrixWorld(true);
  eye.projectionMatrix.copy(projectionThrough(camera, box, 0.01, 100));
  const { x, y } = world.clone().applyQuaternion(upright).project(eye);
  return [((x + 1) / 2) * box.width, ((1 - y) / 2) * box.height];
}

describe('looking through a camera', () => {
  const points = [new Vector3(0.3, 0.2, 0.4), new Vector3(-0.6, 0.1, 0), new Vector3(0, -0.5, -0.5)];
  const upright = uprightOf(firstPhotoUpright);

  it.each([
    [1280, 400],
    [300, 900],
    [600, 400],
  ])('draws a point on its pixel of the letterboxed photo, %i by %i', (width, height) => {
    const photo = letterbox(odd, { width, height });
    for (const point of points) {
      const [u, v] = pixelOf(odd, point);
      const [x, y] = drawnAt(odd, point, { width, height }, upright);
      // Pixel centres at integers: the photo's edge is half a pixel before the first centre.
      expect(x).toBeCloseTo(photo.left + ((u + 0.5) / odd.width) * photo.width, 3);
      expect(y).toBeCloseTo(photo.top + ((v + 0.5) / odd.height) * photo.height, 3);
    }
  });

  it.each([0.08, -0.12])('lays the photo of a lens that bends by k1 = %f over the points it shows', (k1) => {
    const bent = { ...odd, k1 };
    const [positions, pictures] = ['position', 'uv'].map((name) => sheetGeometry(bent).getAttribute(name));
    for (let k = 0; k < positions!.count; k += 37) {
      const world = new Vector3()
        .fromBufferAttribute(positions!, k)
        .multiplyScalar(3)
        .applyMatrix4(worldFromCamera(bent));
      const [u, v] = pixelOf(bent, world);
      expect(u).toBeCloseTo(pictures!.getX(k) * bent.width - 0.5, 1);
      expect(v).toBeCloseTo((1 - pictures!.getY(k)) * bent.height - 0.5, 1);
    }
  });

  it('gives a pixel beyond the fold of a strong lens the ray at the fold', () => {
    const fold = 1 / Math.sqrt(3 * 0.5);
    expect(Math.hypot(...rayThrough({ ...odd, k1: -0.5 }, odd.cx + 5000, odd.cy))).toBeCloseTo(fold, 6);
    expect(rayThrough({ ...odd, k1: -0.5 }, odd.cx, odd.cy)).toEqual([0, 0]);
  });

  it('shows whole photos, as large as they go', () => {
    expect(letterbox({ width: 4, height: 3 }, { width: 800, height: 300 })).toEqual({
      left: 200,
      top: 0,
      width: 400,
      height: 300,
    });
    expect(letterbox({ width: 3, height: 4 }, { width: 300, height: 800 })).toEqual({
      left: 0,
      top: 200,
      width: 300,
      height: 400,
    });
  });
});

describe('the frustum', () => {
  it('has its corners where the edge of the photo is', () => {
    const [leftTop, , rightBottom] = imageCorners(odd, 2).map((corner) =>
      pixelOf(odd, corner.applyMatrix4(worldFromCamera(odd))),
    );
    expect(leftTop).toEqual([expect.closeTo(-0.5), expect.closeTo(-0.5)]);
    expect(rightBottom).toEqual([expect.closeTo(1199.5), expect.closeTo(799.5)]);
  });
});

describe('upright', () => {
  it('turns the scene frame into the room of the screen: z is up there, y goes away from the viewer', () => {
    const scale = 2.5;
    const turn = new Quaternion().setFromAxisAngle(new Vector3(1, 2, 3).normalize(), 1.1);
    const sceneFromWorld = new Matrix4().compose(new Vector3(3, -4, 5), turn, new Vector3().setScalar(scale));
    const frame = { matrix: sceneFromWorld.clone().transpose().toArray(), scale };
    const worldFromScene = turn.clone().invert();
    const inRoom = (x: number, y: number, z: number): number[] =>
      new Vector3(x, y, z).applyQuaternion(worldFromScene).applyQuaternion(uprightOf(frame)).toArray();
    expect(inRoom(0, 0, 1)).toEqual([0, 1, 0].map((value) => expect.closeTo(value, 6)));
    expect(inRoom(0, 1, 0)).toEqual([0, 0, -1].map((value) => expect.closeTo(value, 6)));
    expect(inRoom(1, 0, 0)).toEqual([1, 0, 0].map((value) => expect.closeTo(value, 6)));
    // The world's point that is the scene's origin, in the room.
    const origin = new Vector3(0, 0, 0).applyMatrix4(sceneFromWorld.clone().invert()).applyQuaternion(uprightOf(frame));
    expect(originOf(frame).toArray()).toEqual(origin.toArray().map((value) => expect.closeTo(value, 6)));
  });
});

describe('fitting to the view', () => {
  it('stands where all points are in the picture, and the outermost at its edge', () => {
    const camera = new PerspectiveCamera(45, 1.6, 0.01, 1000);
    const points = [new Vector3(3, 0, 0), new Vector3(-3, 1, 2), new Vector3(0, -1, -4), new Vector3(1, 2, 0)];
    for (const back of [
      new Vector3(0, 0, 1),
      new Vector3(0.35, 0.35, 1).normalize(),
      new Vector3(-1, 0.2, 0.1).normalize(),
    ]) {
      camera.position.copy(back).multiplyScalar(fittingDistance(new Vector3(), points, back, camera));
      camera.lookAt(0, 0, 0);
      camera.updateMatrixWorld();
      const reach = Math.max(
        ...points.map((point) => point.clone().project(camera)).map(({ x, y }) => Math.max(Math.abs(x), Math.abs(y))),
      );
      expect(reach).toBeCloseTo(1, 4);
    }
  });
});

import { Matrix4, Ray, Vector3, Vector4, type Camera, type Quaternion } from 'three';
import type { FrameInfo, Vector } from '../../electron/contract/scene.js';

/** Between points of the scene frame and the screen, CSS pixels, as one frame was drawn. */
export interface Projector {
  /** Undefined for what lies behind the eye. */
  toScreen(point: Vector3 | Vector): readonly [x: number, y: number] | undefined;
  /** The line of sight through a place of the screen, scene frame. */
  ray(x: number, y: number): Ray;
}

/** @param upright turns the world into the room of the screen */
export function projectorOf(
  camera: Camera,
  upright: Quaternion,
  { matrix }: Pick<FrameInfo, 'matrix'>,
  size: { width: number; height: number },
): Projector {
  const worldFromScene = new Matrix4().set(...(matrix as Parameters<Matrix4['set']>)).invert();
  const clipFromScene = new Matrix4()
    .multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse)
    .multiply(new Matrix4().makeRotationFromQuaternion(upright))
    .multiply(worldFromScene);
  const sceneFromClip = clipFromScene.clone().invert();
  return {
    toScreen: (point) => {
      const [x, y, z] = point instanceof Vector3 ? point.toArray() : point;
      const clip = new Vector4(x, y, z, 1).applyMatrix4(clipFromScene);
      if (clip.w <= 0) return undefined;
      return [((clip.x / clip.w + 1) / 2) * size.width, ((1 - clip.y / clip.w) / 2) * size.height];
    },
    ray: (x, y) => {
      const [u, v] = [(x / size.width) * 2 - 1, 1 - (y / size.height) * 2];
      const from = new Vector3(u, v, -1).applyMatrix4(sceneFromClip);
      const to = new Vector3(u, v, 0.5).applyMatrix4(sceneFromClip);
      return new Ray(from, to.sub(from).normalize());
    },
  };
}

/** Tells what lies over the picture how the frames are projected: nothing is rendered anew when only the view moves. */
export class Frames {
  last: Projector | undefined;
  private readonly listeners = new Set<(projector: Projector) => void>();

  /** Calls back at once, if there has been a frame, and at every frame from then on. @returns how to end that */
  follow(listener: (projector: Projector) => void): () => void {
    this.listeners.add(listener);
    if (this.last) listener(this.last);
    return () => this.listeners.delete(listener);
  }

  tell(projector: Projector): void {
    this.last = projector;
    for (const listener of this.listeners) listener(projector);
  }
}

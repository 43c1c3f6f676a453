import { Vector3, type Camera, type Quaternion } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import { imageCorners, worldFromCamera } from './frames.js';

/**
 * Moves an element above the picture of a frustum, wherever that is on the screen in this frame: no React state changes
 * with the view.
 */
export function placeLabel(
  element: HTMLElement,
  camera: CameraInfo,
  depth: number,
  upright: Quaternion,
  view: Camera,
  size: { width: number; height: number },
): void {
  const pose = worldFromCamera(camera);
  const corners = imageCorners(camera, depth).map((corner) =>
    corner.applyMatrix4(pose).applyQuaternion(upright).project(view),
  );
  const behind = new Vector3().setFromMatrixPosition(pose).applyQuaternion(upright).project(view).z > 1;
  const x = corners.reduce((sum, corner) => sum + corner.x, 0) / corners.length;
  const y = Math.max(...corners.map((corner) => corner.y));
  element.style.visibility = behind ? 'hidden' : 'visible';
  element.style.translate = `calc(${(((x + 1) / 2) * size.width).toFixed(1)}px - 50%) calc(${(((1 - y) / 2) * size.height).toFixed(1)}px - 100% - 6px)`;
}

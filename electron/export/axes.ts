import { multiply4 } from '../numerics/linear.js';

/*
 * What formats agree on about axes. A scene leaves the studio in the scene frame, which has z up as Blender's world has;
 * glTF's and Nuke's have y up; and all of them have cameras that look along -z with y up.
 */

/** glTF's world (y up) from the scene frame (z up): (x, y, z) becomes (x, z, -y). */
export const GLTF_FROM_SCENE = Float64Array.of(1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1);
/** From a camera that looks along -z with y up to ours and back. */
const CAMERA_TURN = Float64Array.of(1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1);

/** Pose of a camera that looks along -z with y up, in the same world, row-major. */
export function turnedCamera(worldFromCamera: Float64Array): Float64Array {
  return multiply4(worldFromCamera, CAMERA_TURN);
}

/** The same in glTF's world. */
export function gltfCamera(sceneFromCamera: Float64Array): Float64Array {
  return turnedCamera(multiply4(GLTF_FROM_SCENE, sceneFromCamera));
}

/** Turns points of the scene frame [n, 3] into glTF's world, in place. */
export function turnToGltf(points: Float32Array): void {
  for (let k = 0; k < points.length; k += 3) {
    const y = points[k + 1]!;
    points[k + 1] = points[k + 2]!;
    points[k + 2] = -y;
  }
}

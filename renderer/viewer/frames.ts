import { Matrix4, Quaternion, Vector3 } from 'three';
import type { CameraInfo } from '../../electron/contract/api.js';
import type { FrameInfo, SceneRegion } from '../../electron/contract/scene.js';

/** A pose as three.js has it. The rows are the contract's; the camera frame stays x right, y down, z forward. */
export function worldFromCamera({ worldFromCamera: m }: CameraInfo): Matrix4 {
  return new Matrix4().set(...(m as Parameters<Matrix4['set']>));
}

/** From the product's camera frame (y down, z forward) to that of three.js (y up, z backward). */
export const cameraFromThree = new Matrix4().makeScale(1, -1, -1);

/** The room of the screen (x right, y up, z towards the viewer) from the scene frame (x right, y away, z up). */
export const roomFromScene = new Quaternion().setFromAxisAngle(new Vector3(1, 0, 0), -Math.PI / 2);

/** The turn of a cloud, and of its cameras, into the room of the screen: that of its scene frame. */
export function uprightOf({ matrix, scale }: Pick<FrameInfo, 'matrix' | 'scale'>): Quaternion {
  const sceneFromWorld = new Matrix4().set(...(matrix as Parameters<Matrix4['set']>));
  const turn = new Quaternion().setFromRotationMatrix(sceneFromWorld.scale(new Vector3().setScalar(1 / scale)));
  return roomFromScene.clone().multiply(turn);
}

/** Where the scene's origin is in the room of the screen, whose unit is the cloud's own. */
export function originOf({ matrix, scale }: Pick<FrameInfo, 'matrix' | 'scale'>): Vector3 {
  return new Vector3(matrix[3], matrix[7], matrix[11]).multiplyScalar(-1 / scale).applyQuaternion(roomFromScene);
}

/** A turn of the scene frame as a turn of the room of the screen. */
export const turnOfRoom = (turn: Quaternion): Quaternion =>
  roomFromScene.clone().multiply(turn).multiply(roomFromScene.clone().invert());

/** The middle of a cloud and a radius that lies inside its bulk, scene frame. */
export function sceneCentre(
  cloud: { centre: Vector3; radius: number },
  { matrix, scale }: Pick<FrameInfo, 'matrix' | 'scale'>,
): { centre: [number, number, number]; radius: number } {
  const sceneFromWorld = new Matrix4().set(...(matrix as Parameters<Matrix4['set']>));
  return { centre: cloud.centre.clone().applyMatrix4(sceneFromWorld).toArray(), radius: 0.6 * cloud.radius * scale };
}

/** Takes the world to a crop box whose sides are one: inside are the points within a half of its middle. */
export function boxOf({ centre, size, rotation: r }: SceneRegion, { matrix }: Pick<FrameInfo, 'matrix'>): Matrix4 {
  const [a, b, c, d, e, f, g, h, i] = r as [number, number, number, number, number, number, number, number, number];
  const sceneFromBox = new Matrix4()
    .set(a, b, c, centre[0], d, e, f, centre[1], g, h, i, centre[2], 0, 0, 0, 1)
    .scale(new Vector3(...size));
  const sceneFromWorld = new Matrix4().set(...(matrix as Parameters<Matrix4['set']>));
  return sceneFromBox.invert().multiply(sceneFromWorld);
}

export interface Rectangle {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Where a photo of this shape lies in a box, whole and as large as it goes. */
export function letterbox(
  { width, height }: { width: number; height: number },
  box: { width: number; height: number },
): Rectangle {
  const scale = Math.min(box.width / width, box.height / height);
  return {
    left: (box.width - width * scale) / 2,
    top: (box.height - height * scale) / 2,
    width: width * scale,
    height: height * scale,
  };
}

/**
 * The projection that shows the world through a camera, its photo letterboxed in the box: the pinhole part, the
 * principal point off the middle included. Pixel centres lie at integers, hence the half. Points stay where a pinhole
 * sees them; it is the photo that is unbent (rayThrough).
 */
export function projectionThrough(
  camera: CameraInfo,
  box: { width: number; height: number },
  near: number,
  far: number,
): Matrix4 {
  const { left, top, width } = letterbox(camera, box);
  const scale = width / camera.width;
  const cx = left + (camera.cx + 0.5) * scale;
  const cy = top + (camera.cy + 0.5) * scale;
  const [fx, fy] = [camera.fx * scale, camera.fy * scale];
  return new Matrix4().makePerspective(
    (-near * cx) / fx,
    (near * (box.width - cx)) / fx,
    (near * cy) / fy,
    (-near * (box.height - cy)) / fy,
    near,
    far,
  );
}

/**
 * The original pixel of a photo at a place of the view that looks through its camera: the view shows rays as a pinhole
 * does, the photo bends them. Undefined beside the photo.
 */
export function photoPixelAt(
  camera: CameraInfo,
  box: { width: number; height: number },
  x: number,
  y: number,
): { x: number; y: number } | undefined {
  const { left, top, width } = letterbox(camera, box);
  const scale = width / camera.width;
  const u = ((x - left) / scale - 0.5 - camera.cx) / camera.fx;
  const v = ((y - top) / scale - 0.5 - camera.cy) / camera.fy;
  const bend = 1 + camera.k1 * (u * u + v * v);
  const pixel = { x: camera.cx + camera.fx * u * bend, y: camera.cy + camera.fy * v * bend };
  const inside = pixel.x >= -0.5 && pixel.y >= -0.5 && pixel.x < camera.width - 0.5 && pixel.y < camera.height - 0.5;
  return inside ? pixel : undefined;
}

/** The four corners of a camera's picture at a depth, camera frame: left top, right top, right bottom, left bottom. */
export function imageCorners({ width, height, fx, fy, cx, cy }: CameraInfo, depth: number): Vector3[] {
  return [
    [-0.5, -0.5],
    [width - 0.5, -0.5],
    [width - 0.5, height - 0.5],
    [-0.5, height - 0.5],
  ].map(([x, y]) => new Vector3(((x! - cx) / fx) * depth, ((y! - cy) / fy) * depth, depth));
}

/**
 * Where the ray of a photo's pixel crosses depth 1, camera frame. Solves pixel = centre + focal (x, y)(1 + k1 r^2 + k2
 * r^4), COLMAP's RADIAL, for the radius by Newton's method; where a strong barrel folds the photo back, the ray at the
 * fold is given.
 */
export function rayThrough(
  { fx, fy, cx, cy, k1, k2 = 0 }: Pick<CameraInfo, 'fx' | 'fy' | 'cx' | 'cy' | 'k1' | 'k2'>,
  pixelX: number,
  pixelY: number,
): [x: number, y: number] {
  const [x, y] = [(pixelX - cx) / fx, (pixelY - cy) / fy];
  const bent = Math.hypot(x, y);
  if ((k1 === 0 && k2 === 0) || bent === 0) return [x, y];
  const fold = k1 < 0 && k2 === 0 ? 1 / Math.sqrt(-3 * k1) : Infinity;
  let radius = Math.min(bent, fold);
  for (let step = 0; step < 20; step++) {
    const square = radius ** 2;
    const slope = 1 + square * (3 * k1 + square * 5 * k2);
    if (slope < 1e-6) break;
    const next = Math.min(fold, radius - (radius * (1 + square * (k1 + square * k2)) - bent) / slope);
    if (Math.abs(next - radius) < 1e-12) break;
    radius = next;
  }
  return [(x * radius) / bent, (y * radius) / bent];
}

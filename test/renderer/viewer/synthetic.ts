import type { CameraInfo } from '../../../electron/contract/api.js';
import type { FrameInfo } from '../../../electron/contract/scene.js';

/** Points on a wavy floor and four walls, 10 units wide; x right, y down, z forward, as the studio's world is. */
export function syntheticCloud(count: number) {
  const positions = new Float32Array(count * 3);
  const colors = new Uint8Array(count * 3);
  const confidence = new Float32Array(count);
  const source = new Uint16Array(count);
  const normals = new Float32Array(count * 3);
  let state = 1;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  for (let k = 0; k < count; k++) {
    const [a, b] = [random() * 10 - 5, random()];
    const wall = k % 5;
    const height = 1 - b * 4;
    if (wall === 0) positions.set([a, 1 + 0.1 * Math.sin(a * 3) * Math.cos(b * 20), b * 10 - 5], k * 3);
    else if (wall < 3) positions.set([a, height, wall === 1 ? 5 : -5], k * 3);
    else positions.set([wall === 3 ? 5 : -5, height, a], k * 3);
    normals.set(wall === 0 ? [0, -1, 0] : wall < 3 ? [0, 0, wall === 1 ? -1 : 1] : [wall === 3 ? -1 : 1, 0, 0], k * 3);
    const brick = (Math.floor(a * 2) + Math.floor(b * 8)) % 2 === 0 ? 0.8 : 1;
    colors.set([200 * brick, (120 + 20 * wall) * brick, (60 + 35 * wall) * brick], k * 3);
    confidence[k] = 1 + 4 * random();
    source[k] = k % 20;
  }
  return { positions, colors, confidence, source, normals };
}

/** Cameras on a circle about the origin that look inwards, upright. */
export function ringOfCameras(count: number, radius = 3): CameraInfo[] {
  return Array.from({ length: count }, (_, k) => {
    const angle = (2 * Math.PI * k) / count;
    const [s, c] = [Math.sin(angle), Math.cos(angle)];
    // Columns: x right, y down, z forward = towards the middle.
    const worldFromCamera = [c, 0, s, -radius * s, 0, 1, 0, 0, -s, 0, c, -radius * c, 0, 0, 0, 1];
    return {
      photo: `photo-${k}`,
      name: `photo-${k}.jpg`,
      component: 0,
      width: 1200,
      height: 800,
      fx: 1000,
      fy: 1000,
      cx: 599.5,
      cy: 399.5,
      k1: 0,
      focalSource: 'aligned',
      worldFromCamera,
    };
  });
}

/** The scene frame that leaves the world as its first camera has it: y down becomes z up. */
export const firstPhotoUpright: FrameInfo = {
  level: 'none',
  unit: 'scene',
  matrix: [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1],
  scale: 1,
};

import { multiply3 } from '../numerics/linear.js';
import type { FreeLenses, Reconstruction } from './reconstruction.js';

/** Beyond this spread of the depths, as a share of their middle, perspective tells near from far. */
const FLAT = 0.15;
/** Points that are asked are enough; a piece with fewer tells nothing. */
const LEAST_POINTS = 20;

/**
 * How well a piece turned inside out explains the photos; what explains them better is kept. Seen from far away or through a long lens a shape and its mirror
 * image in depth look the same (the reversal of Necker's cube; Hartley and Zisserman, section 15.3 on affine cameras).
 *
 * @param free as in the adjustment that the piece has behind it
 * @returns cost of the worse over that of the better, both adjusted; undefined where perspective tells
 */
export function chooseMirrored(scene: Reconstruction, free: FreeLenses): number | undefined {
  if (scene.cameras.size < 2 || scene.pointCount < LEAST_POINTS || reliefOf(scene) > FLAT) return undefined;
  const common = { ...free, scale: scene.noiseScale() };
  const undo = scene.snapshot();
  const cost = scene.adjust(common);
  mirror(scene);
  const mirrored = scene.adjust(common);
  if (mirrored < cost) return cost / mirrored;
  undo();
  return mirrored / cost;
}

/** Middle of the points, and how far the depths before a camera spread, as a share of their mean: the most of any camera. */
function reliefOf(scene: Reconstruction): number {
  let most = 0;
  for (const [photo, { rotation: R, translation: t }] of scene.cameras) {
    let [count, sum, squares] = [0, 0, 0];
    for (const s of scene.table.ofPhoto[photo]!) {
      if (!scene.isHeld(s)) continue;
      const p = scene.point(scene.table.track[s]!);
      const z = R[6]! * p[0]! + R[7]! * p[1]! + R[8]! * p[2]! + t[2]!;
      count++;
      sum += z;
      squares += z * z;
    }
    if (count < LEAST_POINTS) continue;
    const mean = sum / count;
    most = Math.max(most, Math.sqrt(Math.max(0, squares / count - mean * mean)) / mean);
  }
  return most;
}

/**
 * Reflects the points at the plane through their middle c across the mean view n, and turns the cameras so that each sees
 * every point where it did, but as far behind c as it was before: R' = S R D and R' c + t' = R c + t with D = 1 - 2 n n',
 * S = diag(1, 1, -1).
 */
function mirror(scene: Reconstruction): void {
  const centre = new Float64Array(3);
  let count = 0;
  for (let track = 0; track < scene.has.length; track++) {
    if (!scene.has[track]) continue;
    scene.point(track).forEach((value, i) => (centre[i] = centre[i]! + value));
    count++;
  }
  for (let i = 0; i < 3; i++) centre[i] = centre[i]! / count;
  const view = new Float64Array(3);
  for (const { rotation } of scene.cameras.values()) for (let i = 0; i < 3; i++) view[i] = view[i]! + rotation[6 + i]!;
  const length = Math.hypot(...view) || 1;
  const n = view.map((value) => value / length);
  const D = Float64Array.from({ length: 9 }, (_, k) => (k % 4 === 0 ? 1 : 0) - 2 * n[Math.floor(k / 3)]! * n[k % 3]!);
  for (let track = 0; track < scene.has.length; track++) {
    if (!scene.has[track]) continue;
    const p = scene.point(track);
    const aside = 2 * [0, 1, 2].reduce((sum, i) => sum + n[i]! * (p[i]! - centre[i]!), 0);
    for (let i = 0; i < 3; i++) p[i] = p[i]! - aside * n[i]!;
  }
  for (const camera of scene.cameras.values()) {
    const { rotation: R, translation: t } = camera;
    const turned = multiply3(R, D);
    for (let i = 6; i < 9; i++) turned[i] = -turned[i]!;
    const moved = [0, 1, 2].map((i) =>
      [0, 1, 2].reduce((sum, j) => sum + (R[3 * i + j]! - turned[3 * i + j]!) * centre[j]!, t[i]!),
    );
    camera.rotation = turned;
    camera.translation = Float64Array.from(moved);
  }
}

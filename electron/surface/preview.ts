import type { Camera } from '../geometry/types.js';
import { sides, type Axis, type Picture } from '../scene/preview.js';
import { drawMesh, type Pages } from './draw.js';
import type { DrawingCamera } from './raster.js';
import type { TexturedMesh } from './textured.js';

const BACKGROUND = 24;
const CAMERA_COLOUR = [255, 170, 60] as const;
/** Shares of the vertices, per axis, that set the frame: far outliers must not make the scene a dot. */
const TRIM = 0.01;
/** Distance of the eye over the size of the scene: nearly without perspective. */
const FAR = 6;
/** Drawn so many times larger, and averaged: a texture seen small flickers otherwise. */
const FINER = 2;

/**
 * The mesh from two sides, side by side: from the front (the way the middle camera looks, level) and from above, the
 * cameras marked. What `previewPicture` is for the cloud.
 *
 * @param mesh, cameras in the scene frame
 * @param width of the whole picture
 */
export function meshPreview(
  mesh: TexturedMesh,
  pages: Pages,
  cameras: readonly Camera[],
  width = 1600,
  height = 800,
): Picture {
  const picture = { width, height, pixels: new Uint8Array(3 * width * height).fill(BACKGROUND) };
  const middle = cameras[cameras.length >> 1];
  if (!middle || mesh.indices.length === 0) return picture;
  const [right, forward] = sides(middle.worldFromCamera);
  const down: Axis = [0, 0, -1];
  const half = width >> 1;
  drawHalf(mesh, pages, cameras, picture, 0, half, [right, down, forward]);
  const back = forward.map((value) => -value) as unknown as Axis;
  drawHalf(mesh, pages, cameras, picture, half, width - half, [right, back, down]);
  return picture;
}

/** @param axes of the picture to the right, down, and away from the eye */
function drawHalf(
  mesh: TexturedMesh,
  pages: Pages,
  cameras: readonly Camera[],
  picture: Picture,
  left: number,
  width: number,
  axes: readonly [Axis, Axis, Axis],
): void {
  const camera = framing(mesh.positions, axes, FINER * width, FINER * picture.height);
  const { pixels, face } = drawMesh(mesh, pages, camera);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < width; x++) {
      const to = 3 * (y * picture.width + left + x);
      for (let i = 0; i < 3; i++) {
        let sum = 0;
        for (let k = 0; k < FINER * FINER; k++) {
          const from = (FINER * y + ((k / FINER) | 0)) * camera.width + FINER * x + (k % FINER);
          sum += face[from] === 0 ? BACKGROUND : pixels[3 * from + i]!;
        }
        picture.pixels[to + i] = Math.round(sum / (FINER * FINER));
      }
    }
  }
  for (const { worldFromCamera: W } of cameras) markCamera(picture, camera, [W[3]!, W[7]!, W[11]!], left, width);
}

/** A far camera that the mesh fills. */
function framing(
  positions: Float32Array,
  axes: readonly [Axis, Axis, Axis],
  width: number,
  height: number,
): DrawingCamera {
  const ranges = axes.map((axis) => {
    const step = 3 * Math.max(1, Math.floor(positions.length / 3 / 20_000));
    const values: number[] = [];
    for (let k = 0; k < positions.length; k += step)
      values.push(axis[0] * positions[k]! + axis[1] * positions[k + 1]! + axis[2] * positions[k + 2]!);
    values.sort((a, b) => a - b);
    const at = (share: number): number => values[Math.min(values.length - 1, Math.floor(share * values.length))]!;
    return [at(TRIM), at(1 - TRIM)] as const;
  });
  const size = ranges.map(([low, high]) => high - low || 1) as [number, number, number];
  const away = FAR * Math.max(...size);
  const focal = away * 0.84 * Math.min(width / size[0], height / size[1]);
  const middle = ranges.map(([low, high]) => (low + high) / 2);
  const shift = [-middle[0]!, -middle[1]!, away - middle[2]!];
  const cameraFromWorld = Float64Array.of(...axes.flatMap((axis, i) => [...axis, shift[i]!]), 0, 0, 0, 1);
  return { width, height, fx: focal, fy: focal, cx: (width - 1) / 2, cy: (height - 1) / 2, cameraFromWorld };
}

function markCamera(
  picture: Picture,
  { cameraFromWorld: M, fx, cx, cy }: DrawingCamera,
  [x, y, z]: readonly [number, number, number],
  left: number,
  width: number,
): void {
  const away = M[8]! * x + M[9]! * y + M[10]! * z + M[11]!;
  if (away <= 0) return;
  const u = Math.round(((fx * (M[0]! * x + M[1]! * y + M[2]! * z + M[3]!)) / away + cx) / FINER);
  const v = Math.round(((fx * (M[4]! * x + M[5]! * y + M[6]! * z + M[7]!)) / away + cy) / FINER);
  for (let py = v - 2; py <= v + 2; py++)
    for (let px = u - 2; px <= u + 2; px++)
      if (px >= 0 && px < width && py >= 0 && py < picture.height)
        picture.pixels.set(CAMERA_COLOUR, 3 * (py * picture.width + left + px));
}

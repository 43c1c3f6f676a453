import type { Projection } from '../../geometry/projection.js';
import { pictureFromFace, type FaceView } from './faces.js';

export interface FaceRequest {
  camera: Projection;
  face: FaceView;
  /** sRGB [camera.height, camera.width, 3]. */
  pixels: Uint8Array;
}

export interface FacePicture {
  /** sRGB [face.height, face.width, 3]. */
  pixels: Uint8Array;
  /** [face.height, face.width], 255 where the picture shows the face; undefined where it shows all of it. */
  shown?: Uint8Array | undefined;
}

/** A face out of its picture, bilinearly. */
export function resampleFace({ camera, face, pixels }: FaceRequest): FacePicture {
  const { width, height } = face;
  const out = new Uint8Array(width * height * 3);
  const shown = new Uint8Array(width * height);
  const at = pictureFromFace(camera, face);
  const wraps = camera.kind === 'equirectangular';
  let hidden = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const k = y * width + x;
      const place = at(x, y);
      if (!place) {
        hidden++;
        continue;
      }
      shown[k] = 255;
      blend(pixels, camera, wraps, place, out, 3 * k);
    }
  }
  return { pixels: out, ...(hidden > 0 ? { shown } : {}) };
}

function blend(
  pixels: Uint8Array,
  { width, height }: Projection,
  wraps: boolean,
  [x, y]: readonly [number, number],
  out: Uint8Array,
  at: number,
): void {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - left, y - top];
  const column = (value: number): number => (wraps ? (value + width) % width : Math.min(width - 1, Math.max(0, value)));
  const row = (value: number): number => Math.min(height - 1, Math.max(0, value)) * width;
  const [x0, x1, y0, y1] = [column(left), column(left + 1), row(top), row(top + 1)];
  const [a, b, c, d] = [3 * (y0 + x0), 3 * (y0 + x1), 3 * (y1 + x0), 3 * (y1 + x1)];
  for (let k = 0; k < 3; k++) {
    const upper = pixels[a + k]! * (1 - fx) + pixels[b + k]! * fx;
    const lower = pixels[c + k]! * (1 - fx) + pixels[d + k]! * fx;
    out[at + k] = Math.round(upper * (1 - fy) + lower * fy);
  }
}

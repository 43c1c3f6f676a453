import type { Scene } from '../geometry/types.js';

export interface Picture {
  width: number;
  height: number;
  /** sRGB [height, width, 3]. */
  pixels: Uint8Array;
}

const BACKGROUND = 24;
const CAMERA_COLOUR = [255, 170, 60] as const;
/** Shares of the points, per axis, that set the frame: far outliers must not make the scene a dot. */
const TRIM = 0.02;

/**
 * The cloud from two sides, orthographic, side by side: from the front (the way the middle camera looks, level) and from
 * above, the cameras marked.
 *
 * @param width of the whole picture; each half is square-ish
 */
export function previewPicture(scene: Scene, width = 1600, height = 800): Picture {
  const pixels = new Uint8Array(width * height * 3).fill(BACKGROUND);
  const picture = { width, height, pixels };
  const half = Math.floor(width / 2);
  const middle = scene.cameras[Math.floor(scene.cameras.length / 2)];
  if (!middle || scene.cloud.confidence.length === 0) return picture;
  const [right, forward] = sides(middle.worldFromCamera);
  const down: Axis = [0, 0, -1];
  draw(scene, picture, 0, half, right, down, forward);
  // From above: x to the right, forward up the page, looking down.
  draw(scene, picture, half, width, right, forward.map((value) => -value) as unknown as Axis, down);
  return picture;
}

/** The level axes that are nearest to a camera's right and forward; the scene's own where it looks straight down. */
export function sides(W: Float64Array): [right: Axis, forward: Axis] {
  const length = Math.hypot(W[2]!, W[6]!);
  const [x, y] = length > 0.3 ? [W[2]! / length, W[6]! / length] : [0, 1];
  return [
    [y, -x, 0],
    [x, y, 0],
  ];
}

export type Axis = readonly [number, number, number];

function draw(
  { cloud, cameras }: Scene,
  picture: Picture,
  left: number,
  end: number,
  x: Axis,
  y: Axis,
  depthAxis: Axis,
): void {
  const { positions, colors } = cloud;
  const n = cloud.confidence.length;
  const along = (axis: Axis, k: number) =>
    axis[0] * positions[3 * k]! + axis[1] * positions[3 * k + 1]! + axis[2] * positions[3 * k + 2]!;
  const centres = cameras.map(({ worldFromCamera: M }) => [M[3]!, M[7]!, M[11]!] as const);
  const range = (axis: Axis): [number, number] => {
    const values: number[] = [];
    for (let k = 0; k < n; k += Math.max(1, Math.floor(n / 20_000))) values.push(along(axis, k));
    values.sort((a, b) => a - b);
    const cut = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))]!;
    return [cut(TRIM), cut(1 - TRIM)];
  };
  const [x0, x1] = range(x);
  const [y0, y1] = range(y);
  const w = end - left;
  const scale = 0.84 * Math.min(w / (x1 - x0 || 1), picture.height / (y1 - y0 || 1));
  const toX = (value: number) => Math.round(left + w / 2 + (value - (x0 + x1) / 2) * scale);
  const toY = (value: number) => Math.round(picture.height / 2 + (value - (y0 + y1) / 2) * scale);
  const nearest = new Float32Array(picture.width * picture.height).fill(Infinity);
  for (let k = 0; k < n; k++) {
    const px = toX(along(x, k));
    const py = toY(along(y, k));
    if (px < left || px + 1 >= end || py < 0 || py + 1 >= picture.height) continue;
    const z = along(depthAxis, k);
    // Two pixels wide, so that a sparse cloud still reads as a surface.
    for (const at of [
      py * picture.width + px,
      py * picture.width + px + 1,
      (py + 1) * picture.width + px,
      (py + 1) * picture.width + px + 1,
    ]) {
      if (z >= nearest[at]!) continue;
      nearest[at] = z;
      for (let i = 0; i < 3; i++) picture.pixels[3 * at + i] = colors[3 * k + i]!;
    }
  }
  for (const centre of centres) {
    const px = toX(x[0] * centre[0] + x[1] * centre[1] + x[2] * centre[2]);
    const py = toY(y[0] * centre[0] + y[1] * centre[1] + y[2] * centre[2]);
    for (let dy = -3; dy <= 3; dy++) {
      for (let dx = -3; dx <= 3; dx++) {
        if (px + dx < left || px + dx >= end || py + dy < 0 || py + dy >= picture.height) continue;
        picture.pixels.set(CAMERA_COLOUR, 3 * ((py + dy) * picture.width + px + dx));
      }
    }
  }
}

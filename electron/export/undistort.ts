import { distort, isPinhole, undistort } from '../geometry/lens.js';
import type { Camera } from '../geometry/types.js';

/**
 * What of a photo its undistorted picture shows. `inside`: the largest rectangle without empty pixels, the widest view
 * that is useful everywhere; `photo`: the size and focal of the photo, with empty pixels where the lens saw less;
 * `all`: everything that the photo shows, with empty borders.
 */
export type Crop = 'inside' | 'photo' | 'all';

/** No picture is more than this many times as wide or high as its photo, however its lens bends the corners. */
const LARGEST_RATIO = 2;
/** Places along each edge of a photo that are undistorted to find the picture's edges. */
const EDGE_SAMPLES = 257;

/**
 * The pinhole camera of a photo's undistorted picture: pose, focal length and principal point (in place, not in
 * numbers) are the photo's; its pixels are square, and the size follows from the crop.
 */
export function pinholeOf(camera: Camera, crop: Crop): Camera {
  if ((isPinhole(camera) && camera.fx === camera.fy) || crop === 'photo')
    return withoutLens(camera, 0, 0, camera.width, camera.height);
  const { inner, outer } = edgesOf(camera);
  const within = ([low, high]: [number, number], size: number): [number, number] => [
    Math.max(low, -((LARGEST_RATIO - 1) / 2) * size),
    Math.min(high, size + ((LARGEST_RATIO - 1) / 2) * size),
  ];
  const edges = crop === 'inside' ? inner : outer;
  const [left, right] = within(edges.x, camera.width);
  const [top, bottom] = within(edges.y, camera.height);
  const whole = crop === 'inside' ? { low: Math.ceil, high: Math.floor } : { low: Math.floor, high: Math.ceil };
  const x = whole.low(left - 1e-6);
  const y = whole.low(top - 1e-6);
  // A picture is at least a pixel wide, whatever a nonsensical lens says.
  const width = Math.max(1, whole.high(right + 1e-6) - x + 1);
  const height = Math.max(1, whole.high(bottom + 1e-6) - y + 1);
  return withoutLens(camera, x, y, width, height);
}

function withoutLens(camera: Camera, left: number, top: number, width: number, height: number): Camera {
  const { k2: _, ...rest } = camera;
  return { ...rest, width, height, fy: camera.fx, cx: camera.cx - left, cy: camera.cy - top, k1: 0 };
}

/** Pixels that a principal point may lie off the middle: to look right it need not be resampled. */
const MIDDLE_ENOUGH = 0.5;

/**
 * The same picture with empty borders that put the principal point into its middle, for cameras of formats that know no
 * other (glTF, .chan): through them, a photo that was cut out of a larger one would not lie over the scene.
 */
export function centred(picture: Camera): Camera {
  const { width, height, cx, cy } = picture;
  const along = (size: number, centre: number): { size: number; centre: number } => {
    if (Math.abs(centre - (size - 1) / 2) <= MIDDLE_ENOUGH) return { size, centre };
    const whole = Math.ceil(2 * Math.max(centre, size - 1 - centre) + 1);
    return { size: whole, centre: (whole - 1) / 2 };
  };
  const [x, y] = [along(width, cx), along(height, cy)];
  return { ...picture, width: x.size, height: y.size, cx: x.centre, cy: y.centre };
}

interface Edges {
  x: [number, number];
  y: [number, number];
}

/** The photo's edges, undistorted, in pixels of the photo: the rectangle inside their curves and the one around them. */
function edgesOf(camera: Camera): { inner: Edges; outer: Edges } {
  const { width, height, fx, fy, cx, cy } = camera;
  const straight = (x: number, y: number): [number, number] => {
    const [u, v] = undistort(camera, (x - cx) / fx, (y - cy) / fy);
    // The picture's pixels are as wide as the photo's, and square.
    return [u * fx + cx, v * fx + cy];
  };
  const along = Array.from({ length: EDGE_SAMPLES }, (_, k) => k / (EDGE_SAMPLES - 1));
  const left = along.map((t) => straight(0, t * (height - 1))[0]);
  const right = along.map((t) => straight(width - 1, t * (height - 1))[0]);
  const top = along.map((t) => straight(t * (width - 1), 0)[1]);
  const bottom = along.map((t) => straight(t * (width - 1), height - 1)[1]);
  return {
    inner: {
      x: [Math.max(...left), Math.min(...right)],
      y: [Math.max(...top), Math.min(...bottom)],
    },
    outer: {
      x: [Math.min(...left), Math.max(...right)],
      y: [Math.min(...top), Math.max(...bottom)],
    },
  };
}

/** Pixels with their size and channels; one row after another. */
export interface Picture<Samples extends Uint8Array | Uint16Array | Float32Array = Uint8Array> {
  width: number;
  height: number;
  channels: number;
  samples: Samples;
}

/** Where a pixel of the undistorted picture lies in its photo, centres at integers. */
export function photoFromPicture(
  camera: Camera,
  picture: Camera,
  x: number,
  y: number,
  out: [number, number] = [0, 0],
): [number, number] {
  const [u, v] = distort(camera, (x - picture.cx) / picture.fx, (y - picture.cy) / picture.fy);
  out[0] = u * camera.fx + camera.cx;
  out[1] = v * camera.fy + camera.cy;
  return out;
}

/** Catmull-Rom's weights of four neighbours, for this many steps between two pixels. */
const STEPS = 1024;
const WEIGHTS = Float32Array.from({ length: 4 * (STEPS + 1) }, (_, k) => {
  const t = Math.floor(k / 4) / STEPS;
  const [a, b, c] = [t, t * t, t * t * t];
  return [-a / 2 + b - c / 2, 1 - 2.5 * b + 1.5 * c, a / 2 + 2 * b - 1.5 * c, -b / 2 + c / 2][k % 4]!;
});

/**
 * Rows [first, first + rows) of a photo's undistorted picture, bicubic (Catmull-Rom: as sharp as the photo, where
 * bilinear sampling blurs). Pixels that the photo does not show are 0.
 */
export function undistortRows<Samples extends Uint8Array | Uint16Array>(
  photo: Picture<Samples>,
  camera: Camera,
  picture: Camera,
  first: number,
  rows: number,
): Samples {
  const { width, height, channels, samples } = photo;
  const most = samples instanceof Uint16Array ? 65535 : 255;
  const out = new (samples.constructor as { new (n: number): Samples })(rows * picture.width * channels);
  const columns = new Int32Array(4);
  const place: [number, number] = [0, 0];
  let at = 0;
  for (let y = first; y < first + rows; y++)
    for (let x = 0; x < picture.width; x++, at += channels) {
      photoFromPicture(camera, picture, x, y, place);
      const [sx, sy] = place;
      if (!(sx > -0.5 && sy > -0.5 && sx < width - 0.5 && sy < height - 0.5)) continue;
      const x0 = Math.floor(sx);
      const y0 = Math.floor(sy);
      const wx = 4 * Math.round((sx - x0) * STEPS);
      const wy = 4 * Math.round((sy - y0) * STEPS);
      for (let i = 0; i < 4; i++) columns[i] = channels * Math.min(width - 1, Math.max(0, x0 - 1 + i));
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let j = 0; j < 4; j++) {
          const row = width * channels * Math.min(height - 1, Math.max(0, y0 - 1 + j)) + c;
          sum +=
            WEIGHTS[wy + j]! *
            (WEIGHTS[wx]! * samples[row + columns[0]!]! +
              WEIGHTS[wx + 1]! * samples[row + columns[1]!]! +
              WEIGHTS[wx + 2]! * samples[row + columns[2]!]! +
              WEIGHTS[wx + 3]! * samples[row + columns[3]!]!);
        }
        out[at + c] = Math.min(most, Math.max(0, Math.round(sum)));
      }
    }
  return out;
}

/** Where the undistorted picture shows a pixel of its photo; undefined outside. */
export function inPicture(
  { photo, camera }: { photo: Camera; camera: Camera },
  x: number,
  y: number,
): [number, number] | undefined {
  const [u, v] = undistort(photo, (x - photo.cx) / photo.fx, (y - photo.cy) / photo.fy);
  const at: [number, number] = [camera.fx * u + camera.cx, camera.fy * v + camera.cy];
  const inside = at[0] >= -0.5 && at[1] >= -0.5 && at[0] < camera.width - 0.5 && at[1] < camera.height - 0.5;
  return inside ? at : undefined;
}

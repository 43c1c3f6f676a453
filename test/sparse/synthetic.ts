import type { BlobStore, PhotoReader } from '../../electron/geometry/stage.js';
import { createHash } from 'node:crypto';
import { multiply3, randomNumbers, rotationFromVector, transpose3 } from '../../electron/numerics/linear.js';
import type { Pair, Photo } from '../../electron/geometry/types.js';
import { project, type Lens, type PlacedCamera } from '../../electron/sparse/bundle.js';
import type { VerifiedPair } from '../../electron/sparse/structure.js';

export type Vector = [number, number, number];

/** A camera at `centre` that looks at `target`, y down. */
export function lookAt(centre: Vector, target: Vector, lens = 0): PlacedCamera {
  const unit = (v: number[]): Vector => v.map((x) => x / Math.hypot(...v)) as Vector;
  const cross = (p: Vector, q: Vector): Vector => [
    p[1] * q[2] - p[2] * q[1],
    p[2] * q[0] - p[0] * q[2],
    p[0] * q[1] - p[1] * q[0],
  ];
  const z = unit([target[0] - centre[0], target[1] - centre[1], target[2] - centre[2]]);
  const x = unit(cross([0, 1, 0], z));
  const rotation = Float64Array.of(...x, ...cross(z, x), ...z);
  return {
    lens,
    rotation,
    translation: Float64Array.from(
      [0, 1, 2],
      (i) => -(rotation[3 * i]! * centre[0] + rotation[3 * i + 1]! * centre[1] + rotation[3 * i + 2]! * centre[2]),
    ),
    fixed: false,
  };
}

/** Cameras on an arc of `degrees` round the origin. */
export function arc(count: number, degrees: number, distance = 6): PlacedCamera[] {
  return Array.from({ length: count }, (_, k) => {
    const angle = ((k / Math.max(1, count - 1) - 0.5) * degrees * Math.PI) / 180;
    return lookAt([distance * Math.sin(angle), 0.3 * Math.sin(3 * k), -distance * Math.cos(angle)], [0, 0, 0]);
  });
}

/** Points in a box of half-widths 2, 1.5 and `depth`. */
export function scatter(count: number, seed: number, depth = 2): Vector[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => [4 * random() - 2, 3 * random() - 1.5, depth * (2 * random() - 1)]);
}

/**
 * Positions in long sides relative to the centre, with noise of this standard deviation; undefined: not in the picture
 * (4:3).
 */
export function see(
  camera: PlacedCamera,
  lens: Lens,
  points: readonly Vector[],
  noise: number,
  random: () => number,
): ([number, number] | undefined)[] {
  const out = new Float64Array(2);
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return points.map(([x, y, z]) => {
    if (!project(camera, lens, x, y, z, out) || Math.abs(out[0]!) > 0.5 || Math.abs(out[1]!) > 0.375) return undefined;
    return [out[0]! + noise * gaussian(), out[1]! + noise * gaussian()];
  });
}

/** x_b = rotation x_a + translation. */
export function relative(a: PlacedCamera, b: PlacedCamera): { rotation: Float64Array; translation: Float64Array } {
  const rotation = multiply3(b.rotation, transpose3(a.rotation));
  const moved = [0, 1, 2].map(
    (i) => b.translation[i]! - [0, 1, 2].reduce((sum, j) => sum + rotation[3 * i + j]! * a.translation[j]!, 0),
  );
  return { rotation, translation: Float64Array.from(moved, (value) => value / (Math.hypot(...moved) || 1)) };
}

/** Every pair of exact cameras, as one that was verified. */
export function exactPairs(cameras: readonly PlacedCamera[]): VerifiedPair[] {
  return cameras.flatMap((a, i) =>
    cameras.slice(i + 1).map((b, k): VerifiedPair => ({
      a: i,
      b: i + 1 + k,
      ...relative(a, b),
      inlierCount: 100,
      parallax: 10,
      rotationShare: 0,
    })),
  );
}

export function directionDifference(u: ArrayLike<number>, v: ArrayLike<number>): number {
  const dot = u[0]! * v[0]! + u[1]! * v[1]! + u[2]! * v[2]!;
  return (
    (Math.acos(Math.max(-1, Math.min(1, dot / (Math.hypot(u[0]!, u[1]!, u[2]!) * Math.hypot(v[0]!, v[1]!, v[2]!))))) *
      180) /
    Math.PI
  );
}

export const turn = (x: number, y: number, z: number): Float64Array =>
  rotationFromVector((x * Math.PI) / 180, (y * Math.PI) / 180, (z * Math.PI) / 180);

/** A texture without repetition: value noise over five octaves, 0 to 1. */
export function texture(seed: number): (u: number, v: number) => number {
  const hash = (i: number, j: number): number => {
    let h = Math.imul(i, 374761393) ^ Math.imul(j, 668265263) ^ Math.imul(seed, 974634749);
    h = Math.imul(h ^ (h >>> 13), 1274126177);
    return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
  };
  return (u, v) => {
    let sum = 0;
    for (let octave = 0, scale = 3, weight = 0.5; octave < 5; octave++, scale *= 2.1, weight *= 0.75) {
      const [x, y] = [u * scale, v * scale];
      const [i, j] = [Math.floor(x), Math.floor(y)];
      const [p, q] = [x - i, y - j];
      sum +=
        weight *
        ((hash(i, j) * (1 - p) + hash(i + 1, j) * p) * (1 - q) +
          (hash(i, j + 1) * (1 - p) + hash(i + 1, j + 1) * p) * q);
    }
    return sum / 1.6;
  };
}

/** A photo of a ground and two walls that meet in a corner, ray by ray: the room number decides its textures. */
export function renderRoom(
  camera: PlacedCamera,
  focal: number,
  width: number,
  height: number,
  room: number,
): Uint8Array {
  const paint = [0, 1, 2].map((k) => texture(7 * room + k + 1));
  const { rotation: R, translation: t } = camera;
  const long = Math.max(width, height);
  const centre = [0, 1, 2].map((k) => -(R[k]! * t[0]! + R[3 + k]! * t[1]! + R[6 + k]! * t[2]!)) as Vector;
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [(x - (width - 1) / 2) / (focal * long), (y - (height - 1) / 2) / (focal * long)];
      const d = [0, 1, 2].map((k) => R[k]! * u + R[3 + k]! * v + R[6 + k]!) as Vector;
      // Planes n . X = c: the walls x + z = 2 and z - x = 2, the ground y = 1.2.
      let nearest = Infinity;
      let value = 0;
      for (const [k, [n, c]] of (
        [
          [[1, 0, 1], 2],
          [[-1, 0, 1], 2],
          [[0, 1, 0], 1.2],
        ] as [Vector, number][]
      ).entries()) {
        const slope = n[0] * d[0] + n[1] * d[1] + n[2] * d[2];
        const s = (c - n[0] * centre[0] - n[1] * centre[1] - n[2] * centre[2]) / slope;
        if (!(s > 0) || s >= nearest) continue;
        nearest = s;
        const X = [0, 1, 2].map((i) => centre[i]! + s * d[i]!) as Vector;
        value = k === 2 ? paint[2]!(X[0], X[2]) : paint[k]!(X[0], X[1]);
      }
      pixels.fill(Math.round(255 * Math.min(1, value)), 3 * (y * width + x), 3 * (y * width + x) + 3);
    }
  }
  return pixels;
}

export interface SyntheticSet {
  photos: Photo[];
  cameras: PlacedCamera[];
  pairs: Pair[];
  reader: PhotoReader;
  /** How often the reader was asked. */
  reads(): number;
}

/** Photos of rooms, and a reader that shows them. */
export function photographRooms(
  shots: readonly { camera: PlacedCamera; room: number }[],
  focal: number,
  width = 480,
  height = 360,
  known?: number,
): SyntheticSet {
  let count = 0;
  const pictures = shots.map(({ camera, room }) => renderRoom(camera, focal, width, height, room));
  const photos = shots.map(({ room }, k): Photo => ({
    id: createHash('sha256').update(pictures[k]!).digest('hex'),
    path: `/synthetic/${k}.png`,
    name: `room${room}-${k}.png`,
    width,
    height,
    size: 1,
    sharpness: 1,
    ...(known === undefined
      ? {}
      : { focal: { pixels: known * Math.max(width, height), source: 'exif-35mm' as const } }),
  }));
  const pairs = shots.flatMap((_, a) => shots.slice(a + 1).map((__, k): Pair => ({ a, b: a + 1 + k })));
  const reader: PhotoReader = {
    read(photo) {
      count++;
      return Promise.resolve({
        width,
        height,
        pixels: pictures[photos.findIndex(({ id }) => id === photo.id)]!.slice(),
      });
    },
  };
  return { photos, cameras: shots.map(({ camera }) => camera), pairs, reader, reads: () => count };
}

export function memoryStore(): BlobStore & { blobs: Map<string, Uint8Array> } {
  const blobs = new Map<string, Uint8Array>();
  return { blobs, get: (key) => blobs.get(key), put: (key, value) => void blobs.set(key, value) };
}

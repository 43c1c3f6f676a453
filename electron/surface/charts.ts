import type { TexturePhoto } from './texture-photo.js';
import type { Mesh } from './types.js';

/** Faces that hang together and take their colour from one photo (or from none), with their picture plane. */
export interface Chart {
  /** Photo, or -1: coloured from around. */
  label: number;
  faces: Uint32Array;
  /** Least coordinates over the chart, in the plane's pixels. */
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Every face in one chart; places in the picture planes for every corner. */
export interface Charts {
  charts: Chart[];
  /** [faces] */
  chartOf: Int32Array;
  /** [faces, 3, 2] undistorted pixels of the chart's photo; for a chart without photo, pixels of a plane through it. */
  places: Float32Array;
}

/**
 * Charts are what one photo shows: its own picture is the unwrapping. No resampling but the photo's, no parametrisation
 * to solve, and the photo's own surroundings of a chart are its padding.
 */
export function makeCharts(
  mesh: Pick<Mesh, 'positions' | 'indices'>,
  labels: Int16Array,
  opposite: Int32Array,
  photos: readonly TexturePhoto[],
): Charts {
  const chartOf = new Int32Array(labels.length).fill(-1);
  const places = new Float32Array(6 * labels.length);
  const charts: Chart[] = [];
  const queue = new Uint32Array(labels.length);
  for (let seed = 0; seed < labels.length; seed++) {
    if (chartOf[seed] !== -1) continue;
    const label = labels[seed]!;
    let filled = 0;
    queue[filled++] = seed;
    chartOf[seed] = charts.length;
    for (let read = 0; read < filled; read++) {
      const t = queue[read]!;
      for (let i = 0; i < 3; i++) {
        const across = opposite[3 * t + i]!;
        const other = across < 0 ? -1 : Math.floor(across / 3);
        if (other < 0 || chartOf[other] !== -1 || labels[other] !== label) continue;
        chartOf[other] = charts.length;
        queue[filled++] = other;
      }
    }
    const faces = queue.slice(0, filled);
    const project = label >= 0 ? throughPhoto(photos[label]!) : ontoPlane(mesh, faces, photos);
    charts.push({ label, faces, ...layPlaces(mesh, faces, project, places) });
  }
  return { charts, chartOf, places };
}

type Projection = (x: number, y: number, z: number, out: Float64Array) => void;

function throughPhoto({ cameraFromWorld: M, fx, fy, cx, cy }: TexturePhoto): Projection {
  return (x, y, z, out) => {
    const w = M[8]! * x + M[9]! * y + M[10]! * z + M[11]!;
    out[0] = (fx * (M[0]! * x + M[1]! * y + M[2]! * z + M[3]!)) / w + cx;
    out[1] = (fy * (M[4]! * x + M[5]! * y + M[6]! * z + M[7]!)) / w + cy;
  };
}

/** What no photo sees has no detail to keep: a quarter of the resolution that the nearest photo would have. */
const UNSEEN_SHARE = 0.25;

function ontoPlane(
  { positions, indices }: Pick<Mesh, 'positions' | 'indices'>,
  faces: Uint32Array,
  photos: readonly TexturePhoto[],
): Projection {
  const normal = [0, 0, 0];
  for (const t of faces) {
    const [a, b, c] = [3 * indices[3 * t]!, 3 * indices[3 * t + 1]!, 3 * indices[3 * t + 2]!];
    const u = [0, 1, 2].map((i) => positions[b + i]! - positions[a + i]!);
    const v = [0, 1, 2].map((i) => positions[c + i]! - positions[a + i]!);
    for (let i = 0; i < 3; i++) normal[i]! += u[(i + 1) % 3]! * v[(i + 2) % 3]! - u[(i + 2) % 3]! * v[(i + 1) % 3]!;
  }
  const length = Math.hypot(...normal) || 1;
  const n = normal.map((value) => value / length) as [number, number, number];
  const axis = Math.abs(n[0]) < 0.6 ? [1, 0, 0] : [0, 1, 0];
  const side = [0, 1, 2].map((i) => n[(i + 1) % 3]! * axis[(i + 2) % 3]! - n[(i + 2) % 3]! * axis[(i + 1) % 3]!);
  const size = Math.hypot(...side) || 1;
  const at = 3 * indices[3 * faces[0]!]!;
  let scale = 0;
  for (const { cameraFromWorld: M, fx } of photos) {
    const away = Math.hypot(
      ...[0, 4, 8].map(
        (row) =>
          M[row]! * positions[at]! + M[row + 1]! * positions[at + 1]! + M[row + 2]! * positions[at + 2]! + M[row + 3]!,
      ),
    );
    scale = Math.max(scale, (UNSEEN_SHARE * fx) / away);
  }
  const s = side.map((value) => (value / size) * scale) as [number, number, number];
  const d = [0, 1, 2].map((i) => n[(i + 1) % 3]! * s[(i + 2) % 3]! - n[(i + 2) % 3]! * s[(i + 1) % 3]!) as [
    number,
    number,
    number,
  ];
  return (x, y, z, out) => {
    out[0] = s[0] * x + s[1] * y + s[2] * z;
    out[1] = d[0] * x + d[1] * y + d[2] * z;
  };
}

function layPlaces(
  { positions, indices }: Pick<Mesh, 'positions' | 'indices'>,
  faces: Uint32Array,
  project: Projection,
  places: Float32Array,
): Pick<Chart, 'left' | 'top' | 'width' | 'height'> {
  const out = new Float64Array(2);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const t of faces) {
    for (let c = 0; c < 3; c++) {
      const at = 3 * indices[3 * t + c]!;
      project(positions[at]!, positions[at + 1]!, positions[at + 2]!, out);
      const [u, v] = [out[0]!, out[1]!];
      places[6 * t + 2 * c] = u;
      places[6 * t + 2 * c + 1] = v;
      if (u < left) left = u;
      if (u > right) right = u;
      if (v < top) top = v;
      if (v > bottom) bottom = v;
    }
  }
  return { left, top, width: right - left, height: bottom - top };
}

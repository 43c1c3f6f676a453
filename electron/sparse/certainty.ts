import { multiply3, rotationFromVector, solveCholesky, substituteCholesky, transpose3 } from '../numerics/linear.js';
import { project, type Lens, type PlacedCamera } from './bundle.js';
import type { Piece } from './structure.js';

export interface CertaintyOptions {
  /** A pixel of the picture that features are found on, in long sides. */
  pixel: number;
  /** Points that are asked, those that most photos see first: the time grows with them, the answer hardly. */
  points: number;
  /** A larger piece is not asked: it knows its lens, and its equations would be slow. */
  cameras: number;
}

export const CERTAINTY_DEFAULTS: CertaintyOptions = { pixel: 1 / 1600, points: 1200, cameras: 100 };

/** Numbers of a lens: log focal, k1, k2, cx, cy. */
const LENS = 5;
const CAMERA = 6;

/**
 * How well the sightings of an adjusted piece tell a lens' focal: its standard deviation as a share of it, from the
 * covariance of poses, lens and points together, the points eliminated (Triggs et al., 1999, section 9). The Jacobians are
 * central differences of `project`, so that they are those of the model that was adjusted, whatever it is.
 *
 * @param position of a feature, long sides relative to the photo's centre
 * @returns at most 1, which is no knowledge; undefined for a piece that is too large to ask
 */
export function focalSigma(
  piece: Piece,
  lens: number,
  lenses: readonly Lens[],
  position: (photo: number, feature: number) => [number, number],
  options: CertaintyOptions = CERTAINTY_DEFAULTS,
): number | undefined {
  const known = normalEquations(piece, new Map([[lens, freeTerms(lenses[lens]!)]]), lenses, position, options);
  if (!known) return undefined;
  const { normal, size, variance, lensAt } = known;
  const unit = new Float64Array(size);
  unit[lensAt.get(lens)!] = 1;
  if (!solveCholesky(normal, unit, size)) return 1;
  return Math.min(1, Math.sqrt(variance * unit[lensAt.get(lens)!]!));
}

/**
 * How well the same tell how the cameras are turned to each other: per pair of cameras, the standard deviation of its
 * relative rotation (root of the summed variances about three axes), with all lenses unknown.
 *
 * @param terms numbers of each lens that are unknown: log focal, k1, k2, cx, cy
 * @returns degrees, ascending; undefined for a piece that is too large to ask or whose equations are singular
 */
export function rotationSigmas(
  piece: Piece,
  lenses: readonly Lens[],
  position: (photo: number, feature: number) => [number, number],
  options: CertaintyOptions,
  terms: readonly number[],
): number[] | undefined {
  const unknown = new Map(lenses.map((_, k) => [k, terms]));
  const known = normalEquations(piece, unknown, lenses, position, options);
  if (!known) return undefined;
  const { normal, size, variance } = known;
  const cameras = [...piece.cameras.values()];
  if (!solveCholesky(normal, new Float64Array(size), size)) return undefined;
  // Columns of the covariance that are asked for: three turns of each camera but the first.
  const columns = cameras.map((_, k) =>
    [0, 1, 2].map((axis) => (k === 0 ? undefined : columnOf(CAMERA * (k - 1) + axis))),
  );
  function columnOf(at: number): Float64Array {
    const unit = new Float64Array(size);
    unit[at] = 1;
    substituteCholesky(normal, unit, size);
    return unit;
  }
  // [3, 3], of turns of camera p and camera q.
  const covariance = (p: number, q: number) =>
    Float64Array.from({ length: 9 }, (_, k) =>
      p === 0 ? 0 : (columns[q]![k % 3]?.[CAMERA * (p - 1) + Math.floor(k / 3)] ?? 0),
    );
  const trace = (m: Float64Array) => m[0]! + m[4]! + m[8]!;
  const sigmas = cameras.flatMap((first, p) =>
    cameras.slice(p + 1).map((second, k) => {
      const q = p + 1 + k;
      // A small turn of both turns the second relative to the first by w_q - R w_p, R from the first to the second.
      const R = multiply3(second.rotation, transpose3(first.rotation));
      const total = trace(covariance(p, p)) + trace(covariance(q, q)) - 2 * trace(multiply3(R, covariance(p, q)));
      return (Math.sqrt(Math.max(0, variance * total)) * 180) / Math.PI;
    }),
  );
  return sigmas.sort((p, q) => p - q);
}

interface Known {
  /** [size, size]: cameras but the first, in the order of the piece, then lenses; points eliminated. */
  normal: Float64Array;
  size: number;
  /** Of a sighting, weighted. */
  variance: number;
  /** Where a lens' numbers begin. */
  lensAt: ReadonlyMap<number, number>;
}

/** @param unknown per lens, the numbers of it that are */
function normalEquations(
  piece: Piece,
  unknown: ReadonlyMap<number, readonly number[]>,
  lenses: readonly Lens[],
  position: (photo: number, feature: number) => [number, number],
  options: CertaintyOptions,
): Known | undefined {
  const photos = [...piece.cameras.keys()];
  if (photos.length > options.cameras) return undefined;
  // The first camera holds the world; its scale is held by what keeps the equations regular.
  const columnOf = new Map(photos.map((photo, k) => [photo, CAMERA * (k - 1)]));
  let size = CAMERA * (photos.length - 1);
  const lensAt = new Map<number, number>();
  for (const [lens, terms] of unknown) {
    lensAt.set(lens, size);
    size += terms.length;
  }
  const normal = new Float64Array(size * size);
  const scale = 1.5 * options.pixel;
  const moved = new Map([...piece.cameras].map(([photo, each]) => [photo, movedOf(each, lenses[each.lens]!)]));
  let [squares, sightings] = [0, 0];
  const asked = [...piece.points].sort((p, q) => q.photos.length - p.photos.length).slice(0, options.points);
  for (const { position: at, photos: seeing, features } of asked) {
    const rows = seeing.flatMap((photo, k) => {
      const { lens } = piece.cameras.get(photo)!;
      const row = linearised(moved.get(photo)!, at, position(photo, features[k]!), scale);
      if (!row) return [];
      squares += row.square;
      sightings++;
      const column = columnOf.get(photo)!;
      const columns = Array.from({ length: CAMERA + LENS }, (_, i) => {
        if (i < CAMERA) return column < 0 ? -1 : column + i;
        const term = unknown.get(lens)?.indexOf(i - CAMERA) ?? -1;
        return term < 0 ? -1 : lensAt.get(lens)! + term;
      });
      return [{ ...row, columns }];
    });
    eliminate(rows, normal, size);
  }
  const variance = squares / Math.max(1, 2 * sightings - 3 * asked.length - size);
  for (let i = 0; i < size; i++) normal[i * size + i] = normal[i * size + i]! * (1 + 1e-9) + 1e-12;
  return { normal, size, variance, lensAt };
}

/** Which numbers of a lens were found: focal and k1 always, the others where they are not what every lens begins with. */
function freeTerms({ k2, cx, cy }: Lens): number[] {
  return [0, 1, ...(k2 ? [2] : []), ...(cx || cy ? [3, 4] : [])];
}

interface Row {
  /** [2][CAMERA + LENS] and [2][3], times the square root of the weight. */
  unknowns: number[][];
  point: number[][];
  /** Squared error, weighted. */
  square: number;
}

/**
 * A photo's camera and lens, and both with each of their numbers moved a little ahead and behind: made once a photo, not once
 * a sighting. With the loops of `eliminate`, 40 photos took 10 s, and take 4 s.
 */
interface Moved {
  still: Shown;
  steps: [Shown, Shown][];
}
interface Shown {
  camera: PlacedCamera;
  lens: Lens;
}

/** Half of what a central difference spans. */
const STEP = 1e-6;

function movedOf(camera: PlacedCamera, lens: Lens): Moved {
  const [t0, t1, t2] = camera.translation as unknown as [number, number, number];
  const shown = (k: number, by: number): Shown => {
    const moved = new Array<number>(CAMERA + LENS).fill(0);
    moved[k] = by;
    const [wx, wy, wz, tx, ty, tz, logFocal, k1, k2, cx, cy] = moved;
    const rotation = multiply3(rotationFromVector(wx!, wy!, wz!), camera.rotation);
    return {
      camera: { ...camera, rotation, translation: Float64Array.of(t0 + tx!, t1 + ty!, t2 + tz!) },
      lens: {
        ...lens,
        focal: lens.focal * Math.exp(logFocal!),
        k1: lens.k1 + k1!,
        k2: (lens.k2 ?? 0) + k2!,
        cx: (lens.cx ?? 0) + cx!,
        cy: (lens.cy ?? 0) + cy!,
      },
    };
  };
  const steps = Array.from({ length: CAMERA + LENS }, (_, k): [Shown, Shown] => [shown(k, STEP), shown(k, -STEP)]);
  return { still: { camera, lens }, steps };
}

function linearised(
  { still, steps }: Moved,
  at: ArrayLike<number>,
  seen: readonly [number, number],
  scale: number,
): Row | undefined {
  const [x, y, z] = at as unknown as [number, number, number];
  const [out, ahead, behind] = [new Float64Array(2), new Float64Array(2), new Float64Array(2)];
  const shows = ({ camera, lens }: Shown, onto: Float64Array, dx = 0, dy = 0, dz = 0): boolean =>
    project(camera, lens, x + dx, y + dy, z + dz, onto);
  if (!shows(still, out)) return undefined;
  const error = [seen[0] - out[0]!, seen[1] - out[1]!];
  const weight = Math.sqrt(1 / (1 + (error[0]! ** 2 + error[1]! ** 2) / scale ** 2));
  const difference = (isShown: boolean): number[] =>
    [0, 1].map((axis) => (isShown ? (weight * (ahead[axis]! - behind[axis]!)) / (2 * STEP) : 0));
  const columns = steps.map(([p, q]) => difference(shows(p, ahead) && shows(q, behind)));
  for (const [dx, dy, dz] of [
    [STEP, 0, 0],
    [0, STEP, 0],
    [0, 0, STEP],
  ] as const)
    columns.push(difference(shows(still, ahead, dx, dy, dz) && shows(still, behind, -dx, -dy, -dz)));
  const rowsOf = (from: number, to: number) => [0, 1].map((axis) => columns.slice(from, to).map((each) => each[axis]!));
  return {
    unknowns: rowsOf(0, CAMERA + LENS),
    point: rowsOf(CAMERA + LENS, columns.length),
    square: weight ** 2 * (error[0]! ** 2 + error[1]! ** 2),
  };
}

/** Adds what the sightings of one point say of cameras and lens, the point wherever they want it. */
function eliminate(rows: readonly (Row & { columns: number[] })[], normal: Float64Array, size: number): void {
  const V = new Float64Array(9);
  for (const { point } of rows)
    for (const J of point)
      for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) V[3 * i + j] = V[3 * i + j]! + J[i]! * J[j]!;
  for (let i = 0; i < 3; i++) V[4 * i] = V[4 * i]! * (1 + 1e-12) + 1e-18;
  const flat = rows.flatMap(({ unknowns, point, columns }) =>
    unknowns.map((J, axis) => ({ J, P: point[axis]!, columns })),
  );
  // Of every row, its part that no place of the point explains: (I - P V^-1 P') applied from the right.
  const coupled = flat.map(({ P }) => {
    const solved = Float64Array.from(P);
    return solveCholesky(V.slice(), solved, 3) ? solved : new Float64Array(3);
  });
  // Only what is asked for, and in typed arrays: this loop runs (2 sightings x numbers)^2 times a point.
  const asked = flat.map(({ J, P, columns }) => {
    const own = columns.flatMap((column, i) => (column < 0 ? [] : [i]));
    return { J: Float64Array.from(own, (i) => J[i]!), P, columns: Int32Array.from(own, (i) => columns[i]!) };
  });
  asked.forEach((p, a) => {
    const [c0, c1, c2] = coupled[a]! as unknown as [number, number, number];
    asked.forEach((q, b) => {
      const share = (a === b ? 1 : 0) - (c0 * q.P[0]! + c1 * q.P[1]! + c2 * q.P[2]!);
      for (let i = 0; i < p.J.length; i++) addRow(normal, p.columns[i]! * size, share * p.J[i]!, q);
    });
  });
}

function addRow(
  normal: Float64Array,
  row: number,
  factor: number,
  { J, columns }: { J: Float64Array; columns: Int32Array },
): void {
  for (let j = 0; j < J.length; j++) normal[row + columns[j]!]! += factor * J[j]!;
}

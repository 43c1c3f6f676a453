import { median } from '../numerics/median.js';
import { project, type Lens, type PlacedCamera } from './bundle.js';
import type { Piece } from './structure.js';

export interface OverlaidOptions {
  /** Largest angle between two cameras' lines of sight to what both should see, degrees; features are found again up to there. */
  angle: number;
  /** Largest ratio of their distances to it. */
  scale: number;
  /** Cells along the long side that a picture is divided into. */
  cells: number;
  /** Least points that each photo must have in a cell, for that they share none to say something. */
  leastPoints: number;
  /** Chance that the photos share none of a cell's points though they show the same there. */
  chance: number;
  /** Points before what the other photo shows there by more than this share of the distance are something thin, or moved. */
  before: number;
  /** Least share of the cells of a pair that contradict, and least number of them. */
  share: number;
  leastCells: number;
  /** Least cells that are told of at all. */
  leastTold: number;
}

export const OVERLAID_DEFAULTS: OverlaidOptions = {
  angle: 15,
  scale: 1.5,
  cells: 12,
  leastPoints: 3,
  chance: 0.02,
  before: 0.1,
  share: 0.25,
  leastCells: 4,
  leastTold: 6,
};

/** Two photos that stand at nearly one place and should show the same, but show different things there. */
export interface Overlaid {
  a: number;
  b: number;
  /** Cells in which both have points, and those of them in which they share none though they should. */
  told: number;
  against: number;
  angle: number;
  rate: number;
}

/**
 * Pairs of placed photos of which each shows, in the same places, what the other does not: parts that look alike, such as
 * the front and the back of a building, were taken for one, and what is beside them lies on each other. Pairs of matches
 * can't tell, since what is alike matches well; the points that are not alike can (Heinly, Dunn and Frahm, "Correcting for
 * Duplicate Scene Structure in Sparse 3D Reconstruction", ECCV 2014).
 */
export function overlaid(
  { cameras, points }: Pick<Piece, 'cameras' | 'points'>,
  lenses: readonly Lens[],
  aspect: (photo: number) => readonly [number, number],
  options: OverlaidOptions = OVERLAID_DEFAULTS,
): Overlaid[] {
  const photos = [...cameras.keys()];
  const found: Overlaid[] = [];
  for (const a of photos)
    for (const b of photos) {
      if (a >= b) continue;
      const each = compare(a, b, { cameras, points }, lenses, aspect, options);
      if (each) found.push(each);
    }
  return found;
}

/** What a cell of a picture holds. */
interface Cell {
  both: number;
  /** Depths of the points that one photo alone sees. */
  onlyA: number[];
  onlyB: number[];
}

function compare(
  a: number,
  b: number,
  { cameras, points }: Pick<Piece, 'cameras' | 'points'>,
  lenses: readonly Lens[],
  aspect: (photo: number) => readonly [number, number],
  options: OverlaidOptions,
): Overlaid | undefined {
  const cells = new Map<string, Cell>();
  const [A, B] = [cameras.get(a)!, cameras.get(b)!];
  const [centreA, centreB] = [centreOf(A), centreOf(B)];
  const at = new Float64Array(2);
  const angles: number[] = [];
  for (const { position: p, photos } of points) {
    const [inA, inB] = [photos.includes(a), photos.includes(b)];
    if (!inA && !inB) continue;
    const [toA, toB] = [difference(centreA, p), difference(centreB, p)];
    const [nearA, nearB] = [Math.hypot(...toA), Math.hypot(...toB)];
    const cosine = (toA[0]! * toB[0]! + toA[1]! * toB[1]! + toA[2]! * toB[2]!) / (nearA * nearB);
    if (cosine < Math.cos((options.angle * Math.PI) / 180)) continue;
    if (Math.max(nearA / nearB, nearB / nearA) > options.scale) continue;
    if (!shows(A, lenses, aspect(a), p, at) || !shows(B, lenses, aspect(b), p, at)) continue;
    const key = `${Math.floor((at[0]! + 0.5) * options.cells)} ${Math.floor((at[1]! + 0.5) * options.cells)}`;
    const cell = cells.get(key) ?? { both: 0, onlyA: [], onlyB: [] };
    cells.set(key, cell);
    angles.push((180 / Math.PI) * Math.acos(Math.min(1, cosine)));
    if (inA && inB) cell.both++;
    else if (inA) cell.onlyA.push(nearB);
    else cell.onlyB.push(nearB);
  }
  const told = [...cells.values()].filter(
    ({ both, onlyA, onlyB }) => Math.min(both + onlyA.length, both + onlyB.length) >= options.leastPoints,
  );
  if (told.length < options.leastTold) return undefined;
  const rate =
    median(
      told
        .filter(({ both }) => both > 0)
        .map(({ both, onlyA, onlyB }) => both / (both + Math.min(onlyA.length, onlyB.length))),
    ) ?? 0.5;
  const against = told.filter(({ both, onlyA, onlyB }) => {
    if (both > 0) return false;
    if ((1 - rate) ** Math.min(onlyA.length, onlyB.length) > options.chance) return false;
    const [near, far] = [median(onlyA)!, median(onlyB)!];
    return Math.abs(Math.log(near / far)) < options.before;
  });
  return { a, b, told: told.length, against: against.length, angle: median(angles)!, rate };
}

const centreOf = ({ rotation: R, translation: t }: PlacedCamera): [number, number, number] =>
  [0, 1, 2].map((k) => -(R[k]! * t[0]! + R[3 + k]! * t[1]! + R[6 + k]! * t[2]!)) as [number, number, number];

const difference = (from: ArrayLike<number>, to: ArrayLike<number>): [number, number, number] => [
  to[0]! - from[0]!,
  to[1]! - from[1]!,
  to[2]! - from[2]!,
];

/** Whether a point lies within a photo, away from its rim. */
function shows(
  camera: PlacedCamera,
  lenses: readonly Lens[],
  [width, height]: readonly [number, number],
  p: ArrayLike<number>,
  at: Float64Array,
): boolean {
  if (!project(camera, lenses[camera.lens]!, p[0]!, p[1]!, p[2]!, at)) return false;
  return Math.abs(at[0]!) < 0.48 * width && Math.abs(at[1]!) < 0.48 * height;
}

import { median } from '../numerics/median.js';
import { dot3, minus3 } from '../numerics/vector.js';
import { project, type Lens, type PlacedCamera } from './bundle.js';
import { centreOf } from './pose.js';
import type { Piece } from './structure.js';

export interface OverlaidOptions {
  /** Largest angle between two cameras' lines of sight to what both should show, degrees: up to there features are found again. */
  angle: number;
  /** Largest ratio of their distances from it. */
  scale: number;
  /**
   * Most that one picture is stretched one way against the other: of views that a 360-degree picture is divided into, 66 of
   * 2,900 cells contradicted at 2 and more, none more than usual at 1.4.
   */
  stretch: number;
  /** Cells along the long side that a picture is divided into. */
  cells: number;
  /** Least points that each photo must have in a cell, for it to be compared. */
  leastPoints: number;
  /** Least cells that are compared, for two photos to say something. */
  leastCells: number;
  /** A cell contradicts where the photos share none of its points, and chance explains that no better than this. */
  chance: number;
  /** Points at distances that differ by more than this share hide each other, or are seen past each other. */
  depth: number;
  /** Share of the compared cells that contradict in right results: things that moved, gloss, what hides what. */
  usual: number;
  /** Digits of evidence, beyond that share, from which on places are taken to lie on each other. */
  evidence: number;
}

export const OVERLAID_DEFAULTS: OverlaidOptions = {
  angle: 15,
  scale: 1.5,
  stretch: 1.3,
  cells: 12,
  leastPoints: 3,
  leastCells: 6,
  chance: 0.02,
  depth: 0.1,
  usual: 0.04,
  evidence: 3,
};

/** Two photos that stand at nearly one place, and so should show the same. */
export interface Overlaid {
  a: number;
  b: number;
  /** Cells of their pictures that were compared. */
  cells: number;
  /** Those in which each has points on one surface, and they share none. */
  against: number;
}

/**
 * Photos that stand at nearly one place, and how much of what each shows the other does not. Where two places look alike,
 * such as the front and the back of a building, they are taken for one, and what lies beside them lies on each other. Pairs
 * of photos can't tell that: what is alike matches well. What is beside it can (Heinly, Dunn and Frahm, "Correcting for
 * Duplicate Scene Structure in Sparse 3D Reconstruction", ECCV 2014): of 20 photos round such a building 14 % of the cells
 * contradict, of right results up to 1.4 %.
 *
 * @param halfSides of a photo, long sides: [half its width, half its height]
 */
export function overlaid(
  { cameras, points }: Pick<Piece, 'cameras' | 'points'>,
  lenses: readonly Lens[],
  halfSides: (photo: number) => readonly [number, number],
  options: OverlaidOptions = OVERLAID_DEFAULTS,
): Overlaid[] {
  const views = posedViews({ cameras, points }, lenses, halfSides);
  return views.flatMap((a, k) =>
    views.slice(k + 1).flatMap((b) => {
      // Of one picture: its views are not matched.
      if (a.camera.rig && a.camera.rig.id === b.camera.rig?.id) return [];
      if (!isNear(a, b, a.middle, 2 * options.angle) || !isNear(a, b, b.middle, 2 * options.angle)) return [];
      const compared = compare(a, b, options);
      return compared.cells < options.leastCells ? [] : [{ a: a.photo, b: b.photo, ...compared }];
    }),
  );
}

/**
 * Digits by which chance explains badly that so much contradicts: in one pair, of as many as were compared, or in all
 * together.
 */
export function evidenceOf(
  compared: readonly Overlaid[],
  { usual }: Pick<OverlaidOptions, 'usual'> = OVERLAID_DEFAULTS,
): number {
  if (compared.length === 0) return 0;
  const ofEach = compared.map(({ cells, against }) => excess(against, cells, usual));
  const sum = (of: 'cells' | 'against'): number => compared.reduce((total, each) => total + each[of], 0);
  return Math.max(Math.max(...ofEach) - Math.log10(compared.length), excess(sum('against'), sum('cells'), usual));
}

/** Those that contradict more than is usual, the most telling first. */
export const contradicting = (
  compared: readonly Overlaid[],
  { usual }: Pick<OverlaidOptions, 'usual'> = OVERLAID_DEFAULTS,
): Overlaid[] =>
  compared
    .filter(({ cells, against }) => against > usual * cells)
    .sort((p, q) => excess(q.against, q.cells, usual) - excess(p.against, p.cells, usual));

/** Digits by which chance explains badly that so many of all are hit, at a rate at most: Chernoff's bound of the binomial tail. */
function excess(hits: number, all: number, rate: number): number {
  const share = hits / all;
  if (!(share > rate)) return 0;
  const miss = share < 1 ? (1 - share) * Math.log10((1 - share) / (1 - rate)) : 0;
  return all * (share * Math.log10(share / rate) + miss);
}

/** Cameras with what they see, and the middle of it. */
export function posedViews(
  { cameras, points }: Pick<Piece, 'cameras' | 'points'>,
  lenses: readonly Lens[],
  halfSides: (photo: number) => readonly [number, number],
): Posed[] {
  const seen = pointsOf(points);
  return [...cameras].map(([photo, camera]) => {
    const own = seen.get(photo) ?? [];
    return {
      photo,
      camera,
      lens: lenses[camera.lens]!,
      centre: centreOf(camera),
      half: halfSides(photo),
      seen: own,
      middle: [0, 1, 2].map((axis) => median(own.map(({ position }) => position[axis]!)) ?? 0) as Vector,
    };
  });
}

/** By photo, the points that it sees. */
function pointsOf(points: Piece['points']): Map<number, Piece['points']> {
  const seen = new Map<number, Piece['points']>();
  for (const point of points)
    for (const photo of point.photos) {
      const own = seen.get(photo);
      if (own) own.push(point);
      else seen.set(photo, [point]);
    }
  return seen;
}

type Vector = [number, number, number];

export interface Posed {
  photo: number;
  camera: PlacedCamera;
  lens: Lens;
  centre: Vector;
  half: readonly [number, number];
  seen: Piece['points'];
  /** Of what it sees. */
  middle: Vector;
}

/** What a cell of a picture holds. */
interface Cell {
  both: number;
  /** Distances of the points that one photo alone sees. */
  onlyA: number[];
  onlyB: number[];
}

function compare(a: Posed, b: Posed, options: OverlaidOptions): { cells: number; against: number } {
  const told = [...fill(a, b, options).values()].filter(
    ({ both, onlyA, onlyB }) => both + Math.min(onlyA.length, onlyB.length) >= options.leastPoints,
  );
  // How many of the points of one place these two photos share, where they share any.
  const rates = told
    .filter(({ both }) => both > 0)
    .map(({ both, onlyA, onlyB }) => both / (both + Math.min(onlyA.length, onlyB.length)));
  const rate = median(rates) ?? 0.5;
  const against = told.filter(({ both, onlyA, onlyB }) => {
    if (both > 0 || (1 - rate) ** Math.min(onlyA.length, onlyB.length) > options.chance) return false;
    return Math.abs(Math.log(median(onlyA)! / median(onlyB)!)) < options.depth;
  });
  return { cells: told.length, against: against.length };
}

/** What both should show, by cells of the second picture. */
function fill(a: Posed, b: Posed, options: OverlaidOptions): Map<number, Cell> {
  const cells = new Map<number, Cell>();
  const at = new Float64Array(2);
  const add = (points: Piece['points'], other: Posed, isOfA: boolean): void => {
    for (const { position: p, photos } of points) {
      const isShared = photos.includes(other.photo);
      if (isShared && !isOfA) continue;
      const point: Vector = [p[0]!, p[1]!, p[2]!];
      if (!isNear(a, b, point, options.angle, options.scale) || !shows(a, point, at) || !shows(b, point, at)) continue;
      if (stretch(a, b, point) > options.stretch) continue;
      const row = Math.floor((at[1]! + 0.5) * options.cells);
      const key = row * 1000 + Math.floor((at[0]! + 0.5) * options.cells);
      const cell = cells.get(key) ?? { both: 0, onlyA: [], onlyB: [] };
      cells.set(key, cell);
      if (isShared) cell.both++;
      else (isOfA ? cell.onlyA : cell.onlyB).push(Math.hypot(...minus3(point, b.centre)));
    }
  };
  add(a.seen, b, true);
  add(b.seen, a, false);
  return cells;
}

/** Whether two cameras see a point from nearly one direction, and distance. */
export function isNear(
  { centre: from }: Posed,
  { centre: to }: Posed,
  point: Vector,
  degrees: number,
  scale = 4,
): boolean {
  const [p, q] = [minus3(point, from), minus3(point, to)];
  const [near, far] = [Math.hypot(...p), Math.hypot(...q)];
  const cosine = dot3(p, q) / (near * far);
  return cosine > Math.cos((degrees * Math.PI) / 180) && Math.abs(Math.log(near / far)) < Math.log(scale);
}

/**
 * How much longer a small circle that faces both cameras becomes one way than the other, from one picture to the other: a
 * flat picture stretches what lies aside, by the inverse of the cosine along its axis' direction and across. At least 1.
 */
function stretch(a: Posed, b: Posed, point: Vector): number {
  const [p, q] = [a, b].map(({ centre, camera }) => {
    const ray = minus3(point, centre);
    const length = Math.hypot(...ray);
    const axis: Vector = [camera.rotation[6]!, camera.rotation[7]!, camera.rotation[8]!];
    const cosine = dot3(ray, axis) / length;
    return { cosine, aside: axis.map((value, k) => value - (cosine * ray[k]!) / length) as Vector };
  }) as [{ cosine: number; aside: Vector }, { cosine: number; aside: Vector }];
  const across = dot3(p.aside, q.aside) ** 2 / Math.max(1e-12, dot3(p.aside, p.aside) * dot3(q.aside, q.aside));
  const [more, less] = [1 / q.cosine ** 2 - 1, p.cosine ** 2 - 1];
  // Of the two singular values: the sum of their squares, and their product.
  const squares = 2 + more + less + more * less * across;
  const product = p.cosine / q.cosine;
  return (Math.sqrt(squares + 2 * product) + Math.sqrt(Math.max(0, squares - 2 * product))) ** 2 / (4 * product);
}

/** Features are found to within this share of a picture's sides. */
const INSIDE = 0.96;

export function shows({ camera, lens, half }: Posed, point: Vector, at: Float64Array): boolean {
  if (!project(camera, lens, ...point, at)) return false;
  return Math.abs(at[0]!) < INSIDE * half[0] && Math.abs(at[1]!) < INSIDE * half[1];
}

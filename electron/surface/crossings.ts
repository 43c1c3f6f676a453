import { faceArea, keepFaces } from './components.js';
import { makeManifold } from './manifold.js';
import type { Mesh } from './types.js';

export interface CrossingOptions {
  /** Rounds of drawing the corners of faces that cross towards their neighbours, before what still crosses is cut out. */
  crossingRounds: number;
}

export const CROSSING_DEFAULTS: CrossingOptions = { crossingRounds: 6 };

/** Faces that cross, two by two; faces that share a corner are never said to. */
export type Crossings = [number, number][];

/**
 * Takes out self-crossings, which moving vertices brings (simplification, smoothing): the corners of such faces are drawn
 * to the middle of their neighbours, which unfolds most; of what still crosses afterwards the smaller face goes.
 */
export function withoutCrossings(mesh: Mesh, options: Partial<CrossingOptions> = {}): Mesh {
  const { crossingRounds } = { ...CROSSING_DEFAULTS, ...options };
  let crossings = crossingsOf(mesh);
  if (crossings.length === 0) return mesh;
  let now: Mesh = { ...mesh, positions: mesh.positions.slice() };
  for (let round = 0; round < crossingRounds && crossings.length > 0; round++) {
    // All corners of faces that cross move: elsewhere nothing can cross that did not before.
    const moved = drawTogether(now, crossings);
    crossings = crossingsOf(now, facesOf(now, moved));
  }
  // What is cut out may part the faces around a vertex, whose copies move: looked at again until nothing crosses.
  while (crossings.length > 0) {
    const before = now;
    const gone = new Set(crossings.map(([a, b]) => smaller(before, a, b)));
    now = makeManifold(keepFaces(now, (t) => !gone.has(t)));
    crossings = crossingsOf(now);
  }
  return now;
}

/** A flag a face, 1 for those that have a flagged vertex as a corner. */
function facesOf({ indices }: Mesh, vertices: Uint8Array): Uint8Array {
  const faces = new Uint8Array(indices.length / 3);
  for (let h = 0; h < indices.length; h++) if (vertices[indices[h]!]) faces[(h / 3) | 0] = 1;
  return faces;
}

/**
 * Pairs of faces that cross: faces that lie in one cell of a grid are tried against each other.
 *
 * @param among a flag a face: only pairs with one of those; all without
 */
export function crossingsOf(
  { positions, indices }: Pick<Mesh, 'positions' | 'indices'>,
  among?: Uint8Array,
): Crossings {
  const faces = indices.length / 3;
  if (faces < 2) return [];
  const boxes = boxesOf(positions, indices);
  const found: Crossings = [];
  new Grid(boxes, faces).eachPair((a, b) => {
    if (!shareCorner(indices, a, b) && facesCross(positions, indices, a, b)) found.push([a, b]);
  }, among);
  return found;
}

/** [faces, 6] lower and upper corner. */
function boxesOf(positions: Float32Array, indices: Uint32Array): Float32Array {
  const boxes = new Float32Array(2 * indices.length);
  for (let t = 0; t < indices.length / 3; t++) {
    for (let i = 0; i < 3; i++) {
      const a = positions[3 * indices[3 * t]! + i]!;
      const b = positions[3 * indices[3 * t + 1]! + i]!;
      const c = positions[3 * indices[3 * t + 2]! + i]!;
      boxes[6 * t + i] = Math.min(a, b, c);
      boxes[6 * t + 3 + i] = Math.max(a, b, c);
    }
  }
  return boxes;
}

/** Faces by the cells of a grid that their boxes reach into; a cell is about as wide as the faces. */
class Grid {
  private readonly slots: number;
  /** [slots + 1] where each slot's entries begin; several cells may fall into one slot. */
  private readonly starts: Uint32Array;
  /** Per entry, its face and its cell. */
  private readonly faces: Uint32Array;
  private readonly cells: Float64Array;
  private readonly side: number;
  private readonly low = new Float64Array(3).fill(Infinity);

  constructor(
    private readonly boxes: Float32Array,
    count: number,
  ) {
    const widths = new Float32Array(count);
    for (let t = 0; t < count; t++) {
      for (let i = 0; i < 3; i++) {
        this.low[i] = Math.min(this.low[i]!, boxes[6 * t + i]!);
        widths[t] = Math.max(widths[t]!, boxes[6 * t + 3 + i]! - boxes[6 * t + i]!);
      }
    }
    widths.sort();
    // Wide faces lie in many cells: a tenth are wider than a cell.
    this.side = Math.max(widths[Math.floor(0.9 * count)]!, widths[count - 1]! / 256, 1e-30);
    let slots = 1024;
    while (slots < 2 * count) slots *= 2;
    this.slots = slots;
    this.starts = new Uint32Array(slots + 1);
    this.enter(count, (cell) => this.starts[this.slot(cell) + 1]!++);
    for (let k = 0; k < slots; k++) this.starts[k + 1]! += this.starts[k]!;
    this.faces = new Uint32Array(this.starts[slots]!);
    this.cells = new Float64Array(this.starts[slots]!);
    const next = this.starts.slice();
    this.enter(count, (cell, t) => {
      const at = next[this.slot(cell)]!++;
      this.faces[at] = t;
      this.cells[at] = cell;
    });
  }

  /** Each pair of faces whose boxes overlap, once; with `wanted` (a flag a face), only pairs with one of those. */
  eachPair(visit: (a: number, b: number) => void, wanted?: Uint8Array): void {
    const { starts, faces, cells, boxes } = this;
    for (let slot = 0; slot < this.slots; slot++) {
      const to = starts[slot + 1]!;
      for (let i = starts[slot]!; i < to; i++) {
        const a = faces[i]!;
        for (let j = i + 1; j < to; j++) {
          const b = faces[j]!;
          if (wanted && !wanted[a] && !wanted[b]) continue;
          if (a === b || cells[i] !== cells[j] || !overlap(boxes, a, b)) continue;
          // Once a pair: in the cell that holds the lower corner of what their boxes share.
          if (this.cellOfShared(a, b) === cells[i]) visit(a, b);
        }
      }
    }
  }

  private cellOfShared(a: number, b: number): number {
    const { boxes } = this;
    const x = this.step(Math.max(boxes[6 * a]!, boxes[6 * b]!), 0);
    const y = this.step(Math.max(boxes[6 * a + 1]!, boxes[6 * b + 1]!), 1);
    return numberOf(x, y, this.step(Math.max(boxes[6 * a + 2]!, boxes[6 * b + 2]!), 2));
  }

  private step(value: number, axis: number): number {
    return Math.floor((value - this.low[axis]!) / this.side);
  }

  private slot(cell: number): number {
    const high = Math.imul(Math.floor(cell / 2 ** 32), 0x9e3779b1);
    const mixed = Math.imul(high ^ (cell | 0), 0x85ebca77);
    return (mixed ^ (mixed >>> 15)) & (this.slots - 1);
  }

  /** Every cell of every face. Plain loops: with an array a face this took most of the search's time. */
  private enter(count: number, visit: (cell: number, face: number) => void): void {
    const { boxes } = this;
    for (let t = 0; t < count; t++) {
      const [x0, x1] = [this.step(boxes[6 * t]!, 0), this.step(boxes[6 * t + 3]!, 0)];
      const [y0, y1] = [this.step(boxes[6 * t + 1]!, 1), this.step(boxes[6 * t + 4]!, 1)];
      const [z0, z1] = [this.step(boxes[6 * t + 2]!, 2), this.step(boxes[6 * t + 5]!, 2)];
      for (let z = z0; z <= z1; z++)
        for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) visit(numberOf(x, y, z), t);
    }
  }
}

/** Sides of up to 2^17 cells. */
const numberOf = (x: number, y: number, z: number): number => x + 131072 * (y + 131072 * z);

function overlap(boxes: Float32Array, a: number, b: number): boolean {
  const [p, q] = [6 * a, 6 * b];
  for (let i = 0; i < 3; i++) if (boxes[p + i]! > boxes[q + 3 + i]! || boxes[q + i]! > boxes[p + 3 + i]!) return false;
  return true;
}

function shareCorner(indices: Uint32Array, a: number, b: number): boolean {
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) if (indices[3 * a + i] === indices[3 * b + j]) return true;
  return false;
}

/** Corners of the two faces that are tried, [3, 3] each: numbers in one place, as arrays a pair took half of the time. */
const P = new Float64Array(9);
const Q = new Float64Array(9);

/** Two faces cross when an edge of one passes through the other. */
function facesCross(positions: Float32Array, indices: Uint32Array, a: number, b: number): boolean {
  for (let c = 0; c < 3; c++) {
    const v = 3 * indices[3 * a + c]!;
    const w = 3 * indices[3 * b + c]!;
    for (let i = 0; i < 3; i++) {
      P[3 * c + i] = positions[v + i]!;
      Q[3 * c + i] = positions[w + i]!;
    }
  }
  return !isBeside(P, Q) && !isBeside(Q, P) && (hasEdgeThrough(P, Q) || hasEdgeThrough(Q, P));
}

/** Whether a face lies on one side of the other one's plane. */
function isBeside(face: Float64Array, plane: Float64Array): boolean {
  const u = volume(plane, 0, plane, 3, plane, 6, face, 0);
  const v = volume(plane, 0, plane, 3, plane, 6, face, 3);
  const w = volume(plane, 0, plane, 3, plane, 6, face, 6);
  return (u > 0 && v > 0 && w > 0) || (u < 0 && v < 0 && w < 0);
}

/** Touching counts: a face whose corner lies in another one is one rounding away from crossing it. */
function hasEdgeThrough(p: Float64Array, q: Float64Array): boolean {
  for (let a = 0; a < 9; a += 3) {
    const b = (a + 3) % 9;
    const above = volume(q, 0, q, 3, q, 6, p, a);
    const below = volume(q, 0, q, 3, q, 6, p, b);
    if (above * below > 0 || (above === 0 && below === 0)) continue;
    const u = volume(p, a, p, b, q, 0, q, 3);
    const v = volume(p, a, p, b, q, 3, q, 6);
    const w = volume(p, a, p, b, q, 6, q, 0);
    if ((u >= 0 && v >= 0 && w >= 0) || (u <= 0 && v <= 0 && w <= 0)) return true;
  }
  return false;
}

/** Six times the signed volume of the tetrahedron of four points, each three numbers of an array. */
function volume(
  o: Float64Array,
  ko: number,
  a: Float64Array,
  ka: number,
  b: Float64Array,
  kb: number,
  c: Float64Array,
  kc: number,
): number {
  const [x, y, z] = [o[ko]!, o[ko + 1]!, o[ko + 2]!];
  const [ax, ay, az] = [a[ka]! - x, a[ka + 1]! - y, a[ka + 2]! - z];
  const [bx, by, bz] = [b[kb]! - x, b[kb + 1]! - y, b[kb + 2]! - z];
  const [cx, cy, cz] = [c[kc]! - x, c[kc + 1]! - y, c[kc + 2]! - z];
  return ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
}

/**
 * Moves the corners of faces that cross half way to the mean of their neighbours.
 *
 * @returns a flag a vertex, 1 for those that moved
 */
function drawTogether({ positions, indices }: Mesh, crossings: Crossings): Uint8Array {
  const moving = new Uint8Array(positions.length / 3);
  for (const pair of crossings) for (const t of pair) for (let c = 0; c < 3; c++) moving[indices[3 * t + c]!] = 1;
  const around = new Map<number, { sum: [number, number, number]; count: number }>();
  for (let h = 0; h < indices.length; h++) {
    if (!moving[indices[h]!]) continue;
    const own = around.get(indices[h]!) ?? { sum: [0, 0, 0], count: 0 };
    around.set(indices[h]!, own);
    const first = h - (h % 3);
    for (let c = 1; c < 3; c++) {
      const v = 3 * indices[first + ((h - first + c) % 3)]!;
      for (let i = 0; i < 3; i++) own.sum[i]! += positions[v + i]!;
      own.count++;
    }
  }
  for (const [v, { sum, count }] of around)
    for (let i = 0; i < 3; i++) positions[3 * v + i] = 0.5 * (positions[3 * v + i]! + sum[i]! / count);
  return moving;
}

function smaller({ positions, indices }: Mesh, a: number, b: number): number {
  return faceArea(positions, indices, a) < faceArea(positions, indices, b) ? a : b;
}

import { median } from '../numerics/median.js';

/*
 * Statistical outliers of a cloud (Rusu et al., "Towards 3D point cloud based object maps for household environments",
 * 2008): points whose neighbours are much farther away than those of most points are.
 */

export interface OutlierOptions {
  /** Nearest neighbours whose mean distance counts. */
  neighbours: number;
  /** Standard deviations above the median, from the median absolute deviation: a cloud's distances have a long tail. */
  deviations: number;
}
export const OUTLIER_DEFAULTS: OutlierOptions = { neighbours: 8, deviations: 6 };

export interface OutlierInput {
  /** [N, 3] */
  positions: Float32Array;
  /** [N] size of a pixel where each point is: what a distance is measured in, since far points lie farther apart. */
  pitch: Float32Array;
}

/** Points that a cell of the grid holds on average: neighbours are looked for in 27 cells. */
const PER_CELL = 6;
const ROUNDS = 6;

/** @returns [N] 1 for outliers */
export function outliers({ positions, pitch }: OutlierInput, options: Partial<OutlierOptions> = {}): Uint8Array {
  const { neighbours, deviations } = { ...OUTLIER_DEFAULTS, ...options };
  const count = pitch.length;
  const marks = new Uint8Array(count);
  if (count <= neighbours) return marks;
  const grid = fittingGrid(positions, count);
  const distances = new Float32Array(count);
  for (let k = 0; k < count; k++) distances[k] = grid.meanDistance(k, neighbours) / Math.max(pitch[k]!, 1e-12);
  const middle = median(distances)!;
  const spread = median(distances.map((value) => Math.abs(value - middle)))!;
  // Of a plane without noise all distances are one: what is half as far again is still no outlier.
  const limit = middle + Math.max(deviations * 1.4826 * spread, 0.5 * middle);
  for (let k = 0; k < count; k++) if (distances[k]! > limit) marks[k] = 1;
  return marks;
}

/** A grid whose cells hold a few points each. */
function fittingGrid(positions: Float32Array, count: number): Grid {
  let cell = extentOf(positions) / Math.sqrt(count / PER_CELL);
  let grid = new Grid(positions, count, cell);
  for (let round = 1; round < ROUNDS; round++) {
    const perCell = count / grid.occupied;
    if (perCell > PER_CELL / 2 && perCell < 2 * PER_CELL) break;
    // On a surface the number of points grows with the square of the cell's side.
    cell *= Math.sqrt(PER_CELL / perCell);
    grid = new Grid(positions, count, cell);
  }
  return grid;
}

/** Of most points, so that some far off do not make the cells large. */
function extentOf(positions: Float32Array): number {
  const step = 3 * Math.max(1, Math.floor(positions.length / 3 / 20_000));
  const sizes = [0, 1, 2].map((axis) => {
    const values: number[] = [];
    for (let at = axis; at < positions.length; at += step) values.push(positions[at]!);
    values.sort((a, b) => a - b);
    return values[Math.floor(0.95 * values.length)]! - values[Math.floor(0.05 * values.length)]!;
  });
  return Math.max(...sizes, 1e-9);
}

/** Points by the cell they lie in; cells share places of a table by their hash, which distances tell apart. */
class Grid {
  readonly occupied: number;
  private readonly mask: number;
  private readonly begins: Uint32Array;
  private readonly points: Uint32Array;

  constructor(
    private readonly positions: Float32Array,
    count: number,
    private readonly cell: number,
  ) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, count)));
    this.mask = size - 1;
    this.begins = new Uint32Array(size + 1);
    const places = new Uint32Array(count);
    for (let k = 0; k < count; k++) {
      places[k] = this.place(this.index(3 * k), this.index(3 * k + 1), this.index(3 * k + 2));
      this.begins[places[k]! + 1]!++;
    }
    let occupied = 0;
    for (let k = 0; k < size; k++) {
      if (this.begins[k + 1]! > 0) occupied++;
      this.begins[k + 1]! += this.begins[k]!;
    }
    this.occupied = occupied;
    this.points = new Uint32Array(count);
    const next = this.begins.slice();
    for (let k = 0; k < count; k++) this.points[next[places[k]!]!++] = k;
  }

  private index(at: number): number {
    return Math.floor(this.positions[at]! / this.cell);
  }

  private place(x: number, y: number, z: number): number {
    const mixed = Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(z, 83492791);
    return (mixed ^ (mixed >>> 15)) & this.mask;
  }

  /** To the nearest other points of the cells around; as far as a cell is wide for each that is missing. */
  meanDistance(point: number, neighbours: number): number {
    const { positions, cell } = this;
    const [px, py, pz] = [positions[3 * point]!, positions[3 * point + 1]!, positions[3 * point + 2]!];
    const [x, y, z] = [this.index(3 * point), this.index(3 * point + 1), this.index(3 * point + 2)];
    // Beyond a cell's width other points may be nearer that are not looked at.
    const nearest = new Float64Array(neighbours).fill(cell * cell);
    const seen = new Set<number>();
    for (let dx = -1; dx <= 1; dx++)
      for (let dy = -1; dy <= 1; dy++)
        for (let dz = -1; dz <= 1; dz++) {
          const place = this.place(x + dx, y + dy, z + dz);
          // Two cells around may share a place.
          if (seen.has(place)) continue;
          seen.add(place);
          for (let n = this.begins[place]!; n < this.begins[place + 1]!; n++) {
            const other = this.points[n]!;
            if (other === point) continue;
            const a = positions[3 * other]! - px;
            const b = positions[3 * other + 1]! - py;
            const c = positions[3 * other + 2]! - pz;
            insert(nearest, a * a + b * b + c * c);
          }
        }
    let sum = 0;
    for (const square of nearest) sum += Math.sqrt(square);
    return sum / neighbours;
  }
}

/** Into ascending squares, the last of which falls out. */
function insert(squares: Float64Array, square: number): void {
  let at = squares.length - 1;
  if (square >= squares[at]!) return;
  for (; at > 0 && squares[at - 1]! > square; at--) squares[at] = squares[at - 1]!;
  squares[at] = square;
}

import { median } from '../../numerics/median.js';
import type { MeasuredDepths } from '../sparse-views.js';

export interface FitOptions {
  /** Fewer measured depths than this do not bend the map: they only scale it. */
  least: number;
  /** Columns of the grid over which the correction varies; rows follow from the view's shape. */
  columns: number;
  /** Weight of the grid's smoothness against one measured depth. */
  smoothness: number;
  /** A measured depth is wrong when its logarithm is off by more than this many median deviations. */
  outlier: number;
}

export const FIT_DEFAULTS: FitOptions = { least: 12, columns: 8, smoothness: 0.3, outlier: 4 };

/** A depth map brought to measured depths. */
export interface FittedDepth {
  depth: Float32Array;
  /** Median of |log(depth / measured)| over the measured depths that were kept. */
  residual: number;
  /** Indices of those. */
  kept: number[];
}

const usual = (values: readonly number[]): number => median(values) ?? 0;

/** Bilinear, at a position in the map. */
function depthAt(depth: Float32Array, width: number, height: number, x: number, y: number): number {
  const sx = Math.min(width - 1, Math.max(0, x));
  const sy = Math.min(height - 1, Math.max(0, y));
  const [x0, y0] = [Math.min(width - 2, Math.floor(sx)), Math.min(height - 2, Math.floor(sy))];
  const [fx, fy] = [sx - x0, sy - y0];
  const at = y0 * width + x0;
  const top = depth[at]! * (1 - fx) + depth[at + 1]! * fx;
  return top * (1 - fy) + (depth[at + width]! * (1 - fx) + depth[at + width + 1]! * fx) * fy;
}

/** Nodes over the view, and the four that surround a position with their weights. */
class Grid {
  readonly columns: number;
  readonly rows: number;

  constructor(
    private readonly width: number,
    private readonly height: number,
    columns: number,
  ) {
    this.columns = columns;
    this.rows = Math.max(2, Math.round((columns * height) / width));
  }

  around(x: number, y: number): { node: number; weight: number }[] {
    const u = Math.min(1, Math.max(0, x / (this.width - 1))) * (this.columns - 1);
    const v = Math.min(1, Math.max(0, y / (this.height - 1))) * (this.rows - 1);
    const [c, r] = [Math.min(this.columns - 2, Math.floor(u)), Math.min(this.rows - 2, Math.floor(v))];
    const [fx, fy] = [u - c, v - r];
    const node = r * this.columns + c;
    return [
      { node, weight: (1 - fx) * (1 - fy) },
      { node: node + 1, weight: fx * (1 - fy) },
      { node: node + this.columns, weight: (1 - fx) * fy },
      { node: node + this.columns + 1, weight: fx * fy },
    ];
  }

  neighbours(node: number): number[] {
    const [c, r] = [node % this.columns, Math.floor(node / this.columns)];
    return [
      ...(c > 0 ? [node - 1] : []),
      ...(c + 1 < this.columns ? [node + 1] : []),
      ...(r > 0 ? [node - this.columns] : []),
      ...(r + 1 < this.rows ? [node + this.columns] : []),
    ];
  }
}

/** Passes over the grid: it has under a hundred nodes, and converges in fewer. */
const PASSES = 60;

/** A smooth function on the grid that passes near (position, value); 0 where nothing is near. Gauss-Seidel. */
function smoothField(
  grid: Grid,
  samples: readonly { x: number; y: number; value: number }[],
  smoothness: number,
): Float64Array {
  const values = new Float64Array(grid.columns * grid.rows);
  const places = samples.map(({ x, y }) => grid.around(x, y));
  const touching: { sample: number; weight: number }[][] = Array.from(values, () => []);
  places.forEach((around, sample) => {
    for (const { node, weight } of around) if (weight > 0) touching[node]!.push({ sample, weight });
  });
  for (let pass = 0; pass < PASSES; pass++) {
    for (let node = 0; node < values.length; node++) {
      const neighbours = grid.neighbours(node);
      // A little weight on zero keeps nodes without samples at the overall scale.
      let [weights, sum] = [smoothness * neighbours.length + 0.05, 0];
      for (const neighbour of neighbours) sum += smoothness * values[neighbour]!;
      for (const { sample, weight } of touching[node]!) {
        let rest = samples[sample]!.value;
        for (const { node: other, weight: share } of places[sample]!)
          if (other !== node) rest -= share * values[other]!;
        sum += weight * rest;
        weights += weight * weight;
      }
      values[node] = sum / weights;
    }
  }
  return values;
}

/**
 * Brings a network's depth map to measured depths: one scale by the median ratio, and a correction of its logarithm
 * that varies smoothly over the view; measured depths that contradict both are left out. Learned depth keeps its detail,
 * the measurement decides where things are.
 *
 * @param depth [height, width], positive
 * @returns undefined where nothing is measured
 */
export function fitDepth(
  depth: Float32Array,
  width: number,
  height: number,
  measured: MeasuredDepths,
  options: FitOptions = FIT_DEFAULTS,
): FittedDepth | undefined {
  const samples = Array.from(measured.depth, (value, index) => {
    const [x, y] = [measured.at[2 * index]!, measured.at[2 * index + 1]!];
    return { index, x, y, value: Math.log(value / depthAt(depth, width, height, x, y)) };
  }).filter(({ x, y, value }) => Number.isFinite(value) && x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1);
  if (samples.length === 0) return undefined;
  const scale = usual(samples.map(({ value }) => value));
  const spread = Math.max(1e-3, usual(samples.map(({ value }) => Math.abs(value - scale))));
  let kept = samples.filter(({ value }) => Math.abs(value - scale) <= options.outlier * spread);
  const grid = new Grid(width, height, options.columns);
  let field: Float64Array = new Float64Array(grid.columns * grid.rows);
  const predicted = (x: number, y: number): number =>
    grid.around(x, y).reduce((sum, { node, weight }) => sum + weight * field[node]!, scale);
  if (kept.length >= options.least) {
    for (let round = 0; round < 2; round++) {
      const residuals = kept.map((sample) => ({ ...sample, value: sample.value - scale }));
      field = smoothField(grid, residuals, options.smoothness);
      const off = (sample: (typeof samples)[0]) => Math.abs(sample.value - predicted(sample.x, sample.y));
      const limit = options.outlier * Math.max(1e-3, usual(kept.map(off)));
      kept = samples.filter((sample) => off(sample) <= limit);
    }
  }
  const out = new Float32Array(depth.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) out[y * width + x] = depth[y * width + x]! * Math.exp(predicted(x, y));
  }
  const residual = usual(kept.map(({ x, y, value }) => Math.abs(value - predicted(x, y))));
  return { depth: out, residual, kept: kept.map(({ index }) => index) };
}

import { minimumDegree } from '../numerics/minimum-degree.js';

/**
 * Which blocks of the reduced system exist, in the order of elimination: column by column, the diagonal block first,
 * then the rows below it in order.
 */
export interface BlockPattern {
  /** [unknowns + 1] */
  columns: Int32Array;
  /** Per entry, its row. */
  rowOf: Int32Array;
  /** Per entry, where its block begins in S. */
  blockOf: Int32Array;
  /** Numbers in all blocks. */
  length: number;
  /** Per row the entries left of its diagonal: [unknowns + 1], and [..][2] of column and entry. */
  before: Int32Array;
  earlier: Int32Array;
}

/** What the points that join them say of the unknowns. */
export interface UnknownGraph {
  /** Numbers of each unknown. */
  sizes: ArrayLike<number>;
  /** Per unknown, those that a point joins it to. */
  neighbours: readonly (readonly number[])[];
}

export interface EliminationOptions {
  /** Multiplications that a factor may take; a system that needs more is solved by iteration. */
  factorWork: number;
  /** Numbers that a factor may hold. */
  factorNumbers: number;
}

/** A second of one core, and 320 MB. A street of 1,000 photos takes a hundredth of both. */
export const ELIMINATION_DEFAULTS: EliminationOptions = { factorWork: 1.5e9, factorNumbers: 40e6 };

export interface Elimination {
  /** Place of each unknown in the order of elimination. */
  place: Int32Array;
  pattern: BlockPattern;
  /** The pattern holds all fill-in, so that the factor is exact; otherwise it is that of the system itself. */
  exact: boolean;
}

/** Order and pattern of the reduced system of a bundle. */
export function planElimination(graph: UnknownGraph, options: EliminationOptions = ELIMINATION_DEFAULTS): Elimination {
  const order = minimumDegree(graph.neighbours);
  const place = new Int32Array(order.length);
  order.forEach((unknown, k) => (place[unknown] = k));
  const sizes = Array.from(order, (unknown) => graph.sizes[unknown]!);
  const below = Array.from(order, (unknown, k) =>
    graph.neighbours[unknown]!.map((other) => place[other]!)
      .filter((other) => other > k)
      .sort((a, b) => a - b),
  );
  const filled = withFill(below);
  const exact = isAffordable(filled, sizes, options);
  return { place, pattern: patternOf(exact ? filled : below, sizes), exact };
}

/** Rows below the diagonal of each column of the factor: its own, and those of the columns that it follows on. */
function withFill(below: readonly (readonly number[])[]): number[][] {
  const n = below.length;
  const filled: number[][] = [];
  const children: number[][] = Array.from({ length: n }, () => []);
  const mark = new Int32Array(n).fill(-1);
  for (let j = 0; j < n; j++) {
    const rows: number[] = [];
    const gather = (list: readonly number[]): void => {
      for (const i of list) {
        if (i <= j || mark[i] === j) continue;
        mark[i] = j;
        rows.push(i);
      }
    };
    gather(below[j]!);
    for (const child of children[j]!) gather(filled[child]!);
    rows.sort((a, b) => a - b);
    filled.push(rows);
    if (rows.length > 0) children[rows[0]!]!.push(j);
  }
  return filled;
}

function isAffordable(
  filled: readonly (readonly number[])[],
  sizes: readonly number[],
  options: EliminationOptions,
): boolean {
  let work = 0;
  let numbers = 0;
  filled.forEach((rows, j) => {
    const height = rows.reduce((sum, i) => sum + sizes[i]!, sizes[j]!);
    work += (sizes[j]! * height * height) / 2;
    numbers += sizes[j]! * height;
  });
  return work <= options.factorWork && numbers <= options.factorNumbers;
}

function patternOf(below: readonly (readonly number[])[], sizes: readonly number[]): BlockPattern {
  const n = below.length;
  const entries = below.reduce((sum, rows) => sum + rows.length + 1, 0);
  const columns = new Int32Array(n + 1);
  const rowOf = new Int32Array(entries);
  const blockOf = new Int32Array(entries);
  const before = new Int32Array(n + 1);
  let [entry, length] = [0, 0];
  below.forEach((rows, j) => {
    for (const i of [j, ...rows]) {
      rowOf[entry] = i;
      blockOf[entry++] = length;
      length += sizes[i]! * sizes[j]!;
      if (i > j) before[i + 1] = before[i + 1]! + 1;
    }
    columns[j + 1] = entry;
  });
  for (let i = 0; i < n; i++) before[i + 1] = before[i + 1]! + before[i]!;
  const cursor = before.slice();
  const earlier = new Int32Array(2 * (entries - n));
  for (let j = 0; j < n; j++) {
    for (let e = columns[j]! + 1; e < columns[j + 1]!; e++) {
      const at = cursor[rowOf[e]!]!++;
      earlier[2 * at] = j;
      earlier[2 * at + 1] = e;
    }
  }
  return { columns, rowOf, blockOf, length, before, earlier };
}

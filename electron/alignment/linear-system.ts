import { loadKernel } from '../compute/wasm.js';

interface Kernel {
  factor(A: number, blocks: number, slots: number, panel: number, rows: number): number;
  solve(L: number, blocks: number, slots: number, b: number): void;
}

const PAGE = 65_536;
const BLOCK = 32;
const BLOCK_BYTES = BLOCK * BLOCK * 8;
const SHIFT = 5;
const WITHIN = BLOCK - 1;

export interface LinearSystemOptions {
  /** Bytes that an exact factor may take; a system that needs more is solved by iteration. */
  factorBytes: number;
  /** Of the iteration: reduction of the residual at which it ends, and the most steps. */
  tolerance: number;
  steps: number;
}

export const LINEAR_SYSTEM_DEFAULTS: LinearSystemOptions = { factorBytes: 800e6, tolerance: 1e-6, steps: 500 };

type Solve = (rightHandSide: Float64Array) => Float64Array;

/**
 * A symmetric positive definite system. Only blocks of 32 unknowns that were ever written are stored, and
 * `bandedOrder` (order.ts) keeps them near the diagonal: 400 photos with 8 neighbours, 25,000 unknowns, take a tenth
 * of a gigabyte instead of five. It is factorised where the factor fits, else solved by conjugate gradients under an
 * incomplete factor (Saad, "Iterative Methods for Sparse Linear Systems", 2003, chapters 9 and 10).
 */
export class LinearSystem {
  /** [size] */
  readonly g: Float64Array;
  private readonly blocks: number;
  /** [blocks, blocks] number of the block's values plus one, lower triangle. */
  private readonly index: Int32Array;
  private readonly values: Float64Array[] = [];
  private readonly options: LinearSystemOptions;
  private factorisation: Factorisation | undefined;

  constructor(
    readonly size: number,
    options: Partial<LinearSystemOptions> = {},
  ) {
    this.options = { ...LINEAR_SYSTEM_DEFAULTS, ...options };
    this.blocks = Math.ceil(Math.max(1, size) / BLOCK);
    this.index = new Int32Array(this.blocks * this.blocks);
    this.g = new Float64Array(size);
    for (let k = 0; k < this.blocks; k++) this.blockAt(k, k);
  }

  /** Zeros; blocks that were written stay stored. */
  clear(): void {
    for (const block of this.values) block.fill(0);
    this.g.fill(0);
  }

  /** Adds to the lower triangle; the upper one is its mirror. */
  add(row: number, column: number, value: number): void {
    if (row < column) this.add(column, row, value);
    else {
      const block = this.blockAt(row >> SHIFT, column >> SHIFT);
      const at = ((row & WITHIN) << SHIFT) + (column & WITHIN);
      block[at] = block[at]! + value;
    }
  }

  /**
   * Prepares solutions of H with its diagonal grown by `damping` (Marquardt's scaling).
   *
   * @returns solves for any right-hand side, or undefined when the system is not positive definite
   */
  factor(damping: number): Solve | undefined {
    this.factorisation ??= this.plan();
    const { exact } = this.factorisation;
    if (exact) return this.factorise(damping, 0);
    // An incomplete factor may break down where the system does not: a little more on the diagonal mends it.
    for (const shift of [0, 1e-3, 1e-2, 0.1, 1]) {
      const precondition = this.factorise(damping, shift);
      if (precondition) return (rightHandSide) => this.iterate(rightHandSide, damping, precondition);
    }
    return undefined;
  }

  /** Whether the last factor was exact. */
  get exact(): boolean {
    return this.factorisation?.exact ?? true;
  }

  private blockAt(row: number, column: number): Float64Array {
    const at = row * this.blocks + column;
    let slot = this.index[at]!;
    if (slot === 0) {
      slot = this.index[at] = this.values.push(new Float64Array(BLOCK * BLOCK));
      this.factorisation = undefined;
    }
    return this.values[slot - 1]!;
  }

  private plan(): Factorisation {
    const filled = withFill(this.index, this.blocks);
    const exact = filled.count * BLOCK_BYTES <= this.options.factorBytes;
    return new Factorisation(this.blocks, exact ? filled : { slots: this.index, count: this.values.length }, exact);
  }

  private factorise(damping: number, shift: number): Solve | undefined {
    const { index, blocks, size } = this;
    const factorisation = this.factorisation!;
    const floor = this.diagonalFloor();
    factorisation.clear();
    for (let at = 0; at < index.length; at++) if (index[at]! > 0) factorisation.set(at, this.values[index[at]! - 1]!);
    for (let k = 0; k < blocks; k++) {
      const D = factorisation.block(k * blocks + k);
      for (let i = 0; i < BLOCK; i++) {
        const at = i * BLOCK + i;
        D[at] = k * BLOCK + i < size ? D[at]! * (1 + damping + shift) + floor : 1;
      }
    }
    return factorisation.run(size);
  }

  private diagonalFloor(): number {
    let mean = 0;
    for (let i = 0; i < this.size; i++) mean += this.diagonal(i) / this.size;
    return 1e-12 * mean;
  }

  private diagonal(i: number): number {
    const block = this.values[this.index[(i >> SHIFT) * this.blocks + (i >> SHIFT)]! - 1]!;
    return block[(i & WITHIN) * BLOCK + (i & WITHIN)]!;
  }

  /** Preconditioned conjugate gradients. */
  private iterate(b: Float64Array, damping: number, precondition: Solve): Float64Array {
    const x = new Float64Array(this.size);
    const r = b.slice();
    const end = this.options.tolerance ** 2 * product(b, b);
    let z = precondition(r);
    let p = z.slice();
    let rz = product(r, z);
    for (let step = 0; step < this.options.steps && product(r, r) > end; step++) {
      const Hp = this.multiply(p, damping);
      const alpha = rz / product(p, Hp);
      for (let k = 0; k < x.length; k++) {
        x[k] = x[k]! + alpha * p[k]!;
        r[k] = r[k]! - alpha * Hp[k]!;
      }
      z = precondition(r);
      const next = product(r, z);
      const beta = next / rz;
      rz = next;
      p = p.map((value, k) => z[k]! + beta * value);
    }
    return x;
  }

  /** H x, the diagonal as `factor` has it. */
  private multiply(x: Float64Array, damping: number): Float64Array {
    const { blocks, index, size } = this;
    const floor = this.diagonalFloor();
    const out = new Float64Array(blocks * BLOCK);
    const padded = new Float64Array(blocks * BLOCK);
    padded.set(x);
    for (let row = 0; row < blocks; row++) {
      for (let column = 0; column <= row; column++) {
        const slot = index[row * blocks + column]!;
        if (slot > 0) multiplyBlock(this.values[slot - 1]!, row * BLOCK, column * BLOCK, padded, out);
      }
    }
    for (let k = 0; k < size; k++) out[k] = out[k]! + x[k]! * (damping * this.diagonal(k) + floor);
    return out.subarray(0, size);
  }
}

/** Adds a block's part of the symmetric product; of a diagonal block only the lower triangle counts. */
function multiplyBlock(block: Float64Array, row: number, column: number, x: Float64Array, out: Float64Array): void {
  for (let r = 0; r < BLOCK; r++) {
    const end = row === column ? r : BLOCK;
    let sum = 0;
    const xr = x[row + r]!;
    for (let c = 0; c < end; c++) {
      const value = block[r * BLOCK + c]!;
      sum += value * x[column + c]!;
      out[column + c] = out[column + c]! + value * xr;
    }
    if (row === column) sum += block[r * BLOCK + r]! * xr;
    out[row + r] = out[row + r]! + sum;
  }
}

const product = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
};

interface Pattern {
  slots: Int32Array;
  count: number;
}

/** The pattern of the exact factor: eliminating an unknown joins all that it touches. */
function withFill(index: Int32Array, blocks: number): Pattern {
  const slots = index.slice();
  const rows: number[] = [];
  for (let k = 0; k < blocks; k++) {
    rows.length = 0;
    for (let i = k + 1; i < blocks; i++) if (slots[i * blocks + k]! > 0) rows.push(i);
    for (let a = 0; a < rows.length; a++) for (let b = 0; b <= a; b++) slots[rows[a]! * blocks + rows[b]!] = 1;
  }
  let count = 0;
  for (let at = 0; at < slots.length; at++) if (slots[at]! > 0) slots[at] = ++count;
  return { slots, count };
}

/** A factor in the kernel's memory. */
class Factorisation {
  private readonly exports: Kernel;
  private readonly memory: WebAssembly.Memory;
  private readonly at: { slots: number; rows: number; b: number; panel: number; A: number };

  constructor(
    private readonly blocks: number,
    private readonly pattern: Pattern,
    readonly exact: boolean,
  ) {
    let end = PAGE;
    const take = (bytes: number): number => {
      const start = end;
      end += Math.ceil(bytes / 16) * 16;
      return start;
    };
    this.at = {
      slots: take(4 * blocks * blocks),
      rows: take(4 * blocks),
      b: take(8 * BLOCK * blocks),
      panel: take(8 * BLOCK * BLOCK * blocks),
      A: take(pattern.count * BLOCK_BYTES),
    };
    const { exports, memory } = loadKernel<Kernel>(
      new URL('./assembly/cholesky.wasm', import.meta.url),
      new WebAssembly.Memory({ initial: Math.ceil(end / PAGE) }),
    );
    this.exports = exports;
    this.memory = memory;
    new Int32Array(memory.buffer, this.at.slots, blocks * blocks).set(pattern.slots);
  }

  clear(): void {
    new Uint8Array(this.memory.buffer, this.at.A, this.pattern.count * BLOCK_BYTES).fill(0);
  }

  /** @param at row * blocks + column */
  block(at: number): Float64Array {
    return new Float64Array(this.memory.buffer, this.at.A + (this.pattern.slots[at]! - 1) * BLOCK_BYTES, BLOCK * BLOCK);
  }

  set(at: number, values: Float64Array): void {
    this.block(at).set(values);
  }

  run(size: number): Solve | undefined {
    const { slots, rows, b, panel, A } = this.at;
    if (!this.exports.factor(A, this.blocks, slots, panel, rows)) return undefined;
    return (rightHandSide) => {
      const x = new Float64Array(this.memory.buffer, b, BLOCK * this.blocks).fill(0);
      x.set(rightHandSide);
      this.exports.solve(A, this.blocks, slots, b);
      return x.slice(0, size);
    };
  }
}

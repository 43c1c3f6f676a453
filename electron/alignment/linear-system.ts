import { loadKernel } from '../compute/wasm.js';

interface Kernel {
  factor(A: number, n: number, mask: number, panel: number): number;
  solve(L: number, n: number, mask: number, b: number): void;
}

const PAGE = 65_536;
const BLOCK = 32;

/**
 * A symmetric positive definite system in the kernel's memory. Blocks of 32 unknowns that are never written are never
 * visited: see `order` of reduced-system.ts, which keeps the others near the diagonal.
 */
export class LinearSystem {
  /** Rows and columns with room for whole blocks. */
  readonly stride: number;
  /** [stride, stride] lower triangle. */
  readonly H: Float64Array;
  /** [size] */
  readonly g: Float64Array;
  private readonly blocks: number;
  private readonly exports: Kernel;
  private readonly memory: WebAssembly.Memory;
  private readonly at: { H: number; A: number; mask: number; filled: number; panel: number; b: number };

  constructor(readonly size: number) {
    this.stride = Math.ceil(Math.max(1, size) / BLOCK) * BLOCK;
    this.blocks = this.stride / BLOCK;
    const square = this.stride * this.stride * 8;
    const mask = Math.ceil((this.blocks * this.blocks) / 16) * 16;
    const H = PAGE;
    this.at = {
      H,
      A: H + square,
      mask: H + 2 * square,
      filled: H + 2 * square + mask,
      panel: H + 2 * square + 2 * mask,
      b: H + 2 * square + 2 * mask + BLOCK * this.stride * 8,
    };
    const { exports, memory } = loadKernel<Kernel>(
      new URL('./assembly/cholesky.wasm', import.meta.url),
      new WebAssembly.Memory({ initial: Math.ceil((this.at.b + this.stride * 8) / PAGE) }),
    );
    this.exports = exports;
    this.memory = memory;
    this.H = new Float64Array(memory.buffer, H, this.stride * this.stride);
    this.g = new Float64Array(size);
  }

  clear(): void {
    this.H.fill(0);
    this.g.fill(0);
  }

  /** Adds to the lower triangle; the upper one is its mirror. */
  add(row: number, column: number, value: number): void {
    const at = row >= column ? row * this.stride + column : column * this.stride + row;
    this.H[at] = this.H[at]! + value;
  }

  /**
   * Factorises H with its diagonal grown by `damping` (Marquardt's scaling).
   *
   * @returns solves for any right-hand side, or undefined when the system is not positive definite
   */
  factor(damping: number): ((rightHandSide: Float64Array) => Float64Array) | undefined {
    const { buffer } = this.memory;
    const { H, A, mask, filled, panel, b } = this.at;
    const marks = new Uint8Array(buffer, mask, this.blocks * this.blocks);
    this.mark(marks);
    new Uint8Array(buffer, filled, marks.length).set(marks);
    new Uint8Array(buffer).copyWithin(A, H, H + this.stride * this.stride * 8);
    const factorised = new Float64Array(buffer, A, this.stride * this.stride);
    let mean = 0;
    for (let i = 0; i < this.size; i++) mean += this.H[i * this.stride + i]! / this.size;
    for (let i = 0; i < this.stride; i++) {
      const at = i * this.stride + i;
      factorised[at] = i < this.size ? factorised[at]! * (1 + damping) + 1e-12 * mean : 1;
    }
    if (!this.exports.factor(A, this.stride, filled, panel)) return undefined;
    return (rightHandSide) => {
      const x = new Float64Array(buffer, b, this.stride).fill(0);
      x.set(rightHandSide);
      this.exports.solve(A, this.stride, filled, b);
      return x.slice(0, this.size);
    };
  }

  /** Which blocks hold anything but zeros. */
  private mark(marks: Uint8Array): void {
    for (let i = 0; i < this.blocks; i++) {
      for (let j = 0; j <= i; j++) {
        let any = 0;
        for (let r = i * BLOCK; r < (i + 1) * BLOCK && !any; r++) {
          const row = r * this.stride + j * BLOCK;
          for (let c = 0; c < BLOCK; c++)
            if (this.H[row + c] !== 0) {
              any = 1;
              break;
            }
        }
        marks[i * this.blocks + j] = any;
      }
    }
  }
}

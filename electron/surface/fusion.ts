import { loadKernel } from '../compute/wasm.js';
import type { Block, SurfaceView } from './types.js';

export interface FusionOptions {
  /** Side of a cell, in pixels at a sample's depth. */
  cellPixels: number;
  /** Signed distances are cut off here, in pixels at the sample's depth. */
  bandPixels: number;
  /** Samples of less weight (confidence's logarithm, cosine, a share at borders of a surface) ask for no cells. */
  leastWeight: number;
  /** What a view that sees nothing but the sky weighs against such weights of the views that see a surface. */
  skyTrust: number;
}

export const FUSION_DEFAULTS: FusionOptions = { cellPixels: 2, bandPixels: 6, leastWeight: 0.02, skyTrust: 2 };

/** The surface inside one block: vertices on a border are the same, to the last bit, as those of the next block. */
export interface BlockSurface {
  /** [vertices, 3] */
  positions: Float64Array;
  support: Float32Array;
  /** [triangles, 3] */
  indices: Uint32Array;
}

interface Kernel {
  reset(base: number): void;
  allocate(bytes: number): number;
  options(cellPixels: number, bandPixels: number, skyTrust: number): void;
  place(
    views: number,
    count: number,
    x: number,
    y: number,
    z: number,
    cell: number,
    rootBits: number,
    coarsest: number,
  ): void;
  prepare(view: number, confidence: number): void;
  grow(halo: number, leastWeight: number): number;
  layOut(): number;
  evaluate(): void;
  contour(): number;
  vertices(): number;
  positions(): number;
  support(): number;
  indices(): number;
}

const VIEW_BYTES = 160;

/**
 * The zero level of the signed distance that the depth maps give together, inside one block. A kernel of its own each
 * time: its memory, which only ever grows, goes back with it.
 */
export function fuseBlock(
  all: readonly SurfaceView[],
  block: Block,
  options: Partial<FusionOptions> = {},
): BlockSurface {
  const { cellPixels, bandPixels, leastWeight, skyTrust } = { ...FUSION_DEFAULTS, ...options };
  const { exports: kernel, memory } = loadKernel<Kernel>(new URL('./assembly/fusion.wasm', import.meta.url));
  kernel.reset(1 << 16);
  kernel.options(cellPixels, bandPixels, skyTrust);
  const views = block.views.map((index) => all[index]!);
  const table = kernel.allocate(views.length * VIEW_BYTES);
  views.forEach((view, k) => loadView(kernel, memory, view, table + k * VIEW_BYTES));
  const side = block.cell * 2 ** block.bits;
  const [x, y, z] = block.corner;
  kernel.place(table, views.length, x - side, y - side, z - side, block.cell, block.bits + 2, block.coarsestBits);
  kernel.grow(block.halo, leastWeight);
  kernel.layOut();
  kernel.evaluate();
  const triangles = kernel.contour();
  const count = kernel.vertices();
  return {
    positions: new Float64Array(memory.buffer, kernel.positions(), 3 * count).slice(),
    support: new Float32Array(memory.buffer, kernel.support(), count).slice(),
    indices: new Uint32Array(memory.buffer, kernel.indices(), 3 * triangles).slice(),
  };
}

function loadView(kernel: Kernel, memory: WebAssembly.Memory, view: SurfaceView, record: number): void {
  const window = view.window ?? { left: 0, top: 0, width: view.width, height: view.height };
  const pixels = window.width * window.height;
  const depth = kernel.allocate(4 * pixels);
  const weight = kernel.allocate(4 * pixels);
  const factor = kernel.allocate(4 * pixels);
  // The confidences lie where the factors come to lie: each is read before it is written over.
  new Float32Array(memory.buffer, depth, pixels).set(view.depth);
  const trust = new Float32Array(memory.buffer, factor, pixels);
  trust.set(view.confidence);
  view.open?.forEach((isOpen, k) => {
    if (isOpen === 1) trust[k] = -1;
  });
  const M = view.cameraFromWorld;
  const numbers = [
    ...[0, 1, 2].flatMap((row) => [M[4 * row]!, M[4 * row + 1]!, M[4 * row + 2]!]),
    ...[M[3]!, M[7]!, M[11]!],
    ...[view.focal, view.centreX, view.centreY],
  ];
  new Float64Array(memory.buffer, record, numbers.length).set(numbers);
  const places = [depth, weight, factor, window.left, window.top, window.width, window.height];
  new Uint32Array(memory.buffer, record + 8 * numbers.length, 9).set([view.width, view.height, ...places]);
  kernel.prepare(record, factor);
}

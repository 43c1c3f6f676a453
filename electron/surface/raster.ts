import type { Intrinsics } from '../geometry/types.js';
import { loadKernel } from '../compute/wasm.js';

/** A pinhole camera for drawing. */
export interface DrawingCamera extends Intrinsics {
  /** Row-major 4x4. */
  cameraFromWorld: Float64Array;
}

export interface Drawing {
  /** [height, width] one over depth along z; 0 where there is nothing. */
  inverseDepth: Float32Array;
  /** [height, width] number of the face + 1; 0 where there is nothing. */
  face: Uint32Array;
}

interface Kernel {
  project(positions: number, count: number, camera: number, nearest: number, out: number): void;
  rasterise(
    image: number,
    indices: number,
    triangles: number,
    width: number,
    height: number,
    inverse: number,
    face: number,
  ): void;
}

/** What lies nearer than this share of the mesh's size is not drawn. */
const NEAREST = 1e-4;

/** A mesh in a kernel's memory, to be drawn by one camera after another. */
export class Rasteriser {
  private readonly kernel: Kernel;
  private readonly memory: WebAssembly.Memory;
  private readonly camera: number;
  private readonly positions: number;
  private readonly image: number;
  private readonly indices: number;
  private readonly end: number;
  private readonly vertices: number;
  private readonly triangles: number;
  private readonly nearest: number;

  constructor(positions: Float32Array, indices: Uint32Array) {
    const { exports, memory } = loadKernel<Kernel>(new URL('./assembly/raster.wasm', import.meta.url));
    this.kernel = exports;
    this.memory = memory;
    this.vertices = positions.length / 3;
    this.triangles = indices.length / 3;
    this.camera = 1 << 16;
    this.positions = this.camera + 128;
    this.image = this.positions + 4 * positions.length;
    this.indices = this.image + 4 * positions.length;
    this.end = this.indices + 4 * indices.length;
    this.reserve(this.end);
    new Float32Array(memory.buffer, this.positions, positions.length).set(positions);
    new Uint32Array(memory.buffer, this.indices, indices.length).set(indices);
    this.nearest = NEAREST * sizeOf(positions);
  }

  /** The arrays are the kernel's own: they hold until the next call. */
  draw({ width, height, fx, fy, cx, cy, cameraFromWorld }: DrawingCamera): Drawing {
    const pixels = width * height;
    const face = this.end + 4 * pixels;
    this.reserve(face + 4 * pixels);
    const { buffer } = this.memory;
    new Float64Array(buffer, this.camera, 16).set([...cameraFromWorld.subarray(0, 12), fx, fy, cx, cy]);
    new Uint8Array(buffer, this.end, 8 * pixels).fill(0);
    this.kernel.project(this.positions, this.vertices, this.camera, this.nearest, this.image);
    this.kernel.rasterise(this.image, this.indices, this.triangles, width, height, this.end, face);
    return {
      inverseDepth: new Float32Array(buffer, this.end, pixels),
      face: new Uint32Array(buffer, face, pixels),
    };
  }

  private reserve(bytes: number): void {
    const missing = Math.ceil((bytes - this.memory.buffer.byteLength) / 65536);
    if (missing > 0) this.memory.grow(missing);
  }
}

function sizeOf(positions: Float32Array): number {
  let least = Infinity;
  let most = -Infinity;
  for (const value of positions) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most > least ? most - least : 1;
}

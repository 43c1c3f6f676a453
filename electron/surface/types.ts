import type { PixelWindow } from '../scene/kept-pixels.js';

/** A depth map with its camera, as every operation of this room takes it. Buffers may be shared between threads. */
export interface SurfaceView {
  width: number;
  height: number;
  /** View pixels. */
  focal: number;
  centreX: number;
  centreY: number;
  /** Row-major 4x4. */
  cameraFromWorld: Float64Array;
  /** The part of the picture that the arrays hold, pixels; without one all of it. */
  window?: ViewWindow | undefined;
  /** [height, width] along z, world units; 0 where nothing is known or nothing shall be built. */
  depth: Float32Array;
  /** [height, width], at least 1. */
  confidence: Float32Array;
  /** [height, width], 1 where the depth was completed from what lies around, or said by a network alone; none without. */
  inferred?: Uint8Array | undefined;
  /** [height, width], 1 where the ray is free as far as it goes: nothing but sky is seen; none without. */
  open?: Uint8Array | undefined;
}

export type ViewWindow = PixelWindow;

/** A view without what it says of each pixel. */
export type ViewCamera = Pick<SurfaceView, 'width' | 'height' | 'focal' | 'centreX' | 'centreY' | 'cameraFromWorld'>;

/** Triangles, counter-clockwise seen from outside, in the world frame. */
export interface Mesh {
  /** [vertices, 3] */
  positions: Float32Array;
  /** [triangles, 3] */
  indices: Uint32Array;
  /** [vertices] how much the views that saw the place say together: about 1 a view that is sure. */
  support: Float32Array;
  /** [vertices], at least 1: what the depth maps say of the finished mesh (evidence.ts). */
  confidence?: Float32Array;
  /** [triangles] 1 where a hole was filled, or where no depth was measured but completed; undefined: none. */
  inferred?: Uint8Array;
}

/** One of the cubes that space is cut into; sides are whole numbers of smallest cells, corners multiples of the side. */
export interface Block {
  /** World units, exact multiples of `cell`. */
  corner: [number, number, number];
  /** The block is 2^bits smallest cells wide. */
  bits: number;
  /** Side of the smallest cell, a power of two, world units. */
  cell: number;
  /** Largest cells are 2^coarsestBits smallest ones wide. */
  coarsestBits: number;
  /** Samples this far outside count too, world units. */
  halo: number;
  /** Indices of the views that may see it. */
  views: number[];
}

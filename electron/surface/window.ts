import type { Block, SurfaceView, ViewCamera, ViewWindow } from './types.js';

/** Pixels round what is looked at: slopes are taken from two pixels to each side, depths from between four. */
const MARGIN = 4;

/**
 * The part of a view that the fusion of a block reads: the block, the samples that count around it, and the cells that
 * these grow.
 *
 * @returns undefined where none of it is in the picture
 */
export function windowOf(view: ViewCamera, { corner, bits, cell, halo }: Block): ViewWindow | undefined {
  const side = cell * 2 ** bits;
  // A sample at the rim of the halo has cells of at most its width, and these have neighbours.
  const beyond = 3 * halo;
  const M = view.cameraFromWorld;
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (let k = 0; k < 8; k++) {
    const [x, y, z] = corner.map((value, i) => value + ((k >> i) & 1 ? side + beyond : -beyond)) as [
      number,
      number,
      number,
    ];
    const away = M[8]! * x + M[9]! * y + M[10]! * z + M[11]!;
    // The camera is in the block, or beside it.
    if (away <= 0.01 * side) return { left: 0, top: 0, width: view.width, height: view.height };
    const at = [0, 4].map(
      (row) => (view.focal * (M[row]! * x + M[row + 1]! * y + M[row + 2]! * z + M[row + 3]!)) / away,
    );
    [at[0]! + view.centreX, at[1]! + view.centreY].forEach((value, i) => {
      low[i] = Math.min(low[i]!, value);
      high[i] = Math.max(high[i]!, value);
    });
  }
  const [left, top] = low.map((value) => Math.max(0, Math.floor(value) - MARGIN)) as [number, number];
  const right = Math.min(view.width, Math.ceil(high[0]!) + MARGIN + 1);
  const bottom = Math.min(view.height, Math.ceil(high[1]!) + MARGIN + 1);
  return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : undefined;
}

/** A window of a view, in arrays of its own; without what the fusion does not read. */
export function cutOut(view: Omit<SurfaceView, 'inferred'>, window: ViewWindow): SurfaceView {
  const { width, height, focal, centreX, centreY, cameraFromWorld, depth, confidence, open } = view;
  const cut = <T extends Float32Array | Uint8Array>(values: T): T => {
    const out = new (values.constructor as new (length: number) => T)(window.width * window.height);
    for (let row = 0; row < window.height; row++) {
      const from = (window.top + row) * width + window.left;
      out.set(values.subarray(from, from + window.width), row * window.width);
    }
    return out;
  };
  const camera = { width, height, focal, centreX, centreY, cameraFromWorld };
  return { ...camera, window, depth: cut(depth), confidence: cut(confidence), ...(open ? { open: cut(open) } : {}) };
}

import { lumaAt } from '../numerics/luma.js';

const GRID = 4;
const ORIENTATIONS = 8;
/** How much colour counts beside gradients: light changes between photos, edges less so. */
const COLOUR_WEIGHT = 0.5;

/**
 * A whole photo in 176 numbers: per cell of a 4 x 4 grid the histogram of gradient orientations, weighted by magnitude,
 * and the mean colour. After "gist" descriptors (Oliva and Torralba, 2001), which find views of one place without
 * training.
 *
 * @param pixels sRGB [height, width, 3], a thumbnail of some 64 px
 * @returns unit length; the dot product of two is their similarity
 */
export function describe(pixels: Uint8Array, width: number, height: number): Float32Array {
  const gradients = new Float32Array(GRID * GRID * ORIENTATIONS);
  const colours = new Float32Array(GRID * GRID * 3);
  const grey = (x: number, y: number): number => lumaAt(pixels, (y * width + x) * 3);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const dx = grey(x + 1, y) - grey(x - 1, y);
      const dy = grey(x, y + 1) - grey(x, y - 1);
      const cell = Math.floor((y / height) * GRID) * GRID + Math.floor((x / width) * GRID);
      const angle = (Math.atan2(dy, dx) / (2 * Math.PI) + 1) * ORIENTATIONS;
      const bin = Math.floor(angle) % ORIENTATIONS;
      const part = angle - Math.floor(angle);
      const magnitude = Math.sqrt(Math.hypot(dx, dy));
      gradients[cell * ORIENTATIONS + bin]! += magnitude * (1 - part);
      gradients[cell * ORIENTATIONS + ((bin + 1) % ORIENTATIONS)]! += magnitude * part;
      for (let channel = 0; channel < 3; channel++)
        colours[cell * 3 + channel]! += pixels[(y * width + x) * 3 + channel]!;
    }
  }
  const centred = (values: Float32Array, weight: number): Float32Array => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const norm = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0)) || 1;
    return values.map((value) => (weight * (value - mean)) / norm);
  };
  const norm = Math.hypot(1, COLOUR_WEIGHT);
  return Float32Array.of(...centred(gradients, 1 / norm), ...centred(colours, COLOUR_WEIGHT / norm));
}

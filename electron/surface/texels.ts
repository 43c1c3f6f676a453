import type { Charts } from './charts.js';
import { MARGIN, type Packing } from './packing.js';

/** Where the corners of all faces lie: [faces, 3, 2] texels of their pages, and [faces] the page. */
export interface Texels {
  places: Float32Array;
  page: Uint8Array;
}

export function placeTexels({ charts, chartOf, places }: Charts, packing: Packing): Texels {
  const texels: Texels = { places: new Float32Array(places.length), page: new Uint8Array(chartOf.length) };
  for (let t = 0; t < chartOf.length; t++) {
    const chart = chartOf[t]!;
    const { left, top } = charts[chart]!;
    texels.page[t] = packing.page[chart]!;
    for (let k = 6 * t; k < 6 * t + 6; k += 2) {
      texels.places[k] = packing.x[chart]! + MARGIN + (places[k]! - left) * packing.scale;
      texels.places[k + 1] = packing.y[chart]! + MARGIN + (places[k + 1]! - top) * packing.scale;
    }
  }
  return texels;
}

/** Calls back for each texel whose centre a triangle covers, with the shares of its corners. */
export function eachTexel(
  corners: Float32Array,
  size: number,
  firstRow: number,
  endRow: number,
  visit: (texel: number, a: number, b: number, c: number) => void,
): void {
  const ax = corners[0]!;
  const ay = corners[1]!;
  const bx = corners[2]!;
  const by = corners[3]!;
  const cx = corners[4]!;
  const cy = corners[5]!;
  const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  if (area === 0) return;
  const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx)));
  const right = Math.min(size - 1, Math.floor(Math.max(ax, bx, cx)));
  const top = Math.max(firstRow, Math.ceil(Math.min(ay, by, cy)));
  const bottom = Math.min(endRow - 1, Math.floor(Math.max(ay, by, cy)));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const b = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area;
      const c = ((y - ay) * (bx - ax) - (x - ax) * (by - ay)) / area;
      const a = 1 - b - c;
      if (a < -1e-6 || b < -1e-6 || c < -1e-6) continue;
      visit(y * size + x, a, b, c);
    }
  }
}

import { UnionFind } from '../../../numerics/union-find.js';

export interface SegmentOptions {
  /** Grey levels by which neighbours may differ beyond what their segments vary by, times a segment's pixels: larger means larger segments. */
  scale: number;
  /** Smaller segments are joined to a neighbour. */
  leastPixels: number;
}

export const SEGMENT_DEFAULTS: SegmentOptions = { scale: 250, leastPixels: 40 };

/**
 * Segments of even brightness, bounded by texture and edges: neighbours are joined, most alike first, while their
 * difference is little against what each segment varies by already (Felzenszwalb and Huttenlocher, IJCV 2004).
 *
 * @param grey [h, w]
 * @returns a number per pixel [h, w], the same within a segment
 */
export function segments(
  grey: Uint8Array,
  width: number,
  height: number,
  { scale, leastPixels }: SegmentOptions = SEGMENT_DEFAULTS,
): Int32Array {
  const smooth = blurred(grey, width, height);
  const pixels = width * height;
  const joined = new UnionFind(pixels);
  const size = new Int32Array(pixels).fill(1);
  const varies = new Float32Array(pixels);
  const join = (p: number, q: number, difference: number): void => {
    const [large, small] = size[p]! >= size[q]! ? [p, q] : [q, p];
    joined.join(small, large);
    size[large]! += size[small]!;
    varies[large] = Math.max(difference, varies[large]!, varies[small]!);
  };
  const edges = sortedEdges(smooth, width, height);
  for (const edge of edges) {
    const k = edge >>> 1;
    const other = k + (edge & 1 ? width : 1);
    const difference = Math.abs(smooth[k]! - smooth[other]!);
    const [p, q] = [joined.root(k), joined.root(other)];
    if (p === q) continue;
    if (difference <= Math.min(varies[p]! + scale / size[p]!, varies[q]! + scale / size[q]!)) join(p, q, difference);
  }
  for (const edge of edges) {
    const k = edge >>> 1;
    const [p, q] = [joined.root(k), joined.root(k + (edge & 1 ? width : 1))];
    if (p !== q && Math.min(size[p]!, size[q]!) < leastPixels) join(p, q, 0);
  }
  return Int32Array.from({ length: pixels }, (_, k) => joined.root(k));
}

/** Edges to the right (2k) and lower (2k + 1) neighbour, least difference first: a counting sort by quarter levels. */
function sortedEdges(smooth: Float32Array, width: number, height: number): Uint32Array {
  const bins = new Uint32Array(4 * 256 + 1);
  const each = (visit: (edge: number, bin: number) => void): void => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const k = y * width + x;
        if (x + 1 < width) visit(2 * k, Math.floor(4 * Math.abs(smooth[k]! - smooth[k + 1]!)));
        if (y + 1 < height) visit(2 * k + 1, Math.floor(4 * Math.abs(smooth[k]! - smooth[k + width]!)));
      }
    }
  };
  each((_, bin) => bins[bin + 1]!++);
  for (let bin = 1; bin < bins.length; bin++) bins[bin]! += bins[bin - 1]!;
  const edges = new Uint32Array(bins[bins.length - 1]!);
  each((edge, bin) => {
    edges[bins[bin]!] = edge;
    bins[bin]!++;
  });
  return edges;
}

/** Means of 3x3 pixels. */
function blurred(grey: Uint8Array, width: number, height: number): Float32Array {
  const rows = new Float32Array(grey.length);
  const out = new Float32Array(grey.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const k = y * width + x;
      rows[k] = (grey[x > 0 ? k - 1 : k]! + grey[k]! + grey[x + 1 < width ? k + 1 : k]!) / 3;
    }
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const k = y * width + x;
      out[k] = (rows[y > 0 ? k - width : k]! + rows[k]! + rows[y + 1 < height ? k + width : k]!) / 3;
    }
  return out;
}

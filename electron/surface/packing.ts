import { UserError } from '../contract/errors.js';
import type { Charts } from './charts.js';

export interface PackingOptions {
  /** Side of a page, pixels. */
  pageSize: number;
  /** Most pages; more are begun while the charts would come out smaller than `leastScale`. */
  mostPages: number;
  /** Texels per pixel of the photos below which another page is begun. */
  leastScale: number;
  /** Empty texels between charts, against bleeding. */
  padding: number;
}

export const PACKING_DEFAULTS: PackingOptions = { pageSize: 4096, mostPages: 4, leastScale: 0.75, padding: 4 };

export interface Packing {
  /** Texels per pixel of the charts' planes. */
  scale: number;
  pages: number;
  /** Side of a page, texels. */
  pageSize: number;
  /** Per chart: its page, and the texel of its upper left corner. */
  page: Int16Array;
  x: Int32Array;
  y: Int32Array;
}

/** Charts lie on a grid of so many texels. */
const GRAIN = 4;

/** One chart's outline: per column of grains its first and last row. */
interface Outline {
  columns: number;
  rows: number;
  low: Int32Array;
  high: Int32Array;
}

/**
 * Lays charts onto pages: the tallest first, each where it ends highest, by the outline of what lies there already (the
 * horizon packing of Levy et al., SIGGRAPH 2002). One scale for all, as large as fits, at most that of the photos.
 */
export function pack(charts: Charts, options: Partial<PackingOptions> = {}): Packing {
  const settings = { ...PACKING_DEFAULTS, ...options };
  let scale = 1;
  for (let pages = 1; pages <= settings.mostPages; pages++) {
    const area = charts.charts.reduce((sum, { width, height }) => sum + (width + 8) * (height + 8), 0);
    scale = Math.min(1, Math.sqrt((pages * settings.pageSize ** 2 * 1.3) / Math.max(1, area)));
    for (; scale > 1e-3; scale *= 0.94) {
      const found = lay(charts, scale, pages, settings);
      if (!found) continue;
      if (scale >= settings.leastScale || pages === settings.mostPages) return found;
      break;
    }
  }
  throw new UserError(
    'bad-input',
    `a texture of ${settings.pageSize} pixels is too small for ${charts.charts.length} charts; ask for a larger one`,
  );
}

function lay(charts: Charts, scale: number, pages: number, { pageSize, padding }: PackingOptions): Packing | undefined {
  const side = Math.floor(pageSize / GRAIN);
  const outlines = charts.charts.map((_, k) => outline(charts, k, scale, padding));
  const order = outlines.map((_, k) => k).sort((a, b) => outlines[b]!.rows - outlines[a]!.rows || a - b);
  const horizons = Array.from({ length: pages }, () => new Int32Array(side));
  const n = outlines.length;
  const packing: Packing = {
    scale,
    pages,
    pageSize,
    page: new Int16Array(n),
    x: new Int32Array(n),
    y: new Int32Array(n),
  };
  for (const k of order) {
    const shape = outlines[k]!;
    if (shape.columns > side || shape.rows > side) return undefined;
    let placed = false;
    for (let page = 0; page < pages && !placed; page++) {
      const at = lowest(horizons[page]!, shape, side);
      if (!at) continue;
      placed = true;
      packing.page[k] = page;
      packing.x[k] = at.x * GRAIN;
      packing.y[k] = at.y * GRAIN;
      for (let c = 0; c < shape.columns; c++) horizons[page]![at.x + c] = at.y + shape.high[c]! + 1;
    }
    if (!placed) return undefined;
  }
  return packing;
}

function lowest(horizon: Int32Array, shape: Outline, side: number): { x: number; y: number } | undefined {
  let best: { x: number; y: number } | undefined;
  let least = Infinity;
  for (let x = 0; x + shape.columns <= side; x++) {
    let y = 0;
    for (let c = 0; c < shape.columns && y < least; c++) y = Math.max(y, horizon[x + c]! - shape.low[c]!);
    if (y < least && y + shape.rows <= side) {
      least = y;
      best = { x, y };
    }
  }
  return best;
}

/** Texels between a chart's least corner and its own upper left texel. */
export const MARGIN = 2;

function outline({ charts, places }: Charts, index: number, scale: number, padding: number): Outline {
  const { faces, left, top, width, height } = charts[index]!;
  const columns = Math.ceil((width * scale + 2 * MARGIN + padding) / GRAIN);
  const rows = Math.ceil((height * scale + 2 * MARGIN + padding) / GRAIN);
  const low = new Int32Array(columns).fill(rows - 1);
  const high = new Int32Array(columns);
  const grain = (value: number, most: number): number => Math.min(most - 1, Math.max(0, Math.floor(value / GRAIN)));
  for (const t of faces) {
    for (let c = 0; c < 3; c++) {
      const d = (c + 1) % 3;
      const x0 = (places[6 * t + 2 * c]! - left) * scale + MARGIN;
      const y0 = (places[6 * t + 2 * c + 1]! - top) * scale + MARGIN;
      const x1 = (places[6 * t + 2 * d]! - left) * scale + MARGIN;
      const y1 = (places[6 * t + 2 * d + 1]! - top) * scale + MARGIN;
      const from = grain(Math.min(x0, x1) - MARGIN, columns);
      const to = grain(Math.max(x0, x1) + padding, columns);
      for (let column = from; column <= to; column++) {
        // The part of the edge over this column, with the padding on both sides.
        const a = clip(column * GRAIN - padding, x0, y0, x1, y1);
        const b = clip((column + 1) * GRAIN + MARGIN, x0, y0, x1, y1);
        low[column] = Math.min(low[column]!, grain(Math.min(a, b) - MARGIN, rows));
        high[column] = Math.max(high[column]!, grain(Math.max(a, b) + padding, rows));
      }
    }
  }
  return { columns, rows, low, high };
}

/** Where an edge is at x, kept within the edge. */
function clip(x: number, x0: number, y0: number, x1: number, y1: number): number {
  if (x0 === x1) return x < x0 ? y0 : y1;
  const t = Math.min(1, Math.max(0, (x - x0) / (x1 - x0)));
  return y0 + t * (y1 - y0);
}

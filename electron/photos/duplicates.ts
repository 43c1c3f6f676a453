import type { Photo, PhotoId } from '../geometry/types.js';

/** Cells of a photo along each side. */
const CELLS = 16;

export interface DuplicateOptions {
  /** Mean difference of the cells, of 255. A copy in another size and quality is off by 0.2 on average. */
  mean: number;
  /** Largest difference of a cell. */
  most: number;
  /** Difference of the ratios of sides, relative. */
  ratio: number;
}

export const DUPLICATE_DEFAULTS: DuplicateOptions = { mean: 0.75, most: 3, ratio: 0.01 };

/**
 * The mean brightness of each cell of a 16 x 16 grid, base64: equal, to a hair, for two copies of one picture in
 * whatever size, format and quality. A step aside moves edges across cells, and is another picture.
 *
 * @param grey [height, width]
 */
export function lookOf(grey: Uint8Array, width: number, height: number): string {
  const [columns, rows] = [sharesOf(width), sharesOf(height)];
  const sums = new Float64Array(CELLS * CELLS);
  const row = new Float64Array(CELLS);
  for (let y = 0; y < height; y++) {
    row.fill(0);
    for (let x = 0; x < width; x++)
      for (const { cell, share } of columns[x]!) row[cell] = row[cell]! + share * grey[y * width + x]!;
    for (const { cell, share } of rows[y]!)
      for (let k = 0; k < CELLS; k++) sums[cell * CELLS + k] = sums[cell * CELLS + k]! + share * row[k]!;
  }
  return Buffer.from(sums.map(Math.round)).toString('base64');
}

/** Which share of each cell along a side a pixel fills; one on a border lies in two cells, in whatever size. */
function sharesOf(length: number): { cell: number; share: number }[][] {
  const perPixel = CELLS / length;
  return Array.from({ length }, (_, k) => {
    const [from, to] = [k * perPixel, (k + 1) * perPixel];
    const shares: { cell: number; share: number }[] = [];
    for (let cell = Math.floor(from); cell < Math.min(CELLS, to); cell++) {
      const share = Math.min(to, cell + 1) - Math.max(from, cell);
      if (share > 1e-9) shares.push({ cell, share });
    }
    return shares;
  });
}

type Seen = Pick<Photo, 'id' | 'width' | 'height' | 'look'>;

/** Which photos show the very same picture as an earlier one; what was found for earlier calls is kept. */
export class Duplicates {
  private readonly cells = new Map<PhotoId, Buffer>();
  private readonly found = new Map<PhotoId, PhotoId | undefined>();
  private order: PhotoId[] = [];

  constructor(private readonly options: DuplicateOptions = DUPLICATE_DEFAULTS) {}

  /** @returns the first photo of the same picture, by photo; photos that have none are not in it */
  of(photos: readonly Seen[]): Map<PhotoId, PhotoId> {
    if (!this.order.every((id, k) => photos[k]?.id === id)) {
      this.found.clear();
      this.order = [];
    }
    while (this.order.length < photos.length) {
      const photo = photos[this.order.length]!;
      const earlier = photos.slice(0, this.order.length).find((other) => this.alike(photo, other));
      // Of three copies the first is meant by both others.
      this.found.set(photo.id, earlier && (this.found.get(earlier.id) ?? earlier.id));
      this.order.push(photo.id);
    }
    return new Map([...this.found].flatMap(([id, other]) => (other === undefined ? [] : [[id, other]])));
  }

  private alike(a: Seen, b: Seen): boolean {
    const ratio = (a.width * b.height) / (a.height * b.width);
    if (Math.abs(ratio - 1) > this.options.ratio) return false;
    const [p, q] = [this.cellsOf(a), this.cellsOf(b)];
    if (!p || !q || p.length !== q.length) return false;
    const most = this.options.mean * p.length;
    let sum = 0;
    for (let k = 0; k < p.length; k++) {
      const difference = Math.abs(p[k]! - q[k]!);
      sum += difference;
      if (difference > this.options.most || sum > most) return false;
    }
    return true;
  }

  private cellsOf({ id, look }: Seen): Buffer | undefined {
    if (look === undefined) return undefined;
    const known = this.cells.get(id) ?? Buffer.from(look, 'base64');
    this.cells.set(id, known);
    return known;
  }
}

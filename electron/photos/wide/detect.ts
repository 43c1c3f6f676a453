import { median } from '../../numerics/median.js';
import type { FisheyeProjection, Projection } from '../../geometry/projection.js';

/** A reduced picture, as it was decoded. */
interface Reduced {
  pixels: Uint8Array;
  width: number;
  height: number;
  channels: number;
}

/** What tells a wide picture from one that a pinhole camera shows. */
export interface WideClues {
  /** Of the whole picture. */
  width: number;
  height: number;
  reduced: Reduced;
  /** The XMP packet, where the file carries one. */
  xmp?: Uint8Array | undefined;
}

/** A picture of 360 x 180 degrees has twice as many columns as rows, within this share. */
const TWO_TO_ONE = 0.01;

/**
 * The projection of a picture that no pinhole camera shows whole, from its metadata (Google's photo sphere XMP) and from
 * what it shows: 360 degrees close at their left and right edge and have one colour in their first row; a circular
 * fisheye is black around a circle.
 *
 * @returns undefined for all other pictures
 */
export function detectWide({ width, height, reduced, xmp }: WideClues): Projection | undefined {
  const told = xmp && Buffer.from(xmp).toString('latin1');
  const isWhole = Math.abs(width / (2 * height) - 1) < TWO_TO_ONE;
  const isTold = told !== undefined && /ProjectionType(?:="|>)\s*equirectangular/i.test(told);
  if (isWhole && (isTold || closes(reduced))) return { kind: 'equirectangular', width, height };
  return circularFisheye(reduced, width, height);
}

const grey = ({ pixels, width, channels }: Reduced, x: number, y: number): number => {
  const k = (y * width + x) * channels;
  return channels < 3 ? pixels[k]! : (54 * pixels[k]! + 183 * pixels[k + 1]! + 19 * pixels[k + 2]!) / 256;
};

/** Between the first and last column there is no more difference than between neighbours; the poles are one point. */
function closes(picture: Reduced): boolean {
  const { width, height } = picture;
  let [across, beside] = [0, 0];
  for (let y = Math.floor(0.1 * height); y < 0.9 * height; y++) {
    across += Math.abs(grey(picture, 0, y) - grey(picture, width - 1, y));
    // A third of the way in on both sides, so that no single edge decides.
    for (const x of [0, Math.floor(width / 3), Math.floor((2 * width) / 3), width - 2])
      beside += Math.abs(grey(picture, x, y) - grey(picture, x + 1, y)) / 4;
  }
  if (across > 2 * beside + 0.5 * height) return false;
  // Two plain walls at the edges look the same too: the picture must change along its width.
  const rows = [0.25, 0.4, 0.5, 0.6, 0.75].map((share) => spread(picture, Math.floor(share * height)));
  const poles = [spread(picture, 0), spread(picture, height - 1)];
  const middle = Math.max(...rows);
  return middle > 8 && poles.every((pole) => pole < 0.5 * middle);
}

/** Standard deviation along a row, without what changes from pixel to pixel (noise and compression). */
function spread(picture: Reduced, y: number): number {
  const parts = 32;
  const means = Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part, part + 1].map((k) => Math.floor((k * picture.width) / parts)) as [number, number];
    let sum = 0;
    for (let x = from; x < to; x++) sum += grey(picture, x, y);
    return sum / Math.max(1, to - from);
  });
  const mean = means.reduce((sum, value) => sum + value, 0) / parts;
  return Math.sqrt(means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / parts);
}

/** Brightest that what the lens does not light may be, of 255. */
const DARK = 12;
/** Share of the pixels outside of the circle that must be dark, and of those just inside of it that must not. */
const OUTSIDE = 0.98;

/**
 * A circular fisheye of 180 degrees: dark round a circle that the picture holds whole, or that its shorter sides cut.
 * Equidistant, which most such lenses nearly are.
 */
function circularFisheye(picture: Reduced, width: number, height: number): FisheyeProjection | undefined {
  const corners = [
    [0, 0],
    [picture.width - 1, 0],
    [0, picture.height - 1],
    [picture.width - 1, picture.height - 1],
  ] as const;
  if (corners.some(([x, y]) => grey(picture, x, y) > DARK)) return undefined;
  const circle = edgeCircle(picture);
  if (!circle) return undefined;
  const { x, y, radius } = circle;
  const short = Math.min(picture.width, picture.height);
  if (radius < 0.35 * short || radius > 0.75 * Math.max(picture.width, picture.height)) return undefined;
  let [dark, outside, bright, inside] = [0, 0, 0, 0];
  for (let row = 0; row < picture.height; row += 2)
    for (let column = 0; column < picture.width; column += 2) {
      const r = Math.hypot(column - x, row - y) / radius;
      const value = grey(picture, column, row);
      if (r > 1.02) {
        outside++;
        if (value <= DARK) dark++;
      } else if (r > 0.85 && r < 0.97) {
        inside++;
        if (value > DARK) bright++;
      }
    }
  if (outside < (0.08 * (picture.width * picture.height)) / 4 || dark < OUTSIDE * outside) return undefined;
  if (bright < 0.6 * inside) return undefined;
  const scale = width / picture.width;
  const focal = (radius * scale) / (Math.PI / 2);
  const centre = (value: number): number => (value + 0.5) * scale - 0.5;
  return {
    ...{ kind: 'fisheye', width, height, fx: focal, fy: focal, cx: centre(x), cy: centre(y) },
    ...{ k1: 0, k2: 0, k3: 0, k4: 0 },
  };
}

/** The circle through the places where rows and columns begin and end being lit (Kasa's fit, twice, outliers left out). */
function edgeCircle(picture: Reduced): { x: number; y: number; radius: number } | undefined {
  const points: [number, number][] = [];
  const { width, height } = picture;
  const scan = (length: number, at: (k: number) => [number, number]): void => {
    for (const order of [1, -1]) {
      for (let k = 0; k < length; k++) {
        const [x, y] = at(order > 0 ? k : length - 1 - k);
        if (grey(picture, x, y) <= DARK) continue;
        if (k > 1) points.push([x, y]);
        break;
      }
    }
  };
  for (let y = 0; y < height; y += 4) scan(width, (x) => [x, y]);
  for (let x = 0; x < width; x += 4) scan(height, (y) => [x, y]);
  let kept = points;
  let circle: { x: number; y: number; radius: number } | undefined;
  for (let pass = 0; pass < 4; pass++) {
    circle = kept.length >= 20 ? fitCircle(kept) : undefined;
    if (!circle) return undefined;
    const off = (p: readonly [number, number]) =>
      Math.abs(Math.hypot(p[0] - circle!.x, p[1] - circle!.y) - circle!.radius);
    const limit = 2 * median(kept.map(off))! + 1;
    kept = points.filter((p) => off(p) < limit);
  }
  return circle && kept.length > 0.6 * points.length ? circle : undefined;
}

/** Least squares of x^2 + y^2 = 2 a x + 2 b y + c. */
function fitCircle(
  points: readonly (readonly [number, number])[],
): { x: number; y: number; radius: number } | undefined {
  const n = points.length;
  const [mx, my] = [0, 1].map((k) => points.reduce((sum, p) => sum + p[k]!, 0) / n) as [number, number];
  let [xx, xy, yy, xz, yz, z] = [0, 0, 0, 0, 0, 0];
  for (const [px, py] of points) {
    const [x, y] = [px - mx, py - my];
    const s = x * x + y * y;
    xx += x * x;
    xy += x * y;
    yy += y * y;
    xz += x * s;
    yz += y * s;
    z += s;
  }
  const determinant = xx * yy - xy * xy;
  if (!(determinant > 1e-6 * n * n)) return undefined;
  const a = (xz * yy - yz * xy) / determinant / 2;
  const b = (yz * xx - xz * xy) / determinant / 2;
  return { x: mx + a, y: my + b, radius: Math.sqrt(z / n + a * a + b * b) };
}

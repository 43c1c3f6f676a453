import { median } from '../../numerics/median.js';
import { areas, closed, inverted, largest } from './morphology.js';
import type { SmallPicture } from './still.js';

export interface PlainOptions {
  /** Share of the picture's edge that must have the background's colour. */
  edge: number;
  /** Largest difference of a pixel from the background's colour, of 255 per channel, and from its neighbour. */
  colour: number;
  step: number;
  /** Shares of the picture between which what is left must lie. */
  least: number;
  most: number;
}

export const PLAIN_DEFAULTS: PlainOptions = { edge: 0.85, colour: 40, step: 10, least: 0.02, most: 0.9 };

/** Asked of each pixel up to four times: without arrays. */
const difference = (pixels: Uint8Array, p: number, colour: ArrayLike<number>, at: number): number =>
  Math.max(
    Math.abs(pixels[3 * p]! - colour[at]!),
    Math.abs(pixels[3 * p + 1]! - colour[at + 1]!),
    Math.abs(pixels[3 * p + 2]! - colour[at + 2]!),
  );

/**
 * What stands before a plain background: the background has one colour along nearly all of the picture's edge, and
 * reaches as far inwards as it changes slowly.
 *
 * @returns flags [height, width], 1 for what stands before it; undefined where the edge is not plain
 */
export function beforePlain(picture: SmallPicture, options: PlainOptions = PLAIN_DEFAULTS): Uint8Array | undefined {
  const { width, height, pixels } = picture;
  const edge = edgePixels(width, height);
  const middle = [0, 1, 2].map((c) => median(edge.map((p) => pixels[3 * p + c]!))!);
  const seeds = edge.filter((p) => difference(pixels, p, middle, 0) <= options.colour);
  if (seeds.length < options.edge * edge.length) return undefined;
  const background = flood(picture, seeds, (p, from) => {
    return (
      difference(pixels, p, middle, 0) <= options.colour && difference(pixels, p, pixels, 3 * from) <= options.step
    );
  });
  const solid = closed(inverted(background), width, height, 2);
  const kept = largest(solid, width, 0.05);
  const share = kept.reduce((sum, flag) => sum + flag, 0) / kept.length;
  return share >= options.least && share <= options.most ? kept : undefined;
}

function edgePixels(width: number, height: number): number[] {
  const list: number[] = [];
  for (let x = 0; x < width; x++) list.push(x, (height - 1) * width + x);
  for (let y = 1; y < height - 1; y++) list.push(y * width, y * width + width - 1);
  return list;
}

type Step = (to: number, from: number) => boolean;

/** All that steps lead to from the seeds. */
function flood(picture: SmallPicture, seeds: readonly number[], mayStep: Step): Uint8Array {
  const flags = new Uint8Array(picture.width * picture.height);
  for (const p of seeds) if (!flags[p]) floodPiece(picture, p, mayStep, flags);
  return flags;
}

/** The pixels that steps lead to from one, over those that are not flagged; they are flagged then. */
function floodPiece({ width, height }: SmallPicture, start: number, mayStep: Step, flags: Uint8Array): number[] {
  const piece = [start];
  flags[start] = 1;
  const visit = (next: number, from: number): void => {
    if (flags[next] || !mayStep(next, from)) return;
    flags[next] = 1;
    piece.push(next);
  };
  for (let at = 0; at < piece.length; at++) {
    const p = piece[at]!;
    const x = p % width;
    if (x > 0) visit(p - 1, p);
    if (x + 1 < width) visit(p + 1, p);
    if (p >= width) visit(p - width, p);
    if (p + width < width * height) visit(p + width, p);
  }
  return piece;
}

export interface SkyOptions {
  /** Largest step between neighbours, of 255 per channel: clouds are soft. */
  step: number;
  /** Least share of the uppermost row that looks like sky, and of the picture that is. */
  leastSeeds: number;
  least: number;
  /** Smaller areas are specks, as a share of the picture. */
  leastArea: number;
  /**
   * What parts the sky (a chimney, a branch) is at most so wide, as a share of the long side; the sky beyond differs at
   * most so much from that before it, of 255 per channel, and is at most such a share of the picture: a white wall beside
   * a white sky is larger.
   */
  parted: number;
  partedColour: number;
  mostParted: number;
}

export const SKY_DEFAULTS: SkyOptions = {
  step: 6,
  leastSeeds: 0.1,
  least: 0.03,
  leastArea: 0.01,
  parted: 0.03,
  partedColour: 24,
  mostParted: 0.005,
};

/** Blue, or as bright as an overcast sky is; never warmer than grey. */
function looksLikeSky(pixels: Uint8Array, p: number): boolean {
  const r = pixels[3 * p]!;
  const g = pixels[3 * p + 1]!;
  const b = pixels[3 * p + 2]!;
  const isBlue = b > 90 && b > r + 18 && b >= g - 4;
  return isBlue || (Math.min(r, g, b) > 205 && b >= r - 4);
}

/**
 * Without the sky: soft, blue or bright, and reached from the uppermost row, or from behind something narrow that
 * parts it.
 *
 * @returns flags [height, width], 1 for what is no sky; undefined where none is seen
 */
export function withoutSky(picture: SmallPicture, options: SkyOptions = SKY_DEFAULTS): Uint8Array | undefined {
  const { width, height, pixels } = picture;
  const seeds = Array.from({ length: width }, (_, x) => x).filter((p) => looksLikeSky(pixels, p));
  if (seeds.length < options.leastSeeds * width) return undefined;
  const mayStep = (p: number, from: number): boolean =>
    looksLikeSky(pixels, p) && difference(pixels, p, pixels, 3 * from) <= options.step;
  const reached = flood(picture, seeds, mayStep);
  // Wires and leaves before it are no reason to keep the sky between them, specks of it are none to mask.
  const { of, sizes } = areas(closed(reached, width, height, 1), width);
  const leastArea = options.leastArea * width * height;
  const sky = reached.map((_, k) => (of[k]! >= 0 && sizes[of[k]!]! > leastArea ? 1 : 0));
  if (sky.reduce((sum, flag) => sum + flag, 0) < options.least * sky.length) return undefined;
  const tried = sky.slice();
  for (const start of behindNarrow(picture, sky, options)) {
    if (tried[start]) continue;
    const piece = floodPiece(picture, start, mayStep, tried);
    if (piece.length <= options.mostParted * sky.length) for (const p of piece) sky[p] = 1;
  }
  return inverted(sky);
}

/** Pixels that look like the sky that was reached, along a row or a column beyond something narrow. */
function behindNarrow(
  { width, height, pixels }: SmallPicture,
  reached: Uint8Array,
  { parted, partedColour }: SkyOptions,
): number[] {
  const most = Math.round(parted * Math.max(width, height));
  const found: number[] = [];
  const scan = (start: number, step: number, count: number): void => {
    let last = -Infinity;
    for (let i = 0; i < count; i++) {
      const p = start + i * step;
      if (reached[p]) last = i;
      else if (i - last <= most && looksLikeSky(pixels, p))
        if (difference(pixels, p, pixels, 3 * (start + last * step)) <= partedColour) found.push(p);
    }
  };
  for (let y = 0; y < height; y++) {
    scan(y * width, 1, width);
    scan((y + 1) * width - 1, -1, width);
  }
  for (let x = 0; x < width; x++) scan(x, width, height);
  return found;
}

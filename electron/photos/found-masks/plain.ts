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

const difference = (pixels: Uint8Array, p: number, colour: ArrayLike<number>, at: number): number =>
  Math.max(...[0, 1, 2].map((c) => Math.abs(pixels[3 * p + c]! - colour[at + c]!)));

/**
 * What stands before a plain background: the background has one colour along nearly all of the picture's edge, and
 * reaches as far inwards as it changes slowly.
 *
 * @returns flags [height, width], 1 for what stands before it; undefined where the edge is not plain
 */
export function beforePlain(picture: SmallPicture, options: PlainOptions = PLAIN_DEFAULTS): Uint8Array | undefined {
  const { width, height, pixels } = picture;
  const edge = edgePixels(width, height);
  const middle = [0, 1, 2].map((c) => edge.map((p) => pixels[3 * p + c]!).sort((a, b) => a - b)[edge.length >> 1]!);
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

/** All that steps lead to from the seeds. */
function flood(
  { width, height }: SmallPicture,
  seeds: readonly number[],
  mayStep: (to: number, from: number) => boolean,
): Uint8Array {
  const flags = new Uint8Array(width * height);
  const stack = [...seeds];
  for (const p of seeds) flags[p] = 1;
  while (stack.length > 0) {
    const p = stack.pop()!;
    const x = p % width;
    for (const next of [x > 0 ? p - 1 : -1, x + 1 < width ? p + 1 : -1, p - width, p + width]) {
      if (next < 0 || next >= flags.length || flags[next] || !mayStep(next, p)) continue;
      flags[next] = 1;
      stack.push(next);
    }
  }
  return flags;
}

export interface SkyOptions {
  /** Largest step between neighbours, of 255 per channel: clouds are soft. */
  step: number;
  /** Least share of the picture, and of the uppermost row, that is sky. */
  least: number;
}

export const SKY_DEFAULTS: SkyOptions = { step: 6, least: 0.03 };

/** Blue, or as bright as an overcast sky is; never warmer than grey. */
function looksLikeSky(pixels: Uint8Array, p: number): boolean {
  const [r, g, b] = [pixels[3 * p]!, pixels[3 * p + 1]!, pixels[3 * p + 2]!];
  const isBlue = b > 90 && b > r + 18 && b >= g - 4;
  return isBlue || (Math.min(r, g, b) > 205 && b >= r - 4);
}

/**
 * Without the sky: soft, blue or bright, and reached from the uppermost row.
 *
 * @returns flags [height, width], 1 for what is no sky; undefined where none is seen
 */
export function withoutSky(picture: SmallPicture, options: SkyOptions = SKY_DEFAULTS): Uint8Array | undefined {
  const { width, height, pixels } = picture;
  const seeds = Array.from({ length: width }, (_, x) => x).filter((p) => looksLikeSky(pixels, p));
  if (seeds.length < 0.1 * width) return undefined;
  const reached = flood(
    picture,
    seeds,
    (p, from) => looksLikeSky(pixels, p) && difference(pixels, p, pixels, 3 * from) <= options.step,
  );
  // Wires and leaves before it are no reason to keep the sky between them, specks of it are none to mask.
  const { of, sizes } = areas(closed(reached, width, height, 1), width);
  const sky = Uint8Array.from(of, (area) => (area >= 0 && sizes[area]! > 0.01 * width * height ? 1 : 0));
  return sky.reduce((sum, flag) => sum + flag, 0) < options.least * sky.length ? undefined : inverted(sky);
}

import { areas } from '../../../photos/found-masks/morphology.js';
import { SKY_DEFAULTS, withoutSky, type SkyOptions } from '../../../photos/found-masks/plain.js';
import type { View } from '../../../geometry/types.js';
import type { GreyView, Matched } from './match.js';
import { edgeDistances, ownSurfaces, PLAIN_DEFAULTS, surfacesOf, type PlainOptions } from './plain.js';

/** Less of it than a mask asks for: what has depth of its own there stays in any case. */
const OPTIONS: SkyOptions = { ...SKY_DEFAULTS, leastSeeds: 0.02, least: 0.003, leastArea: 0.002 };

/** Flags [h, w] of what looks like the sky in a view, 1 each; undefined where nothing does. */
export function skyOf({ width, height, pixels }: Pick<View, 'width' | 'height' | 'pixels'>): Uint8Array | undefined {
  return withoutSky({ width, height, pixels }, OPTIONS)?.map((ground) => 1 - ground);
}

/**
 * The pixels of what looks like the sky and has no depth of its own: away from its edge, where a fringe of what stands
 * before it may reach, nothing with texture was matched there. A white or blue wall that reaches up to the photo's edge
 * looks like the sky too, and stays where it was measured.
 *
 * @param flags [h, w] of skyOf
 * @param confidence [h, w], as the evidence alone gives it
 */
export function emptySky(
  { width, height }: Pick<GreyView, 'width' | 'height'>,
  flags: Uint8Array,
  { inverseDepth, texture }: Pick<Matched, 'inverseDepth' | 'texture'>,
  confidence: Float32Array,
  options: PlainOptions = PLAIN_DEFAULTS,
): Int32Array {
  const labels = Int32Array.from(flags);
  const distance = edgeDistances(labels, width, height);
  const surfaces = surfacesOf(labels, width, inverseDepth, confidence, options);
  const { of, sizes } = areas(flags, width);
  const cores = sizes.map((): number[] => []);
  of.forEach((area, k) => {
    if (area >= 0 && distance[k]! > options.reach) cores[area]!.push(k);
  });
  const kept = new Set<number>();
  const own = cores.map((core) => ownSurfaces(Int32Array.from(core), surfaces, { confidence, texture }, options));
  const strong = strongSurfaces(cores.flat(), surfaces, { confidence, texture }, options);
  for (const surface of [...strong, ...own.flatMap((set) => [...(set ?? [])])]) kept.add(surface);
  return Int32Array.from(flags.keys()).filter((k) => flags[k] === 1 && !own[of[k]!] && !kept.has(surfaces[k]!));
}

export interface RimOptions {
  /** Steps that the rim goes from the sky, pixels: a photo's blur, and that of making it smaller. */
  steps: number;
  /** Pixels around by whose colours a pixel is told: of the sky, and of what stands before it. */
  around: number;
  /** Least distance of those two colours, of 255 per channel: less is not seen. */
  leastContrast: number;
  /** Share of what stands before the sky under which a pixel counts as a mixture. */
  leastShare: number;
}

export const RIM_DEFAULTS: RimOptions = { steps: 3, around: 6, leastContrast: 24, leastShare: 0.75 };

/**
 * The sky with the pixels beside it that show part of it: their depth is that of a roof, their colour is not.
 *
 * @param sky flags [h, w], 1 for the sky
 * @returns flags [h, w]
 */
export function withMixed(
  view: Pick<View, 'width' | 'height' | 'pixels'>,
  sky: Uint8Array,
  options: RimOptions = RIM_DEFAULTS,
): Uint8Array {
  const { width, height } = view;
  const distance = edgeDistances(Int32Array.from(sky), width, height);
  const out = sky.slice();
  let front = Array.from(sky.keys()).filter((k) => sky[k] === 1 && distance[k] === 1);
  for (let step = 0; step < options.steps; step++) {
    const next = new Set<number>();
    for (const k of front)
      for (const other of neighbours(k, width, height))
        if (out[other] === 0 && !next.has(other) && isMixed(other, view, { sky, distance }, options)) next.add(other);
    for (const k of next) out[k] = 1;
    front = [...next];
  }
  return out;
}

/** Eight, within the picture. */
function neighbours(k: number, width: number, height: number): number[] {
  const [x, y] = [k % width, Math.floor(k / width)];
  const list: number[] = [];
  for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
    for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++)
      if (u !== x || v !== y) list.push(v * width + u);
  return list;
}

/**
 * Whether a pixel's colour lies between that of the sky around and that of what stands before it: deeper in than the rim
 * goes, or where all is thinner than that, the pixel that is least like the sky.
 */
function isMixed(
  k: number,
  { width, height, pixels }: Pick<View, 'width' | 'height' | 'pixels'>,
  { sky, distance }: { sky: Uint8Array; distance: Uint16Array },
  { steps, around, leastContrast, leastShare }: RimOptions,
): boolean {
  const [x, y] = [k % width, Math.floor(k / width)];
  const behind = [0, 0, 0, 0];
  const before = [0, 0, 0, 0];
  const rim: number[] = [];
  for (let v = Math.max(0, y - around); v <= Math.min(height - 1, y + around); v++)
    for (let u = Math.max(0, x - around); u <= Math.min(width - 1, x + around); u++) {
      const at = v * width + u;
      const isDeep = distance[at]! > steps;
      if (sky[at] === 0 && !isDeep) rim.push(at);
      else if (sky[at] === 1 || isDeep) add(sky[at] === 1 ? behind : before, pixels, at);
    }
  const far = colourOf(behind);
  const isThin = before[3] === 0;
  const near = isThin ? unlikest(rim, pixels, far) : colourOf(before);
  let [dot, square] = [0, 0];
  for (let i = 0; i < 3; i++) {
    dot += (pixels[3 * k + i]! - far[i]!) * (near[i]! - far[i]!);
    square += (near[i]! - far[i]!) ** 2;
  }
  return square >= leastContrast ** 2 && dot < leastShare * square;
}

function add(sum: number[], pixels: Uint8Array, k: number): void {
  for (let i = 0; i < 3; i++) sum[i]! += pixels[3 * k + i]!;
  sum[3]!++;
}

const colourOf = (sum: readonly number[]): number[] => [0, 1, 2].map((i) => sum[i]! / Math.max(1, sum[3]!));

function unlikest(list: readonly number[], pixels: Uint8Array, colour: readonly number[]): number[] {
  let [most, found] = [-1, colour];
  for (const k of list) {
    const own = [pixels[3 * k]!, pixels[3 * k + 1]!, pixels[3 * k + 2]!];
    const square = own.reduce((sum, value, i) => sum + (value - colour[i]!) ** 2, 0);
    if (square > most) [most, found] = [square, own];
  }
  return [...found];
}

/** Surfaces with so much texture that they are no sky, however little of it they cover. */
function strongSurfaces(
  core: readonly number[],
  surfaces: Int32Array,
  { confidence, texture }: { confidence: Float32Array; texture: Float32Array },
  { leastOwn, leastTexture }: PlainOptions,
): number[] {
  const counts = new Map<number, number>();
  for (const k of core)
    if (confidence[k]! > 1 && texture[k]! >= leastTexture)
      counts.set(surfaces[k]!, (counts.get(surfaces[k]!) ?? 0) + 1);
  return [...counts].filter(([, count]) => count >= leastOwn).map(([surface]) => surface);
}

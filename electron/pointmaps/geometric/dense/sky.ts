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

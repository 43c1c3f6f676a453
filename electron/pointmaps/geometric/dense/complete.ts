import { confidenceFor } from './checks.js';
import { inferPlanes, INFER_DEFAULTS, type InferOptions } from './infer.js';
import { consistencyOf, type JudgedNeighbour, type JudgedView } from './judge.js';
import type { Matched } from './match.js';

export interface CompleteOptions {
  planes: InferOptions;
  /** Share of a surface's pixels that the other views may see through, before it is dropped. */
  mostThrough: number;
  /** A depth that matching found within this share of the plane's supports it. */
  supports: number;
  /**
   * Probabilities that a completed pixel is right, by whether matching supports it: the shares of right ones among
   * those of the even rendered scenes, rooms and walls under a sky (`test/bench/dense.ts --fit`).
   */
  supported: number;
  unsupported: number;
}

export const COMPLETE_DEFAULTS: CompleteOptions = {
  planes: INFER_DEFAULTS,
  mostThrough: 0.15,
  supports: 0.03,
  supported: 0.75,
  unsupported: 0.72,
};

/**
 * Completes plain surfaces (infer.ts) into `depth` and `confidence`, with the probability that such pixels are right,
 * which is lower than that of measured ones. What the other views see through is not completed.
 *
 * @param reference.labels [h, w] segment of each pixel; `open` [h, w] 1 where nothing may be completed
 * @param depth and confidence [h, w] of the reference, changed in place
 * @returns 1 where a pixel was completed
 */
export function inferredDepths(
  reference: { view: JudgedView['view']; matched: Matched; labels: Int32Array; open: Uint8Array },
  neighbours: readonly JudgedNeighbour[],
  depth: Float32Array,
  confidence: Float32Array,
  options: CompleteOptions = COMPLETE_DEFAULTS,
): Uint8Array {
  const { view, matched, labels, open } = reference;
  const known = Uint8Array.from(confidence, (value) => (value > 1 ? 1 : 0));
  const planes = inferPlanes(labels, view.width, matched.inverseDepth, known, options.planes);
  const flags = new Uint8Array(depth.length);
  const { seen, through } = consistencyOf({ view, matched: planes }, neighbours);
  const surfaces = new Map<number, { pixels: number; through: number }>();
  planes.surface.forEach((surface, k) => {
    if (surface === 0) return;
    const tally = surfaces.get(surface) ?? { pixels: 0, through: 0 };
    tally.pixels++;
    if (seen[k]! > 0 && through[k]! * 2 > seen[k]!) tally.through++;
    surfaces.set(surface, tally);
  });
  planes.surface.forEach((surface, k) => {
    if (surface === 0 || open[k] === 1) return;
    const tally = surfaces.get(surface)!;
    if (tally.through > options.mostThrough * tally.pixels) return;
    const d = planes.inverseDepth[k]!;
    depth[k] = 1 / d;
    const isSupported = Math.abs(matched.inverseDepth[k]! / d - 1) < options.supports;
    confidence[k] = confidenceFor(isSupported ? options.supported : options.unsupported);
    flags[k] = 1;
  });
  return flags;
}

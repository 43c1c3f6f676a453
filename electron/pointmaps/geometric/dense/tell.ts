import { confidenceOf } from './checks.js';
import { inferredDepths } from './complete.js';
import { consistencyOf, type JudgedNeighbour } from './judge.js';
import type { GreyView, Matched } from './match.js';
import { dropFringes } from './plain.js';
import { emptySky } from './sky.js';
import { segments } from './segments.js';

/** Depths [h, w] of a view along z. */
export interface DenseDepth {
  depth: Float32Array;
  /** 1 / (1 - p), where p is the probability that the depth is within 2 % of the truth; 1 where it can't be relied on. */
  confidence: Float32Array;
  /** 1 where the depth was not measured but completed. */
  inferred: Uint8Array;
}

/**
 * What is told of a view: its matched depths where there is evidence for them, and plain surfaces completed.
 *
 * @param reference.sky [h, w] 1 for what looks like the sky (sky.ts); it is given no depth
 * @param farthest depth given to pixels of which nothing is known: finite, and of confidence 1 anyway
 */
export function tellDepths(
  reference: { view: GreyView; matched: Matched; sky?: Uint8Array | undefined },
  neighbours: readonly JudgedNeighbour[],
  farthest: number,
): DenseDepth {
  const { view, matched, sky } = reference;
  const confidence = confidenceOf(view, matched, consistencyOf(reference, neighbours));
  const labels = segments(view.grey, view.width, view.height);
  const empty = sky && emptySky(view, sky, matched, confidence);
  for (const k of empty ?? []) confidence[k] = 1;
  const open = dropFringes(view, labels, matched, confidence, empty);
  const depth = matched.inverseDepth.map((d) => (d > 0 ? 1 / d : farthest));
  const inferred = inferredDepths({ view, matched, labels, open }, neighbours, depth, confidence);
  return { depth, confidence, inferred };
}

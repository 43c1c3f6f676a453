import { confidenceOf } from './checks.js';
import { inferredDepths } from './complete.js';
import { consistencyOf, type JudgedNeighbour } from './judge.js';
import type { GreyView, Matched } from './match.js';
import { dropFringes } from './plain.js';
import { emptySky, withMixed } from './sky.js';
import { segments } from './segments.js';

/** Depths [h, w] of a view along z. */
export interface DenseDepth {
  depth: Float32Array;
  /** 1 / (1 - p), where p is the probability that the depth is within 2 % of the truth; 1 where it can't be relied on. */
  confidence: Float32Array;
  /** 1 where the depth was not measured but completed. */
  inferred: Uint8Array;
  /** 1 where the sky is seen, wholly or in part; there is no depth there. */
  sky: Uint8Array;
}

/**
 * What is told of a view: its matched depths where there is evidence for them, and plain surfaces completed.
 *
 * @param reference.pixels sRGB [h, w, 3]
 * @param reference.looksLikeSky [h, w] 1 for what looks like the sky (sky.ts); what of it has no depth of its own is given none
 * @param farthest depth given to pixels of which nothing is known: finite, and of confidence 1 anyway
 */
export function tellDepths(
  reference: { view: GreyView; matched: Matched; pixels: Uint8Array; looksLikeSky?: Uint8Array | undefined },
  neighbours: readonly JudgedNeighbour[],
  farthest: number,
): DenseDepth {
  const { view, matched, looksLikeSky, pixels } = reference;
  const { width, height } = view;
  const confidence = confidenceOf(view, matched, consistencyOf(reference, neighbours));
  const labels = segments(view.grey, width, height);
  const empty = looksLikeSky && emptySky(view, looksLikeSky, matched, confidence);
  let sky: Uint8Array = new Uint8Array(confidence.length);
  for (const k of empty ?? []) sky[k] = 1;
  if (empty) sky = withMixed({ width, height, pixels }, sky);
  const drop = (k: number): number => (confidence[k] = 1);
  empty?.forEach(drop);
  const open = dropFringes(view, labels, matched, confidence, empty);
  sky.forEach((flag, k) => {
    if (flag === 0) return;
    drop(k);
    open[k] = 1;
  });
  const depth = matched.inverseDepth.map((d) => (d > 0 ? 1 / d : farthest));
  const inferred = inferredDepths({ view, matched, labels, open }, neighbours, depth, confidence);
  return { depth, confidence, inferred, sky };
}

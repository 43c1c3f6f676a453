import { serve } from '../../../compute/serve.js';
import { confidenceOf } from './checks.js';
import { inferredDepths } from './complete.js';
import { consistencyOf, type JudgedNeighbour } from './judge.js';
import { matchViews, type GreyView, type Matched, type Neighbour } from './match.js';

export type DenseRequest =
  | { kind: 'match'; reference: GreyView; neighbours: Neighbour[]; range: readonly [number, number] }
  | {
      kind: 'judge';
      reference: { view: GreyView; matched: Matched };
      neighbours: JudgedNeighbour[];
      /** Depth given to pixels of which nothing is known. */
      farthest: number;
    };

/** Depths [h, w] of a view along z. */
export interface DenseDepth {
  depth: Float32Array;
  /** 1 / (1 - p), where p is the probability that the depth is within 2 % of the truth; 1 where it can't be relied on. */
  confidence: Float32Array;
  /** 1 where the depth was not measured but completed. */
  inferred: Uint8Array;
}

serve<DenseRequest>((request) => {
  if (request.kind === 'match') {
    const value: Matched = matchViews(request.reference, request.neighbours, request.range);
    return { value, transfer: Object.values(value).map((map: Float32Array) => map.buffer as ArrayBuffer) };
  }
  const { reference, neighbours, farthest } = request;
  const confidence = confidenceOf(reference.view, reference.matched, consistencyOf(reference, neighbours));
  // Pixels without a winner are put at the far end: finite, and of confidence 1 anyway.
  const depth = reference.matched.inverseDepth.map((d) => (d > 0 ? 1 / d : farthest));
  const inferred = inferredDepths(reference, neighbours, depth, confidence);
  const value: DenseDepth = { depth, confidence, inferred };
  return { value, transfer: [depth, confidence, inferred].map((map) => map.buffer as ArrayBuffer) };
});

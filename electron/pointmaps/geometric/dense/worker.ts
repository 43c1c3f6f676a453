import { serve } from '../../../compute/serve.js';
import type { JudgedNeighbour } from './judge.js';
import { matchViews, type GreyView, type Matched, type Neighbour } from './match.js';
import { tellDepths } from './tell.js';

export type DenseRequest =
  | { kind: 'match'; reference: GreyView; neighbours: Neighbour[]; range: readonly [number, number] }
  | {
      kind: 'judge';
      reference: { view: GreyView; matched: Matched; sky?: Uint8Array | undefined };
      neighbours: JudgedNeighbour[];
      /** Depth given to pixels of which nothing is known. */
      farthest: number;
    };

serve<DenseRequest>((request) => {
  const value =
    request.kind === 'match'
      ? matchViews(request.reference, request.neighbours, request.range)
      : tellDepths(request.reference, request.neighbours, request.farthest);
  return { value, transfer: Object.values(value).map((map: Float32Array | Uint8Array) => map.buffer as ArrayBuffer) };
});

import { serve } from '../../../compute/serve.js';
import type { JudgedNeighbour } from './judge.js';
import { matchViews, type GreyView, type Matched, type Neighbour } from './match.js';
import { skyOf } from './sky.js';
import { tellDepths, type DenseDepth } from './tell.js';

export type DenseRequest =
  | { kind: 'match'; reference: GreyView; neighbours: Neighbour[]; range: readonly [number, number] }
  | {
      kind: 'judge';
      /** `pixels`: sRGB [height, width, 3]. */
      reference: { view: GreyView; matched: Matched; pixels: Uint8Array };
      neighbours: JudgedNeighbour[];
      /** Depth given to pixels of which nothing is known. */
      farthest: number;
    };

function judge({ reference, neighbours, farthest }: Extract<DenseRequest, { kind: 'judge' }>): DenseDepth {
  const { view, matched, pixels } = reference;
  // Half a second a photo: not for the thread that answers a window.
  const looksLikeSky = skyOf({ width: view.width, height: view.height, pixels });
  return tellDepths({ view, matched, pixels, looksLikeSky }, neighbours, farthest);
}

serve<DenseRequest>((request) => {
  const value =
    request.kind === 'match' ? matchViews(request.reference, request.neighbours, request.range) : judge(request);
  return { value, transfer: Object.values(value).map((map: Float32Array | Uint8Array) => map.buffer as ArrayBuffer) };
});

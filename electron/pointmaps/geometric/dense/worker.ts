import { serve } from '../../../compute/serve.js';
import { invertRigid } from '../../../numerics/linear.js';
import { confidenceOf } from './checks.js';
import { sweepDepth, type GreyView, type Sweep } from './sweep.js';

export interface DenseRequest {
  a: GreyView;
  b: GreyView;
  secondFromFirst: Float64Array;
  /** Nearest and farthest depth to search, in each camera. */
  rangeA: [number, number];
  rangeB: [number, number];
}

export interface DenseAnswer {
  depthA: Float32Array;
  confidenceA: Float32Array;
  depthB: Float32Array;
  confidenceB: Float32Array;
}

serve<DenseRequest>(({ a, b, secondFromFirst, rangeA, rangeB }) => {
  const firstFromSecond = invertRigid(secondFromFirst);
  const sweepA = sweepDepth(a, b, secondFromFirst, ...rangeA);
  const sweepB = sweepDepth(b, a, firstFromSecond, ...rangeB);
  const value: DenseAnswer = {
    depthA: depthOf(sweepA, rangeA[1]),
    confidenceA: confidenceOf(a, sweepA, b, sweepB, secondFromFirst),
    depthB: depthOf(sweepB, rangeB[1]),
    confidenceB: confidenceOf(b, sweepB, a, sweepA, firstFromSecond),
  };
  return { value, transfer: Object.values(value).map((map: Float32Array) => map.buffer as ArrayBuffer) };
});

/** Pixels without a winner are put at the far end: finite, and of confidence 1 anyway. */
function depthOf({ inverseDepth }: Sweep, farthest: number): Float32Array {
  return inverseDepth.map((d) => (d > 0 ? 1 / d : farthest));
}

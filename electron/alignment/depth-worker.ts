import { serve } from '../compute/serve.js';
import { recoverDepth } from './depth-maps.js';
import type { PhotoSamples } from './samples.js';
import type { AlignmentState } from './state.js';

/** One photo's depths at full size; samples come and go by transfer. */
export interface DepthRequest {
  state: AlignmentState;
  photo: PhotoSamples;
  scale: number;
}

serve(({ state, photo, scale }: DepthRequest) => {
  const value = recoverDepth(state, photo, scale);
  return {
    value,
    transfer: [value.depth.buffer, value.confidence.buffer, value.targetResiduals.buffer] as ArrayBuffer[],
  };
});

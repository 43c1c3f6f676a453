import { serve } from '../compute/serve.js';
import { recoverDepth } from './depth-maps.js';
import { DamagedObservation, type FullView } from './prepared.js';
import { samplePhoto, type PhotoTask } from './samples.js';
import type { AlignmentState } from './state.js';

/** One photo's depths at full size; its pointmaps are decoded here. */
export interface DepthRequest {
  state: AlignmentState;
  task: PhotoTask;
  /** Parallel to task.seen. */
  full: FullView[];
  /** Every target is an observation of its own in `state`. */
  apart: boolean;
  scale: number;
}

/** Which observation could not be read, where that is why there is no depth. */
export type DepthAnswer = ReturnType<typeof recoverDepth> | { damaged: number };

serve(({ state, task, full, apart, scale }: DepthRequest) => {
  try {
    const photo = samplePhoto(task, 1, (t) => full[t]!);
    if (apart) photo.targets = Int32Array.from(photo.targets.keys());
    const value = recoverDepth(state, photo, scale);
    return {
      value,
      transfer: [value.depth.buffer, value.confidence.buffer, value.targetResiduals.buffer] as ArrayBuffer[],
    };
  } catch (error) {
    if (error instanceof DamagedObservation) return { value: { damaged: error.observation } };
    throw error;
  }
});

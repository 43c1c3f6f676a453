import { serve } from '../../compute/serve.js';
import { findFeatures, type Features, type FeatureOptions } from './features.js';
import { matchFeatures } from './matching.js';
import { relativePose, type TwoViewResult } from './two-view.js';

export type Request =
  | { kind: 'features'; grey: Float32Array; width: number; height: number; options: FeatureOptions }
  | { kind: 'match'; a: Features; b: Features }
  /** Relative pose for each of several candidate focals; positions in long sides relative to the centres. */
  | { kind: 'pose'; a: Float64Array; b: Float64Array; focals: [number, number][]; threshold: number; hypotheses: number; seed: number };

export type PoseAnswer = (TwoViewResult | undefined)[];

serve<Request>((request) => {
  switch (request.kind) {
    case 'features':
      return { value: findFeatures(request.grey, request.width, request.height, request.options) };
    case 'match':
      return { value: matchFeatures(request.a, request.b) };
    case 'pose': {
      const value: PoseAnswer = request.focals.map(([focalA, focalB]) =>
        relativePose(request.a.map((x) => x / focalA), request.b.map((x) => x / focalB), {
          threshold: request.threshold / Math.sqrt(focalA * focalB), hypotheses: request.hypotheses, seed: request.seed,
        }),
      );
      return { value };
    }
  }
});

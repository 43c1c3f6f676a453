import { serve } from '../compute/serve.js';
import { findFeatures, type Features, type FeatureOptions } from '../features/features.js';
import { matchFeatures } from './matching.js';
import { relativePose, type TwoViewResult } from './two-view.js';

export type Request =
  | {
      kind: 'features';
      pixels: Uint8Array;
      width: number;
      height: number;
      options: FeatureOptions;
      keep?: Uint8Array | undefined;
    }
  | { kind: 'match'; a: Features; b: Features }
  /** Relative pose for each of several candidate focals; positions in long sides relative to the centres. */
  | {
      kind: 'pose';
      a: Float64Array;
      b: Float64Array;
      focals: [number, number][];
      threshold: number;
      hypotheses: number;
      seed: number;
    };

export type PoseAnswer = (TwoViewResult | undefined)[];

/** Brightness, 0 to 1, of sRGB [n, 3]. */
function greyOf(pixels: Uint8Array): Float32Array {
  const grey = new Float32Array(pixels.length / 3);
  for (let k = 0; k < grey.length; k++)
    grey[k] = (0.299 * pixels[3 * k]! + 0.587 * pixels[3 * k + 1]! + 0.114 * pixels[3 * k + 2]!) / 255;
  return grey;
}

serve<Request>((request) => {
  switch (request.kind) {
    case 'features':
      return {
        value: findFeatures(greyOf(request.pixels), request.width, request.height, request.options, request.keep),
      };
    case 'match':
      return { value: matchFeatures(request.a, request.b) };
    case 'pose': {
      const value: PoseAnswer = request.focals.map(([focalA, focalB]) =>
        relativePose(
          request.a.map((x) => x / focalA),
          request.b.map((x) => x / focalB),
          {
            threshold: request.threshold / Math.sqrt(focalA * focalB),
            hypotheses: request.hypotheses,
            seed: request.seed,
          },
        ),
      );
      return { value };
    }
  }
});

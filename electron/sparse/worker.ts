import { serve } from '../compute/serve.js';
import { findFeatures, type Features, type FeatureOptions } from '../features/features.js';
import type { Photo } from '../geometry/types.js';
import { lumaAt } from '../numerics/luma.js';
import { similarPhotos } from '../retrieval/similar.js';
import { decodeVocabulary, quantise, type PhotoWords } from '../retrieval/vocabulary.js';
import { fitEpipolar, type EpipolarFit, type FitOptions } from './epipolar.js';
import { scoreFocals, type FocalScores } from './focal-scores.js';
import { guidedMatches } from './guided.js';
import { matchFeatures } from './matching.js';
import { answerStructure, type StructureRequest } from './structure-task.js';
import { essential, relativePose, type RelativePose, type TwoViewOptions, type TwoViewResult } from './two-view.js';

/** What features are found on: sRGB [height, width, 3], and [height, width], 1 where the photo may be used. */
export interface Picture {
  pixels: Uint8Array;
  width: number;
  height: number;
  keep?: Uint8Array | undefined;
}

/** Stands for a picture in requests to an executor that reads photos; it becomes one before a thread sees it. */
export interface UnreadPicture {
  photo: Photo;
  size: { longSide: number };
}

/** Positions are [n, 2], of `fit` and `focals` in long sides relative to the centres, of `pose` normalised. */
export type Request =
  | ({ kind: 'features'; options: FeatureOptions } & Picture)
  | { kind: 'match'; a: Features; b: Features }
  | { kind: 'fit'; x1: Float64Array; x2: Float64Array; options: FitOptions }
  | {
      kind: 'focals';
      x1: Float64Array;
      x2: Float64Array;
      focals: [number, number][];
      limit: number;
      seed: number;
    }
  | {
      kind: 'guide';
      a: Features;
      b: Features;
      /** Of all features, normalised. */
      x1: Float64Array;
      x2: Float64Array;
      pose: RelativePose;
      taken: Uint32Array;
      threshold: number;
    }
  | StructureRequest
  | { kind: 'words'; descriptors: Uint8Array; vocabulary: Uint8Array }
  | { kind: 'similar'; photos: PhotoWords[]; vocabulary: Uint8Array }
  | { kind: 'pose'; x1: Float64Array; x2: Float64Array; options: TwoViewOptions };

export type FitAnswer = EpipolarFit | undefined;
export type FocalsAnswer = FocalScores;
export type PoseAnswer = TwoViewResult | undefined;

/** Brightness, 0 to 1, of sRGB [n, 3]. */
function greyOf(pixels: Uint8Array): Float32Array {
  const grey = new Float32Array(pixels.length / 3);
  for (let k = 0; k < grey.length; k++) grey[k] = lumaAt(pixels, 3 * k) / 255;
  return grey;
}

serve<Request>(async (request) => {
  switch (request.kind) {
    case 'features':
      return {
        value: findFeatures(greyOf(request.pixels), request.width, request.height, request.options, request.keep),
      };
    case 'match':
      return { value: matchFeatures(request.a, request.b) };
    case 'fit':
      return { value: fitEpipolar(request.x1, request.x2, request.options) satisfies FitAnswer };
    case 'focals':
      return { value: scoreFocals(request) satisfies FocalsAnswer };
    case 'guide': {
      const { a, b, x1, x2, pose, taken, threshold } = request;
      return { value: guidedMatches(a, b, x1, x2, essential(pose.rotation, pose.translation), taken, { threshold }) };
    }
    case 'structure':
      return { value: await answerStructure(request) };
    case 'words':
      return { value: quantise(decodeVocabulary(request.vocabulary), request.descriptors) };
    case 'similar': {
      const { branches, leaves } = decodeVocabulary(request.vocabulary);
      return { value: similarPhotos(request.photos, branches * leaves) };
    }
    case 'pose':
      return { value: relativePose(request.x1, request.x2, request.options) satisfies PoseAnswer };
  }
});

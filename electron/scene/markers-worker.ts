import { serve } from '../compute/serve.js';
import { detectSquares } from './marker-detector.js';
import { sharpCorners, type MarkerRequest } from './markers.js';

serve<MarkerRequest>(async ({ family, ...photo }) => ({
  value: sharpCorners(await detectSquares(photo.picture, family), photo),
}));

import { serve } from '../../compute/serve.js';
import { resampleFace, type FaceRequest } from './resample.js';

serve<FaceRequest>((request) => {
  const value = resampleFace(request);
  return {
    value,
    transfer: [value.pixels, value.shown].flatMap((each) => (each ? [each.buffer as ArrayBuffer] : [])),
  };
});

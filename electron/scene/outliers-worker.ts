import { serve } from '../compute/serve.js';
import { outliers, type OutlierInput, type OutlierOptions } from './outliers.js';

serve<OutlierInput & { options: Partial<OutlierOptions> }>(({ options, ...input }) => {
  const value = outliers(input, options);
  return { value, transfer: [value.buffer as ArrayBuffer] };
});

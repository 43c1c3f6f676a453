import { serve } from '../compute/serve.js';
import { withoutFloating, type FloatingTask } from './masks.js';

serve((task: FloatingTask) => {
  const value = withoutFloating(task);
  return { value, transfer: [value.buffer as ArrayBuffer] };
});

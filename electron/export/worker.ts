import { serve } from '../compute/serve.js';
import { runHere, type ExportTask, type ExportTasks } from './tasks.js';

serve<{ task: ExportTask; request: ExportTasks[ExportTask]['request'] }>(async ({ task, request }) => {
  const value = await runHere(task, request);
  const bytes = value instanceof Uint8Array ? value : value.samples;
  return { value, transfer: [bytes.buffer as ArrayBuffer] };
});

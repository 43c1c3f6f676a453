import { parentPort } from 'node:worker_threads';

/** What a worker answers: a value, and the buffers in it that are moved instead of copied. */
export interface Answer {
  value: unknown;
  transfer?: ArrayBuffer[];
}

/** Makes this thread answer a WorkerPool's requests, one at a time. */
export function serve<Request>(handle: (request: Request) => Answer | Promise<Answer>): void {
  parentPort!.on('message', async (request: Request) => {
    try {
      const { value, transfer } = await handle(request);
      parentPort!.postMessage({ value }, transfer ?? []);
    } catch (error) {
      parentPort!.postMessage({ error: error instanceof Error ? error : new Error(String(error)) });
    }
  });
}

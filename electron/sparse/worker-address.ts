/** The module that answers this room's requests (worker.ts). */
export const sparseWorker = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './sparse-worker.js',
  import.meta.url,
);

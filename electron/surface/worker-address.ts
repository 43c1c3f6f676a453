/** The module that does this room's steps (worker.ts). */
export const surfaceWorker = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './surface-worker.js',
  import.meta.url,
);

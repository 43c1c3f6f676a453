import { defineConfig } from 'vitest/config';

/** Whole reconstructions of real photos: minutes, not seconds. */
export default defineConfig({
  test: {
    include: ['test/photos/**/*.test.ts'],
    globalSetup: ['test/isolate.ts', 'test/prepare.ts'],
    testTimeout: 600_000,
    maxWorkers: 1,
  },
});

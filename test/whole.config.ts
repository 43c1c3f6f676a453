import { defineConfig } from 'vitest/config';

/** Whole scenes made in code: reconstructed, aligned, fused, meshed. Seconds a test, where units take milliseconds. */
export default defineConfig({
  test: {
    include: ['test/**/*.whole.test.ts'],
    globalSetup: ['test/isolate.ts', 'test/prepare.ts'],
    // What only a hang reaches, also on a machine that is busy with something else.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
  },
});

import { defineConfig } from 'vitest/config';

/**
 * The program as processes: packaged, killed at any moment, restarted, driven by its commands. Seconds a test, where
 * units take milliseconds.
 */
export default defineConfig({
  test: {
    include: ['test/processes/*.test.ts'],
    globalSetup: ['test/isolate.ts', 'test/prepare.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    maxWorkers: 2,
  },
});

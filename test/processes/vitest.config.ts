import { defineConfig } from 'vitest/config';

/**
 * The program as processes: packaged, killed and stopped at any moment, restarted, driven by its commands, on full disks,
 * attacked. Seconds a test, where
 * units take milliseconds.
 */
export default defineConfig({
  test: {
    include: ['test/processes/*.test.ts'],
    globalSetup: ['test/isolate.ts', 'test/prepare.ts', 'test/bundle-fixtures.ts'],
    // What only a hang reaches, also on a machine that is busy with something else.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    maxWorkers: 2,
  },
});

import { defineConfig } from 'vitest/config';

/**
 * The studio as a person uses it, in a real browser over browser mode. One file after another: each has an engine of
 * its own.
 */
export default defineConfig({
  test: {
    include: ['test/e2e/*.test.ts'],
    globalSetup: ['test/isolate.ts', 'test/prepare.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    fileParallelism: false,
    // Steps of one visit: what follows a failed one means nothing.
    bail: 1,
  },
});

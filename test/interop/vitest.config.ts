import { defineConfig } from 'vitest/config';

/**
 * Round trips through the tools that read our files. Each test says that it was skipped where its tool is not
 * installed.
 */
export default defineConfig({
  test: {
    include: ['test/interop/*.test.ts'],
    globalSetup: ['test/isolate.ts', 'test/prepare.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});

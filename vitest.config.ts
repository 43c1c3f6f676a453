import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    exclude: ['test/e2e/**', 'test/interop/**', 'test/photos/**', 'test/processes/**'],
    globalSetup: ['test/isolate.ts', 'test/prepare.ts'],
    // What only a hang reaches, also on a machine that is busy with something else.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    // Two threads: what the smallest supported machine has.
    maxWorkers: 2,
  },
});

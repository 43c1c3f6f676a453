import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    exclude: ['test/e2e/**', 'test/interop/**', 'test/photos/**'],
    globalSetup: ['build/wasm.mjs'],
    testTimeout: 20_000,
    // Two threads: what the smallest supported machine has.
    maxWorkers: 2,
  },
});

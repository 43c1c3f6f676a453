import { defineConfig } from 'vitest/config';

const include = ['test/**/*.test.{ts,tsx}'];
// Whole scenes made in code (test/whole.config.ts) took two thirds of the minutes.
const exclude = ['test/e2e/**', 'test/interop/**', 'test/photos/**', 'test/processes/**', 'test/**/*.whole.test.ts'];
const replacing = [
  'test/renderer/**/*.test.{ts,tsx}',
  'test/electron/{preload,desktop,first-start,real-electron}.test.ts',
  'test/electron/engine/gate.test.ts',
  'test/native-models/proxy.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/isolate.ts', 'test/prepare.ts'],
    // What only a hang reaches, also on a machine that is busy with something else.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    // Two threads: what the smallest supported machine has.
    maxWorkers: 2,
    projects: [
      // What puts something in the place of a module, a global or the environment has a process for each file.
      { extends: true, test: { name: 'apart', include: replacing } },
      // All others share two processes, which read the program once: reading took 42 s of 178.
      { extends: true, test: { name: 'together', include, exclude: [...exclude, ...replacing], isolate: false } },
    ],
  },
});

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Megabytes of what a page may load in the end, as it travels. */
const MOST = 1.8;
const assets = join(import.meta.dirname, '../../dist/renderer/assets');

/** The build compresses what it has made (build/build.mjs), and the suite builds before it begins. */
test('scripts and styles of the page are at most 1.8 MB compressed', () => {
  const sizes = readdirSync(assets)
    .filter((name) => name.endsWith('.br'))
    .map((name) => ({ name, bytes: statSync(join(assets, name)).size }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(sizes.length).toBeGreaterThan(3);
  expect(total / 1e6, JSON.stringify(sizes.sort((a, b) => b.bytes - a.bytes).slice(0, 5))).toBeLessThan(MOST);
});

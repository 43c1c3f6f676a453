/**
 * The studio's own targets, in a real browser: `node --import tsx test/bench/studio.ts [photos of a real set]`. Builds
 * first what is not built. Prints the first paint, the bundle's size, how long 200 photos take to appear and whether
 * scrolling them stalls, and how long a realignment takes with one pair switched off.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { button, finished, openStudio, shown } from '../e2e/studio.js';

const PHOTOS = 200;

execFileSync(process.execPath, ['build/build.mjs', '--if-needed'], { stdio: 'inherit' });
const assets = join('dist', 'renderer', 'assets');
const bytes = readdirSync(assets)
  .filter((name) => /\.(js|css)$/.test(name))
  .reduce((sum, name) => sum + brotliCompressSync(readFileSync(join(assets, name))).length, 0);
console.log(`bundle ${(bytes / 1e6).toFixed(2)} MB compressed (target 1.8)`);

const studio = await openStudio();
const { page, folder } = studio;
await button(page, /^Courtyard/).waitFor();
const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN);
console.log(`first paint of the start page ${paint.toFixed(0)} ms (target 1000)`);

const photos = join(folder, 'many');
mkdirSync(photos);
const base = await sharp('resources/samples/courtyard/courtyard-01.jpg').resize(2400, 1800).jpeg().toBuffer();
for (let k = 0; k < PHOTOS; k++)
  await sharp(base)
    .modulate({ hue: (k * 37) % 360, brightness: 0.7 + (k % 7) / 12 })
    .jpeg({ quality: 80 })
    .toFile(join(photos, `photo-${String(k).padStart(3, '0')}.jpg`));
await add(page, photos);
const start = Date.now();
await page.getByText(`${PHOTOS} photos`).first().waitFor({ timeout: 120_000 });
await page.locator('.photo-row').first().waitFor();
console.log(
  `${PHOTOS} photos of 2400 x 1800 imported and listed in ${((Date.now() - start) / 1000).toFixed(1)} s (target 10)`,
);
await page.evaluate(() => {
  const tasks: number[] = [];
  Object.assign(window, { tasks });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => tasks.push(entry.duration))).observe({
    entryTypes: ['longtask'],
  });
});
await page.locator('.photo-scroll').hover();
for (let k = 0; k < 60; k++) {
  await page.mouse.wheel(0, 400);
  await page.waitForTimeout(30);
}
const longest = await page.evaluate(() => Math.max(0, ...(window as unknown as { tasks: number[] }).tasks));
console.log(`scrolling them: longest task ${longest.toFixed(0)} ms (target 50; the browser reports none under 50)`);
await studio.close();

const set = process.argv[2] ?? '../shared/photos/sceaux';
if (!existsSync(set)) console.log(`skipped: there are no photos in ${set}`);
else await realign(resolve(set));

async function realign(path: string): Promise<void> {
  const other = await openStudio();
  await add(other.page, path);
  await other.page.locator('.photo-row').nth(5).waitFor({ timeout: 60_000 });
  await other.page.keyboard.press('Control+Enter');
  await finished(other.page, 500_000);
  await shown(other.page, 120_000);
  await other.page.locator('.edge.good .target').first().dispatchEvent('click');
  await button(other.page, 'Switch this pair off').click();
  await other.page.getByText('Edits not yet in the cloud').waitFor();
  const begun = Date.now();
  await other.page.keyboard.press('Control+r');
  await other.page.getByText('Edits not yet in the cloud').waitFor({ state: 'detached', timeout: 120_000 });
  await finished(other.page);
  console.log(`realigned without one pair in ${((Date.now() - begun) / 1000).toFixed(1)} s (target 5)`);
  await other.close();
}

async function add(page: Page, path: string): Promise<void> {
  await page.getByRole('button', { name: /^Choose a folder/ }).click();
  await page.getByRole('listitem').first().waitFor();
  await page.getByRole('dialog').getByLabel('Folder', { exact: true }).fill(path);
  await button(page, 'Go').click();
  await page
    .getByRole('listitem')
    .filter({ hasText: /\.jpe?g/i })
    .first()
    .waitFor();
  await button(page, 'Choose this folder').click();
}

/**
 * Pictures of the studio: `node --import tsx build/pictures.ts OUT`. The start page, an opened sample, a run, its
 * result, a photo looked through, the export and a failure, at two sizes and in both themes, for looking at; the
 * README's picture goes to docs/studio.png.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { button, finished, openStudio, shown, tab } from '../test/e2e/studio.js';

const out = process.argv[2] ?? 'out/pictures';
mkdirSync(out, { recursive: true });
execFileSync(process.execPath, ['build/build.mjs', '--if-needed'], { stdio: 'inherit' });
const sizes = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];

/** Every size and theme of one state. */
async function take(page: Page, state: string): Promise<void> {
  for (const theme of ['dark', 'light'] as const) {
    if ((await page.evaluate(() => document.documentElement.dataset.theme)) !== theme)
      await page.keyboard.press('Control+Shift+L');
    for (const size of sizes) {
      await page.setViewportSize(size);
      await page.waitForTimeout(1200);
      if (await page.locator('.viewer-foot').count()) await shown(page).catch(() => undefined);
      await page.screenshot({ path: join(out, `${state}-${theme}-${size.width}.png`) });
    }
  }
}

const studio = await openStudio();
const { page } = studio;
await button(page, /^Courtyard/).waitFor();
await take(page, 'start');
await button(page, /^Courtyard/).click();
await page.locator('.photo-row').nth(9).waitFor();
await take(page, 'photos');
await page.keyboard.press('Control+Enter');
await page.locator('.viewer-foot', { hasText: 'Still growing' }).waitFor({ timeout: 400_000 });
await page.screenshot({ path: join(out, 'running.png') });
await finished(page);
await shown(page);
await page.locator('.target.good').nth(3).dispatchEvent('click');
await page.locator('.photo-row').nth(4).click();
await take(page, 'finished');
await page.setViewportSize({ width: 1440, height: 900 });
await page.keyboard.press('Control+Shift+L');
// All cameras in sight, no focus ring, and no folder of whoever makes the picture.
await page.locator('canvas').first().hover();
await page.mouse.wheel(0, 120);
await page.evaluate(() => {
  (document.activeElement as HTMLElement | null)?.blur();
  document.querySelectorAll<HTMLElement>('.path').forEach(({ style }) => {
    style.visibility = 'hidden';
  });
});
await page.waitForTimeout(1500);
await shown(page);
await page.screenshot({ path: join(out, 'studio.png') });
await sharp(join(out, 'studio.png')).png({ palette: true, quality: 90 }).toFile(join(out, 'studio-small.png'));
copyFileSync(join(out, 'studio-small.png'), 'docs/studio.png');
await page.keyboard.press('v');
await take(page, 'through');
await page.keyboard.press('Escape');
await tab(page, 'Depth').click();
await take(page, 'depth');
await page.keyboard.press('Control+e');
await page.waitForTimeout(500);
await page.screenshot({ path: join(out, 'export.png') });
await page.keyboard.press('Escape');
studio.killEngine();
await page.locator('.notice.error').waitFor();
await take(page, 'failed');
await studio.close();

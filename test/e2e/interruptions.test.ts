import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, chromiumPath, finished, openStudio, shown, status, step, type Studio } from './studio.js';

/**
 * What may come between a start and a finish: a pause, a cancel, a reload, a crash. Nothing computed is lost by any of
 * them.
 */
describe.skipIf(!chromiumPath)('interruptions', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
  });
  afterAll(() => studio?.close());

  it('takes a folder of photos', async () => {
    const photos = join(studio.folder, 'photos');
    mkdirSync(photos);
    for (const k of ['03', '04', '05', '06', '07'])
      await sharp(`resources/samples/courtyard/courtyard-${k}.jpg`)
        .keepMetadata()
        .resize(800)
        .toFile(join(photos, `courtyard-${k}.jpg`));
    const { page } = studio;
    await button(page, 'Choose a folder').click();
    await page.getByRole('dialog').getByRole('button', { name: 'photos', exact: true }).click();
    await page.getByText('courtyard-07.jpg').waitFor();
    await button(page, 'Choose this folder').click();
    await page.locator('.photo-row').nth(4).waitFor();
    await step(page, 'Solve').click();
    await page.getByLabel('Quality').selectOption('draft');
    await expect.poll(() => page.getByLabel('Quality').inputValue()).toBe('draft');
  });

  it('pauses and resumes', async () => {
    const { page } = studio;
    await page.keyboard.press('Control+Enter');
    await page.locator('.stages .current', { hasText: /^(Cameras|Depth)/ }).waitFor();
    await button(page, 'Pause').click();
    await button(page, 'Resume').waitFor({ timeout: 120_000 });
    // What has begun is finished first; then nothing moves.
    let held = '';
    await expect
      .poll(
        async () => {
          const before = held;
          held = await status(page).innerText();
          return held === before;
        },
        { interval: 3000, timeout: 60_000 },
      )
      .toBe(true);
    expect(held).toContain('paused');
    await button(page, 'Resume').click();
    await button(page, 'Pause').waitFor();
  });

  it('goes on behind a page that is reloaded', async () => {
    const { page } = studio;
    await page.reload();
    await button(page, 'Cancel').waitFor();
    await step(page, 'Photos').click();
    await page.locator('.photo-row').nth(4).waitFor();
  });

  it('cancels, keeps what it has, and goes on from there', async () => {
    const { page } = studio;
    await button(page, 'Cancel').click();
    await status(page).filter({ hasText: 'Cancelled; what was computed is kept' }).waitFor({ timeout: 120_000 });
    await button(page, 'Go on').click();
    await page.locator('.stages .current', { hasText: /^(Cameras|Depth)/ }).waitFor();
  });

  it('is told of a crash of the engine in the middle of a run, and resumes', async () => {
    const { page } = studio;
    await page.waitForTimeout(1500);
    studio.killEngine();
    await page.locator('.notice.error', { hasText: 'the engine stopped (SIGKILL)' }).waitFor();
    expect(await status(page).innerText()).toMatch(/^Failed: the engine stopped/);
    await page.locator('.photo-row').nth(4).waitFor();
    await button(page, 'Go on').click();
    await page.locator('.stages .current').waitFor();
    await finished(page);
    await expect.poll(() => page.locator('.photo-head').innerText()).toContain('5 of 5 placed');
    expect(await shown(page)).toBeGreaterThan(50_000);
  });

  it('opens a second page on the same run', async () => {
    const second = await studio.context.newPage();
    await second.goto(new URL('/', studio.address).href);
    await second.locator('.photo-row').nth(4).waitFor();
    await studio.page.locator('.photo-row').first().click();
    await studio.page.keyboard.press('x');
    await second.locator('.photo-row.off').waitFor();
    await studio.page.keyboard.press('Control+z');
    await second.locator('.photo-row.off').waitFor({ state: 'detached' });
    await second.close();
  });
});

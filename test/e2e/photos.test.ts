import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRoom } from './room.js';
import { button, chromiumPath, openStudio, shown, step, type Studio } from './studio.js';

/** The list of photos: what is taken out of the project, sorted and left out of the list. */
describe.skipIf(!chromiumPath)('the photos', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
    await openRoom(studio);
    await shown(studio.page);
    await step(studio.page, 'Photos').click();
  }, 180_000);
  afterAll(() => studio?.close());

  const names = (): Promise<string[]> =>
    studio.page
      .locator('.photo-row')
      .evaluateAll((rows) =>
        rows
          .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
          .map((row) => row.querySelector('strong')!.textContent),
      );

  it('lose one for good, with its points and its camera, until undo brings it back', async () => {
    const { page } = studio;
    const before = await shown(page);
    const all = await names();
    expect(all.length).toBe(4);
    await page.locator('.photo-row').last().click({ button: 'right' });
    await page.getByRole('menuitem', { name: /^Remove selected photos/ }).click();
    await expect.poll(names).toEqual(all.slice(0, 3));
    await page.getByText('Edits not yet in the cloud').waitFor();
    await expect.poll(() => shown(page)).toBeLessThan(before);
    await button(page, 'Undo').click();
    await expect.poll(names).toEqual(all);
    await expect.poll(() => shown(page)).toBe(before);
  });

  it('are listed by what they are, and in another order', async () => {
    const { page } = studio;
    const all = await names();
    await page.locator('.photo-row').nth(1).click();
    // However little room what is told of it leaves.
    await page.setViewportSize({ width: 1024, height: 700 });
    await page.locator('.photo-row').nth(3).click();
    await expect
      .poll(async () => {
        const row = (await page.locator('.photo-row.selected').boundingBox())!;
        const list = (await page.locator('.photo-scroll').boundingBox())!;
        return row.y >= list.y - 1 && row.y + row.height <= list.y + list.height + 1;
      })
      .toBe(true);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.locator('.photo-row').nth(1).click();
    await page.keyboard.press('x');
    await page.getByLabel('Show photos').selectOption('switched off');
    await expect.poll(names).toEqual([all[1]]);
    await page.keyboard.press('Control+a');
    await page.getByLabel('Show photos').selectOption('all photos');
    expect(await page.locator('.photo-row.selected').count()).toBe(1);
    await button(page, 'Undo').click();
    await page.getByLabel('Sort by').selectOption('largest error');
    expect((await names()).sort()).toEqual([...all].sort());
    await page.getByLabel('Show photos').selectOption('not placed');
    await page.getByText('No photo is like that.').waitFor();
    await page.getByLabel('Show photos').selectOption('all photos');
    await page.getByLabel('Sort by').selectOption('order added');
    await expect.poll(names).toEqual(all);
  });

  it('had nothing to complain about', () => {
    expect(studio.complaints).toEqual([]);
  });
});

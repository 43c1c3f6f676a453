import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { button, chromiumPath, openStudio, type Studio } from './studio.js';

describe.skipIf(!chromiumPath)('painting a mask', () => {
  let studio: Studio;

  beforeAll(async () => {
    studio = await openStudio();
    await button(studio.page, /^Courtyard/).click();
    await studio.page.locator('.photo-row').nth(9).waitFor();
  });
  afterAll(() => studio?.close());

  it('hides what a stroke covers, goes back a step, and is there when it is opened again', async () => {
    const { page, complaints } = studio;
    await page.locator('.photo-row').first().click();
    await page.keyboard.press('m');
    const dialog = page.getByRole('dialog', { name: /^Mask of/ });
    const canvas = dialog.locator('canvas');
    const hidden = (): Promise<number> =>
      canvas.evaluate((element: HTMLCanvasElement) => {
        const { data } = element.getContext('2d')!.getImageData(0, 0, element.width, element.height);
        let count = 0;
        for (let p = 0; p < data.length; p += 4)
          if (data[p]! >= 120 && data[p + 1]! <= 85 && data[p + 2]! <= 85) count++;
        return count / (data.length / 4);
      });
    await expect.poll(() => canvas.evaluate((element: HTMLCanvasElement) => element.width)).toBeGreaterThan(500);
    const before = await hidden();
    const { x, y, width, height } = (await canvas.boundingBox())!;
    for (const row of [0.3, 0.6]) {
      await page.mouse.move(x + 0.2 * width, y + row * height);
      await page.mouse.down();
      await page.mouse.move(x + 0.8 * width, y + row * height, { steps: 4 });
      await page.mouse.up();
    }
    const both = await hidden();
    await dialog.getByRole('button', { name: 'Undo' }).click();
    const one = await hidden();
    expect(one - before).toBeGreaterThan(0.02);
    expect(both - before).toBeGreaterThan(1.8 * (one - before));
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/mask.png` });
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.keyboard.press('m');
    await expect.poll(hidden).toBeCloseTo(one, 2);
    expect(complaints).toEqual([]);
  });
});

import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRoom } from './room.js';
import { button, chromiumPath, openStudio, type Studio } from './studio.js';

/** From a finished cloud to a mesh that is looked at in every way. */
describe.skipIf(!chromiumPath)('the mesh', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
    await openRoom(studio);
  }, 180_000);
  afterAll(() => studio?.close());

  const canvas = () => studio.page.locator('.viewer canvas');
  const picture = async (): Promise<Buffer> =>
    sharp(await canvas().screenshot())
      .removeAlpha()
      .raw()
      .toBuffer();
  /** Mean colour of what is not the ground. */
  const mean = (pixels: Buffer): number[] => {
    const sums = [0, 0, 0, 0];
    for (let k = 0; k < pixels.length; k += 3) {
      if ([0, 1, 2].every((i) => Math.abs(pixels[k + i]! - pixels[i]!) < 8)) continue;
      for (let i = 0; i < 3; i++) sums[i]! += pixels[k + i]!;
      sums[3]! += 1;
    }
    return sums.slice(0, 3).map((sum) => sum / Math.max(1, sums[3]!));
  };

  it('is built with a forecast, and shown in place of the points', async () => {
    const { page } = studio;
    await page.getByRole('tab', { name: /^Surface/ }).click();
    const box = page.getByRole('region', { name: 'Build the mesh' });
    await box.getByText('Memory').waitFor();
    await box.getByLabel('Faces').selectOption('50000');
    await box.getByLabel('Texture, pixels').selectOption('1024');
    await button(page, 'Build mesh').click();
    await button(page, 'Build anew').waitFor({ timeout: 120_000 });
    await expect.poll(() => page.getByLabel('Layer', { exact: true }).inputValue()).toBe('mesh');
    await page.locator('.viewer-foot', { hasText: /^Mesh of [\d.]+ [kM] faces\.$/ }).waitFor();
    // The photos are made of noise about a middle grey; a texture that did not arrive is white.
    await expect.poll(async () => Math.max(...mean(await picture())), { timeout: 60_000 }).toBeLessThan(190);
    expect(Math.min(...mean(await picture()))).toBeGreaterThan(60);
  }, 180_000);

  it('looks different in each of its ways, and complains in none', async () => {
    const { page } = studio;
    const seen: string[] = [];
    for (const look of ['texture', 'shape', 'wireframe', 'confidence', 'photo']) {
      await page.getByLabel('Mesh drawn as').selectOption(look);
      await page.waitForTimeout(1500);
      seen.push(
        mean(await picture())
          .map((value) => Math.round(value / 4))
          .join(),
      );
    }
    expect(new Set(seen).size).toBe(5);
    expect(studio.complaints).toEqual([]);
  }, 120_000);
});

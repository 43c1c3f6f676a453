import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../../electron/engine/engine.js';
import { roomEstimator, roomPhotos } from '../fixtures/room-estimator.js';
import { button, chromiumPath, openStudio, type Studio } from './studio.js';

/** From a finished cloud to a mesh that is looked at in every way. */
describe.skipIf(!chromiumPath)('the mesh', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
    const { page, folder } = studio;
    await reconstructRoom(folder);
    await page.keyboard.press('Control+o');
    const dialog = page.getByRole('dialog', { name: 'Open project' });
    await dialog.getByLabel('Folder', { exact: true }).fill(folder);
    await dialog.getByRole('button', { name: 'Go' }).click();
    await dialog.getByRole('button', { name: /^room\.pointmap/ }).click();
    await dialog.getByRole('button', { name: 'Open', exact: true }).click();
    await page.locator('.photo-row').nth(3).waitFor();
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

async function reconstructRoom(folder: string): Promise<void> {
  const photos = await roomPhotos(folder, 4);
  const engine = new Engine({
    dataFolder: join(folder, 'room data'),
    threads: 1,
    estimators: [() => [roomEstimator()]],
  });
  await engine.request('project.create', { path: join(folder, 'room.pointmap') });
  await engine.request('photos.add', { paths: [photos] });
  const settings = { estimator: 'room', graph: 'complete' };
  await engine.request('edit.apply', { edit: { kind: 'settings', settings } });
  await engine.request('run.start', {});
  await engine.settled();
  await engine.request('edit.apply', { edit: { kind: 'settings', settings: { estimator: 'geometric' } } });
  await engine.close();
}

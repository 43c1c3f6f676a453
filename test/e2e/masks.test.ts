import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importModel } from '../../native-models/registry/install.js';
import { tinyDecoder, tinyEncoder } from '../fixtures/segment-graphs.js';
import { button, chromiumPath, openStudio, type Studio } from './studio.js';

describe.skipIf(!chromiumPath)('painting a mask', () => {
  let studio: Studio;
  let models: string;

  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), 'pointmap-models-'));
    studio = await openStudio({ environment: { POINTMAP_MODELS: join(models, 'installed') } });
    await button(studio.page, /^Courtyard/).click();
    await studio.page.locator('.photo-row').nth(9).waitFor();
  });
  afterAll(async () => {
    await studio?.close();
    await rm(models, { recursive: true, force: true });
  });

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

  it('hides the object of a click where a network is installed, and says what to install where none is', async () => {
    const { page } = studio;
    await page.keyboard.press('Escape');
    await page.locator('.photo-row').nth(1).click();
    await page.keyboard.press('m');
    const dialog = page.getByRole('dialog', { name: /^Mask of/ });
    const canvas = dialog.locator('canvas');
    await expect.poll(() => canvas.evaluate((element: HTMLCanvasElement) => element.width)).toBeGreaterThan(500);
    await dialog.getByLabel('Tool').selectOption({ label: 'Object' });
    const { x, y, width, height } = (await canvas.boundingBox())!;
    const click = () => page.mouse.click(x + 0.8 * width, y + 0.5 * height);
    await click();
    // In the dialog: a notice would lie behind it.
    await dialog.getByText(/models add mobilesam-encoder/).waitFor();
    for (const [part, make] of [
      ['encoder', tinyEncoder],
      ['decoder', tinyDecoder],
    ] as const) {
      await make(join(models, `${part}.onnx`), 'sam');
      await importModel(join(models, `${part}.onnx`), { id: `mobilesam-${part}`, root: join(models, 'installed') });
    }
    await click();
    // The graph made for this test tells the half across from the click.
    const redness = (share: number): Promise<number> =>
      canvas.evaluate((element: HTMLCanvasElement, share) => {
        const at = [Math.round(share * element.width), Math.round(0.5 * element.height)] as const;
        const [red, green] = element.getContext('2d')!.getImageData(...at, 1, 1).data;
        return red! - green!;
      }, share);
    await expect.poll(() => redness(0.2), { timeout: 60_000 }).toBeGreaterThan(60);
    expect(await redness(0.8)).toBeLessThan(60);
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/object.png` });
  }, 120_000);
});

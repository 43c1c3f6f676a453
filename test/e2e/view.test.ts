import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { ALL_FORMATS, BufferSource, Input } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRoom } from './room.js';
import { button, chromiumPath, openStudio, pictureOf, shown, step, type Studio } from './studio.js';

/** How the cloud is looked at: shading, ground, views that are kept, a photo wiped over it, pictures and a video. */
describe.skipIf(!chromiumPath)('the view', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
    await openRoom(studio);
    await shown(studio.page);
    await button(studio.page, 'More settings of the view').click();
  }, 180_000);
  afterAll(() => studio?.close());

  const canvas = () => studio.page.locator('.viewer canvas').first();
  /** The part of the view that the settings do not cover. */
  const picture = async (): Promise<Buffer> => {
    const box = (await canvas().boundingBox())!;
    return studio.page.screenshot({ clip: { ...box, y: box.y + 60, width: 0.6 * box.width, height: box.height - 60 } });
  };
  /** Mean of the pixels of a part of the view, by fractions. */
  const mean = async (left: number, top: number, width: number, height: number): Promise<number[]> => {
    const box = (await canvas().boundingBox())!;
    const clip = { x: box.x + left * box.width, y: box.y + top * box.height, width, height };
    const { channels } = await sharp(await studio.page.screenshot({ clip })).stats();
    return channels.slice(0, 3).map((channel) => channel.mean);
  };
  const settled = async (): Promise<void> => {
    await shown(studio.page);
    await studio.page.waitForTimeout(400);
  };

  it('has points that are darker beside what stands before them, and a ground of choice', async () => {
    const { page } = studio;
    // Large enough to cover each other.
    await page.getByLabel('Point size').selectOption('8');
    await settled();
    const shaded = await picture();
    await page.getByLabel('Shaded points').uncheck();
    await settled();
    const plain = await picture();
    const brightness = async (png: Buffer): Promise<number> => (await sharp(png).greyscale().stats()).channels[0]!.mean;
    expect(await brightness(shaded)).toBeLessThan((await brightness(plain)) - 0.2);
    await page.getByLabel('Shaded points').check();
    await page.getByLabel('Point size').selectOption('2');
    await page.getByLabel('Background').selectOption('white');
    await settled();
    // A corner below the tools, where no point is.
    expect(await mean(0.01, 0.5, 8, 8)).toEqual([255, 255, 255]);
    await page.getByLabel('Background').selectOption('as the theme');
  });

  it('is kept by a name, and come back to after a reload', async () => {
    const { page } = studio;
    await settled();
    const before = await picture();
    await button(page, 'Keep this view').click();
    await button(page, 'View 1').waitFor();
    await page.keyboard.press('3');
    await page.waitForTimeout(1000);
    await settled();
    expect((await picture()).equals(before)).toBe(false);
    await page.reload();
    await button(page, 'More settings of the view').click();
    await settled();
    await button(page, 'View 1').click();
    await settled();
    expect(await differenceOf(before, await picture())).toBeLessThan(3);
    await button(page, 'Remove View 1').click();
    await button(page, 'View 1').waitFor({ state: 'detached' });
  });

  it('has its photo laid over it up to a line, which is dragged', async () => {
    const { page } = studio;
    await step(page, 'Photos').click();
    await page.locator('.photo-row').nth(1).click();
    await page.keyboard.press('v');
    await page.locator('.overlay-photo').waitFor();
    await settled();
    const opacity = page.getByRole('slider', { name: /^Photo 1/ });
    const part = async (left: number): Promise<Buffer> => {
      const box = (await page.locator('.overlay-photo').boundingBox())!;
      const clip = { x: box.x + left * box.width, y: box.y + 0.2 * box.height, width: 0.2 * box.width, height: 60 };
      return page.screenshot({ clip });
    };
    await opacity.fill('0');
    await settled();
    const points = [await part(0.15), await part(0.65)];
    await opacity.fill('1');
    await settled();
    const photo = [await part(0.15), await part(0.65)];
    await button(page, 'Photo up to a line, points behind it').click();
    await settled();
    expect((await part(0.15)).equals(photo[0]!)).toBe(true);
    expect((await part(0.65)).equals(points[1]!)).toBe(true);
    const line = (await page.locator('.wipe-line').boundingBox())!;
    const frame = (await page.locator('.overlay-photo').boundingBox())!;
    await page.mouse.move(line.x + line.width / 2, line.y + 40);
    await page.mouse.down();
    await page.mouse.move(frame.x + 0.9 * frame.width, line.y + 40, { steps: 4 });
    await page.mouse.up();
    await settled();
    expect((await part(0.65)).equals(photo[1]!)).toBe(true);
    await page.locator('.wipe-line').focus();
    await page.keyboard.press('Home');
    await settled();
    expect((await part(0.15)).equals(points[0]!)).toBe(true);
    await button(page, 'Photo up to a line, points behind it').click();
    await page.keyboard.press('Escape');
    await page.locator('.overlay-photo').waitFor({ state: 'detached' });
  });

  it('is saved as a picture four times as large, and stands as it was', async () => {
    const { page } = studio;
    await settled();
    const box = (await canvas().boundingBox())!;
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Large').click()]);
    const { width, height } = await sharp(readFileSync(await download.path())).metadata();
    expect([width, height]).toEqual([4 * Math.round(box.width), 4 * Math.round(box.height)]);
    await settled();
    expect((await pictureOf(canvas())).covered).toBeGreaterThan(0.05);
  });

  it('turns once in a video that plays; a stopped one leaves no file, and the view where it was', async () => {
    const { page } = studio;
    let downloads = 0;
    page.on('download', () => downloads++);
    await settled();
    const before = await picture();
    await button(page, 'Video of one turn').click();
    await button(page, /^Stop, [1-9]\d* of 300 frames/).waitFor();
    await page.waitForTimeout(500);
    await button(page, /^Stop, /).click();
    await button(page, 'Video of one turn').waitFor();
    expect(downloads).toBe(0);
    await settled();
    expect(await differenceOf(before, await picture())).toBeLessThan(1);
    // 300 frames are drawn and encoded: of a small view, in a third of the time.
    await page.setViewportSize({ width: 800, height: 520 });
    const [download] = await Promise.all([
      page.waitForEvent('download', { timeout: 400_000 }),
      button(page, 'Video of one turn').click(),
    ]);
    const input = new Input({
      source: new BufferSource(readFileSync(await download.path())),
      formats: ALL_FORMATS,
    });
    expect(await input.computeDuration()).toBeCloseTo(10, 1);
    const track = (await input.getPrimaryVideoTrack())!;
    const box = (await canvas().boundingBox())!;
    expect(Math.abs(track.codedWidth - box.width)).toBeLessThanOrEqual(16);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('had nothing to complain about', () => {
    expect(studio.complaints).toEqual([]);
  });
});

/** Mean of what two pictures of one size differ by, of 255. */
async function differenceOf(a: Buffer, b: Buffer): Promise<number> {
  const [first, second] = await Promise.all([a, b].map((png) => sharp(png).removeAlpha().raw().toBuffer()));
  let sum = 0;
  for (let k = 0; k < first!.length; k++) sum += Math.abs(first![k]! - second![k]!);
  return sum / first!.length;
}

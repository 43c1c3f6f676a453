/** The 3D view alone, over a cloud and cameras made in code. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCloud } from '../../electron/contract/cloud.js';
import { serveViewerPage } from '../renderer/viewer/page/serve.js';
import { ringOfCameras, syntheticCloud } from '../renderer/viewer/synthetic.js';
import { chromiumPath, pictureOf } from './studio.js';

describe.skipIf(!chromiumPath)('the 3D view', () => {
  const cameras = ringOfCameras(8);
  const folder = mkdtempSync(join(tmpdir(), 'viewer-page-'));
  let server: Awaited<ReturnType<typeof serveViewerPage>>;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    const cloud = encodeCloud(syntheticCloud(200_000));
    const photo = await sharp({ create: { width: 120, height: 80, channels: 3, background: '#c04080' } })
      .jpeg()
      .toBuffer();
    server = await serveViewerPage(folder, (name) => (name.startsWith('cloud/') ? cloud : photo));
    browser = await chromium.launch({
      executablePath: chromiumPath!,
      args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
    });
    page = await browser.newPage({ viewport: { width: 900, height: 600 } });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(server.address);
    await load(1);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function load(revision: number, part = '0'): Promise<void> {
    await page.evaluate(([url, list, part]) => window.page.load(url, list, part), [
      `/binary/cloud/${revision}/${part}`,
      cameras,
      part,
    ] as const);
    await complete();
  }
  /** Until the picture stands still. */
  async function complete(): Promise<void> {
    await page.waitForTimeout(300);
    await page.waitForFunction(
      () => window.page.statistics.total === 200_000 && window.page.statistics.displayed === 200_000,
      undefined,
      { timeout: 60_000 },
    );
    await page.waitForTimeout(300);
  }
  const canvas = () => page.locator('canvas');
  const picture = async (): Promise<Buffer> =>
    sharp(await canvas().screenshot())
      .removeAlpha()
      .raw()
      .toBuffer();
  /** Share of the pixels that are clearly different. */
  const difference = (a: Buffer, b: Buffer): number => {
    let different = 0;
    for (let k = 0; k < a.length; k += 3)
      if (Math.abs(a[k]! - b[k]!) + Math.abs(a[k + 1]! - b[k + 1]!) + Math.abs(a[k + 2]! - b[k + 2]!) > 30) different++;
    return different / (a.length / 3);
  };

  it('draws the points', async () => {
    const { covered, colours } = await pictureOf(canvas());
    expect(covered).toBeGreaterThan(0.2);
    expect(colours).toBeGreaterThan(5);
  });

  it('names the camera under the pointer and selects it by a click', async () => {
    const label = page.locator('.viewer-label');
    const places = Array.from(
      { length: 20 * 14 },
      (_, k) => [200 + (k % 20) * 25, 250 + Math.floor(k / 20) * 25] as const,
    );
    for (const [x, y] of places) {
      await page.mouse.move(x, y);
      await page.waitForTimeout(40);
      if (!(await label.isVisible())) continue;
      // A slow picture may name what the pointer has left meanwhile.
      await page.waitForTimeout(300);
      if (await label.isVisible()) break;
    }
    const name = await label.innerText();
    expect(name).toMatch(/^photo-\d$/);
    await page.mouse.down();
    await page.mouse.up();
    await expect.poll(() => page.evaluate(() => window.page.selected)).toBe(name);
    await page.mouse.move(5, 5);
    await label.waitFor({ state: 'hidden' });
  });

  it('hides points below the threshold at once', async () => {
    await page.evaluate(() => window.page.set({ cameras: false }));
    const whole = (await pictureOf(canvas())).covered;
    // Of the synthetic cloud every confidence is below 5, and a tenth of them above 4.6.
    await page.evaluate(() => window.page.set({ minConfidence: 4.6 }));
    await complete();
    const few = (await pictureOf(canvas())).covered;
    expect(few).toBeLessThan(whole * 0.6);
    expect(few).toBeGreaterThan(0);
    await page.evaluate(() => window.page.set({ minConfidence: 5 }));
    await complete();
    expect((await pictureOf(canvas())).covered).toBe(0);
    await page.evaluate(() => window.page.set({ minConfidence: 1 }));
    await complete();
    expect((await pictureOf(canvas())).covered).toBeCloseTo(whole, 2);
  });

  it('turns by hand and by key, and stays where it was when the next cloud comes', async () => {
    const before = await picture();
    await page.mouse.move(450, 300);
    await page.mouse.down();
    for (let k = 0; k < 8; k++) await page.mouse.move(450 + 10 * k, 300);
    await page.mouse.up();
    await complete();
    const dragged = await picture();
    expect(difference(before, dragged)).toBeGreaterThan(0.05);
    await canvas().focus();
    await page.keyboard.press('ArrowUp');
    await page.waitForTimeout(1500);
    await complete();
    const turned = await picture();
    expect(difference(dragged, turned)).toBeGreaterThan(0.05);
    await load(2);
    expect(difference(await picture(), turned)).toBeLessThan(0.01);
    // Another part is another place, and is framed as the first cloud was.
    await load(2, '1');
    expect(difference(await picture(), turned)).toBeGreaterThan(0.05);
  });

  it('looks through a camera, with its photo over all that the camera sees, and leaves it with Escape', async () => {
    await page.evaluate(() => window.page.set({ lookThrough: 'photo-3', overlayOpacity: 1 }));
    await complete();
    // 900 by 600 is the shape of the photo: it fills the view.
    const { data } = await sharp(await canvas().screenshot())
      .removeAlpha()
      .resize(30, 20)
      .raw()
      .toBuffer({ resolveWithObject: true });
    const off = Array.from(
      { length: 600 },
      (_, k) => Math.abs(data[k * 3]! - 0xc0) + Math.abs(data[k * 3 + 1]! - 0x40) + Math.abs(data[k * 3 + 2]! - 0x80),
    );
    expect(Math.max(...off)).toBeLessThan(60);
    await page.keyboard.press('Escape');
    await page.locator('.overlay-photo').waitFor({ state: 'detached' });
  });

  it('gives its picture as a PNG of every point', async () => {
    const bytes = await page.evaluate(async () => [
      ...new Uint8Array(await (await window.page.handle!.screenshot()).arrayBuffer()),
    ]);
    const png = sharp(Buffer.from(bytes));
    expect(await png.metadata()).toMatchObject({ format: 'png', width: 900, height: 600 });
    expect((await png.stats()).entropy).toBeGreaterThan(1);
  });

  it('had nothing to complain about', () => expect(complaints).toEqual([]));
});

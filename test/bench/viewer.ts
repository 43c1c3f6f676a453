/**
 * How long the 3D view holds up the interface while it loads, shows and turns a cloud, and what memory it takes.
 *
 *   npm run bench:viewer -- [points, 10000000 if left out]
 *
 * In headless Chromium with its software renderer, so frame rates say little about a machine with a GPU; how long the
 * interface is held up and what memory the page takes say the same as there.
 *
 * One run of 10 million points (240 MB), two cores under a load of 15 from other work: longest task 18 ms of processor
 * time while loading and 14 while a second revision replaced the first (58 and 128 ms by the clock; timers were up to
 * 232 ms late). Joining all pieces at once took 144 (350 by the clock). The page's process had 762 MB at most, with
 * both revisions in it.
 */
import { readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { encodeCloud } from '../../electron/contract/cloud.js';
import { serveViewerPage } from '../renderer/viewer/page/serve.js';
import { ringOfCameras, syntheticCloud } from '../renderer/viewer/synthetic.js';
import { longestTasks } from './trace.js';

const points = Number(process.argv[2] ?? 10_000_000);
const cloud = encodeCloud(syntheticCloud(points));
const cameras = ringOfCameras(20);
const folder = mkdtempSync(join(tmpdir(), 'viewer-bench-'));
const server = await serveViewerPage(folder, (name) => (name.startsWith('cloud/') ? cloud : undefined));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(server.address);
  console.log(`${(cloud.length / 1e6).toFixed(0)} MB, ${points} points`);

  await measure(page, 'join the pieces at once (rejected)', async () => {
    await page.evaluate(async () => (await (await fetch('/binary/cloud/0/0')).arrayBuffer()).byteLength);
  });
  await measure(page, 'load', () => page.evaluate((list) => window.page.load('/binary/cloud/1/0', list), cameras));
  await measure(page, 'show all', () => complete(page));
  await measure(page, 'turn for 4 s', () => turn(page, 4000));
  await measure(page, 'fill in at rest', () => complete(page));
  await measure(page, 'move the confidence threshold', async () => {
    await page.evaluate(() => window.page.set({ minConfidence: 2.5 }));
    await page.waitForTimeout(50);
    await complete(page);
  });
  await measure(page, 'a new revision', async () => {
    await page.evaluate((list) => window.page.load('/binary/cloud/2/0', list), cameras);
    await page.waitForTimeout(50);
    await complete(page);
  });
  await memory(browser);
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

async function complete(page: Page): Promise<void> {
  await page.waitForFunction(
    () => window.page.statistics.total > 0 && window.page.statistics.displayed === window.page.statistics.total,
    undefined,
    { timeout: 300_000, polling: 100 },
  );
}

async function turn(page: Page, milliseconds: number): Promise<void> {
  await page.mouse.move(640, 400);
  await page.mouse.down();
  const until = performance.now() + milliseconds;
  for (let k = 0; performance.now() < until; k++)
    await page.mouse.move(640 + 200 * Math.sin(k / 20), 400 + 40 * Math.cos(k / 20));
  const { displayed } = await page.evaluate(() => window.page.statistics);
  console.log(`${displayed} points a frame while turning`);
  await page.mouse.up();
}

async function measure(page: Page, title: string, step: () => Promise<unknown>): Promise<void> {
  await page.waitForTimeout(300);
  await page.evaluate(() => {
    window.page.silences.length = 0;
  });
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  const started = performance.now();
  await step();
  const seconds = (performance.now() - started) / 1000;
  const silence = await page.evaluate(() => Math.max(0, ...window.page.silences));
  const { wall, processor } = longestTasks(await browser.stopTracing());
  console.log(
    `${title.padEnd(36)} ${seconds.toFixed(2).padStart(7)} s   longest task ${wall} ms (${processor} ms of processor time)   longest silence ${Math.round(silence)} ms`,
  );
}

/** Resident memory of the page's process, and of the one that stands for the GPU. */
async function memory(running: Browser): Promise<void> {
  const session = await running.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  for (const { type, id } of processInfo) {
    const status = readFileSync(`/proc/${id}/status`, 'utf8');
    const read = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
    if (/renderer|GPU/.test(type))
      console.log(
        `${type}: ${read('VmRSS').toFixed(0)} MB now (${read('RssAnon').toFixed(0)} its own), ${read('VmHWM').toFixed(0)} MB at most`,
      );
  }
}

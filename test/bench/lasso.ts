/**
 * From a lasso's end to the bytes of its stored mask among many points, in a real browser; drawing is not counted.
 *
 *   node --import tsx test/bench/lasso.ts [points, 10000000 if left out]
 *
 * test/bench/selection.ts measures the same functions in Node, and storing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { encodeCloud } from '../../electron/contract/cloud.js';
import { Project } from '../../electron/project/project.js';
import { serveViewerPage } from '../renderer/viewer/page/serve.js';
import { ringOfCameras, syntheticCloud } from '../renderer/viewer/synthetic.js';

const ROUNDS = 5;
const count = Number(process.argv[2] ?? 10_000_000);
const cameras = ringOfCameras(20);
const perPhoto = Math.ceil(count / cameras.length);
const [width, height] = [Math.ceil(Math.sqrt(perPhoto * 1.5)), Math.ceil(Math.sqrt(perPhoto / 1.5)) + 1];
const map = { width, height, originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 } };
const pixel = Uint32Array.from({ length: count }, (_, k) => Math.floor(k / cameras.length));
const cloud = encodeCloud(
  { ...syntheticCloud(count), pixel },
  cameras.map(() => map),
);
const folder = mkdtempSync(join(tmpdir(), 'lasso-bench-'));
const server = await serveViewerPage(folder, (name) => (name.startsWith('cloud/') ? cloud : undefined));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
});
const project = Project.open(join(folder, 'bench.pointmap'), 'create');
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(server.address);
  await page.evaluate((list) => window.page.load('/binary/cloud/1/0', list), cameras);
  await page.waitForFunction(() => window.page.handle?.editing !== undefined && window.page.statistics.total > 0);
  for (let round = 0; round < ROUNDS; round++) {
    // The software renderer takes every processor while it draws; a person's lasso begins in a picture that stands still.
    await page.waitForFunction(() => window.page.statistics.displayed === window.page.statistics.total, undefined, {
      timeout: 300_000,
    });
    const { selected, milliseconds, text } = await page.evaluate(() => window.page.lasso());
    const before = performance.now();
    project.putMask(new Uint8Array(Buffer.from(text, 'base64')));
    const all = { ...milliseconds, store: performance.now() - before };
    const sum = Object.values(all).reduce((total, each) => total + each, 0);
    const parts = Object.entries(all).map(([name, value]) => `${name} ${value.toFixed(0)}`);
    console.log(`${selected} of ${count} points: ${sum.toFixed(0)} ms (target 300): ${parts.join(', ')}`);
  }
} finally {
  await browser.close();
  await server.close();
  project.close();
  rmSync(folder, { recursive: true, force: true });
}

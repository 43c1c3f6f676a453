/**
 * A project of hundreds of photos in the studio, in a real browser: `node --import tsx test/bench/many.ts [photos, 500 if
 * left out]`. The project is written as a run would leave it, with many pairs, cameras and a small cloud; printed is the
 * longest task of the page while list, strip, graph and matrix are scrolled, hovered, zoomed and selected in, in
 * milliseconds of processor time: other programs share the machine.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { openStudio, shown, tab } from '../e2e/studio.js';
import type { CameraInfo } from '../../electron/contract/api.js';
import type { StoredView } from '../../electron/project/alignments.js';
import { Project } from '../../electron/project/project.js';
import { longestTasks } from './trace.js';

const count = Number(process.argv[2] ?? 500);
/** Each photo is paired with so many after it. */
const NEIGHBOURS = 12;
/** Pixels of a depth map's sides. */
const [WIDTH, HEIGHT] = [16, 12];
const PHOTO = { width: 4000, height: 3000 };
const TARGET = 50;

execFileSync(process.execPath, ['build/build.mjs', '--if-needed'], { stdio: 'inherit' });
const studio = await openStudio();
const { page } = studio;
try {
  const path = join(studio.folder, 'many.pointmap');
  await write(path);
  await page.keyboard.press('Control+o');
  const dialog = page.getByRole('dialog', { name: 'Open project' });
  await dialog.getByLabel('Folder', { exact: true }).fill(studio.folder);
  await dialog.getByRole('button', { name: 'Go' }).click();
  await dialog.getByRole('button', { name: /^many\.pointmap/ }).click();
  await dialog.getByRole('button', { name: 'Open', exact: true }).click();
  await page.locator('.photo-row').nth(3).waitFor();
  await shown(page);
  await measureLists(page);
  await measureGraph(page);
  await measureMatrix(page);
} finally {
  await studio.close();
}

async function measureLists(page: Page): Promise<void> {
  const list = page.locator('.photo-scroll');
  await measured(page, 'list: scrolling', () => wheel(page, '.photo-scroll', 400, 40));
  await measured(page, 'list: hovering', () => hover(page, '.photo-scroll'));
  await list.focus();
  await measured(page, 'list: selecting by keys', () =>
    keys(page, ['Home', 'ArrowDown', 'ArrowDown', 'End', 'ArrowUp']),
  );
  await measured(page, 'list: selecting all', () => keys(page, ['Control+a']));
  await measured(page, 'list: one again', () => keys(page, ['Home']));
  await tab(page, 'Photo strip').click();
  await page.locator('.strip-photo').first().waitFor();
  await measured(page, 'strip: scrolling', () => wheel(page, '.strip-scroll', 300, 40));
  await measured(page, 'strip: selecting', () => page.locator('.strip-photo').nth(5).click());
}

async function measureGraph(page: Page): Promise<void> {
  await measured(page, 'graph: opening', async () => {
    await tab(page, 'Pose graph').click();
    await page.locator('canvas.crowd').waitFor();
    await page.waitForTimeout(500);
  });
  await measured(page, 'graph: hovering', () => hover(page, '.crowd'));
  await measured(page, 'graph: zooming', () => wheel(page, '.crowd', -120, 20));
  await measured(page, 'graph: hovering near', () => hover(page, '.crowd'));
  await measured(page, 'graph: moving by hand', async () => {
    await page.mouse.down();
    await hover(page, '.crowd');
    await page.mouse.up();
  });
  await measured(page, 'graph: clicking', async () => {
    const box = (await page.locator('.crowd').boundingBox())!;
    for (let k = 1; k < 8; k++) await page.mouse.click(box.x + (box.width * k) / 8, box.y + box.height / 2);
  });
}

async function measureMatrix(page: Page): Promise<void> {
  await measured(page, 'matrix: opening', async () => {
    await tab(page, 'Pair matrix').click();
    await page.locator('.matrix-scroll canvas').waitFor();
    await page.waitForTimeout(500);
  });
  await measured(page, 'matrix: hovering', () => hover(page, '.matrix-scroll'));
  await measured(page, 'matrix: scrolling', () => wheel(page, '.matrix-scroll', 200, 30));
  await page.locator('.matrix-scroll').focus();
  await measured(page, 'matrix: keys', () => keys(page, ['ArrowDown', 'ArrowDown', 'ArrowRight', '+', '-', '-', '-']));
  await measured(page, 'matrix: selecting', () =>
    page.locator('.matrix-scroll').click({ position: { x: 120, y: 100 } }),
  );
}

async function measured(page: Page, what: string, action: () => Promise<unknown>): Promise<void> {
  await page.waitForTimeout(600);
  await studio.browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await action();
  await page.waitForTimeout(600);
  const { wall, processor } = longestTasks(await studio.browser.stopTracing());
  console.log(`${what}: longest task ${processor} ms (target ${TARGET}; ${wall} on the clock)`);
}

async function wheel(page: Page, selector: string, by: number, times: number): Promise<void> {
  await page.locator(selector).hover();
  for (let k = 0; k < times; k++) {
    await page.mouse.wheel(0, by);
    await page.waitForTimeout(30);
  }
}

async function hover(page: Page, selector: string): Promise<void> {
  const box = (await page.locator(selector).boundingBox())!;
  for (let k = 0; k < 60; k++) {
    const along = k / 60;
    await page.mouse.move(box.x + box.width * along, box.y + box.height * (0.5 + 0.4 * Math.sin(9 * along)));
    await page.waitForTimeout(16);
  }
}

async function keys(page: Page, list: readonly string[]): Promise<void> {
  for (const key of list) {
    await page.keyboard.press(key);
    await page.waitForTimeout(100);
  }
}

/** A walk round a block, as a run would leave it. */
async function write(path: string): Promise<void> {
  const project = Project.open(path, 'create');
  const thumbnail = await sharp({
    create: {
      width: 320,
      height: 240,
      channels: 3,
      noise: { type: 'gaussian', mean: 120, sigma: 40 },
      background: '#777',
    },
  })
    .jpeg()
    .toBuffer();
  const ids = Array.from({ length: count }, (_, k) => `photo-${k}`);
  project.addPhotos(
    ids.map((id, k) => ({
      photo: {
        ...{ id, path: `/photos/${id}.jpg`, name: `${id}.jpg`, ...PHOTO, size: 4e6, sharpness: 0.5 + (k % 7) / 20 },
        focal: { pixels: 3200, source: 'exif-35mm' },
      },
      thumbnail,
    })),
  );
  const pairs = ids.flatMap((a, k) => ids.slice(k + 1, k + 1 + NEIGHBOURS).map((b) => ({ a, b })));
  project.planPairs(pairs);
  project.updatePairs(
    pairs.map(({ a, b }, k) => ({
      a,
      b,
      state: 'observed',
      confidence: 2 + (k % 5),
      residual: (k % 40) / 1000,
      parallax: 4,
    })),
  );
  const cameras = ids.map((id, k) => cameraOf(id, k));
  await project.putAlignment({
    ...{ key: 'bench', decisions: '', unplaced: [], viewResidual: {}, warnings: [], objective: 0, iterations: 1 },
    ...{ estimator: 'geometric', provider: 'cpu', pairs: pairs.length, seconds: {} },
    components: [{ cameras, views: cameras.map(viewOf) }],
  });
  project.close();
}

function cameraOf(photo: string, k: number): CameraInfo {
  const angle = (2 * Math.PI * k) / count;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return {
    ...{ photo, name: `${photo}.jpg`, component: 0, ...PHOTO, fx: 3200, fy: 3200, cx: 1999.5, cy: 1499.5, k1: 0 },
    focalSource: 'calibrated',
    // Looks outwards from a round.
    worldFromCamera: [c, 0, s, 20 * s, 0, 1, 0, 0, -s, 0, c, 20 * c, 0, 0, 0, 1],
  };
}

function viewOf({ photo }: CameraInfo): StoredView {
  const pixels = WIDTH * HEIGHT;
  return {
    ...{ photo, width: WIDTH, height: HEIGHT, focal: 12.8, centreX: WIDTH / 2, centreY: HEIGHT / 2 },
    originalFromView: { scaleX: 250, scaleY: 250, offsetX: 124.5, offsetY: 124.5 },
    depth: new Float32Array(pixels).fill(5),
    confidence: new Float32Array(pixels).fill(6),
    pixels: new Uint8Array(3 * pixels).fill(150),
  };
}

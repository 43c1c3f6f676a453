import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program, RedisServer, hasRedis } from '../fixtures/farm.js';
import { configOf, randomTensor, tensorShapes, tiny, writeSafetensors } from '../native-models/random-network.js';
import { button, chromiumPath, openStudio, step, type Studio } from './studio.js';

/** Networks from the studio: what they are, whose, under which licence; and who computes, where a queue is named. */
describe.skipIf(!chromiumPath)('the networks', () => {
  let studio: Studio;
  beforeAll(async () => {
    // Nobody answers there, and a network's publisher is not asked.
    studio = await openStudio({ environment: { POINTMAP_QUEUE: 'redis://127.0.0.1:1', POINTMAP_STORE: '/nowhere' } });
    await button(studio.page, /^Courtyard/).click();
    await studio.page.locator('.photo-row').nth(9).waitFor();
    await step(studio.page, 'Solve').click();
  });
  afterAll(() => studio?.close());

  it('are listed with publisher, licence and use, and fetched only once the licence is accepted', async () => {
    const { page } = studio;
    await button(page, 'Networks…').click();
    const dialog = page.getByRole('dialog', { name: 'Networks' });
    const base = dialog.locator('.network', { hasText: 'Depth Anything 3 Base' });
    await expect.poll(() => base.innerText()).toMatch(/not installed[\s\S]*depth-anything · Apache-2\.0 · 480 MB/);
    await dialog.locator('.network', { hasText: 'Not for paid work' }).first().waitFor();
    await base.getByRole('button', { name: 'Get…' }).click();
    await base.getByText('https://www.apache.org/licenses/LICENSE-2.0').waitFor();
    await base.getByRole('button', { name: 'Accept the licence and get it' }).waitFor();
    await base.getByRole('button', { name: 'Cancel' }).click();
  });

  it('are installed from a file; one that is none is refused in one line', async () => {
    const { page, folder } = studio;
    const path = join(folder, 'no network.onnx');
    writeFileSync(path, 'no network at all');
    await button(page, 'Install from a file…').click();
    const files = page.getByRole('dialog', { name: 'Checkpoint or graph of a network' });
    await files.getByLabel('Folder', { exact: true }).fill(folder);
    await files.getByRole('button', { name: 'Go' }).click();
    await files.getByText('no network.onnx').click();
    await files.getByRole('button', { name: 'Choose this file' }).click();
    await page
      .getByRole('dialog', { name: 'Networks' })
      .getByRole('alert')
      .filter({ hasText: 'no network.onnx' })
      .waitFor();
    await button(page, 'Done').click();
  });

  it('say who computes for the queue, or why nobody is known', async () => {
    const { page } = studio;
    await page.getByText('Workers on other machines').click();
    await page.locator('details', { hasText: 'Workers on other machines' }).locator('.bad').waitFor();
  });
});

describe.skipIf(!chromiumPath)('a network that is fetched', () => {
  const config = JSON.stringify({ ...configOf(tiny), img_size: [128, 128] });
  const ranges: (string | undefined)[] = [];
  let studio: Studio;
  let folder: string;
  let server: Server;
  /** A publisher who sends half of the weights, and the rest to whoever asks for the rest. */
  const publish = (weights: Buffer): Server =>
    createServer((request, response) => {
      const path = request.url!;
      const oid = createHash('sha256').update(weights).digest('hex');
      const listing = [
        { path: 'config.json', size: config.length },
        { path: 'model.safetensors', size: 130, lfs: { oid, size: weights.length } },
      ];
      if (path.startsWith('/api/')) return void response.end(JSON.stringify(listing));
      if (path.endsWith('config.json')) return void response.end(config);
      const { range } = request.headers;
      ranges.push(range);
      const start = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
      response.writeHead(start ? 206 : 200, {
        'content-length': weights.length - start,
        ...(start ? { 'content-range': `bytes ${start}-${weights.length - 1}/${weights.length}` } : {}),
      });
      if (start) response.end(weights.subarray(start));
      else response.write(weights.subarray(0, weights.length >> 1));
    });
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-e2e-publisher-'));
    const path = join(folder, 'tiny.safetensors');
    await writeSafetensors(path, tensorShapes(tiny), (name, shape, index) => randomTensor(name, shape, index + 1));
    server = publish(readFileSync(path)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    studio = await openStudio({ environment: { HF_ENDPOINT: `http://127.0.0.1:${port}` } });
    await button(studio.page, /^Courtyard/).click();
    await step(studio.page, 'Solve').click();
  });
  afterAll(async () => {
    await studio?.close();
    server?.closeAllConnections();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is stopped, goes on where it was, may then be chosen for a run, and is removed', async () => {
    const { page } = studio;
    await button(page, 'Networks…').click();
    const dialog = page.getByRole('dialog', { name: 'Networks' });
    const network = dialog.locator('.network', { hasText: 'DUSt3R ViT-L 512 DPT' });
    const get = async (): Promise<void> => {
      await network.getByRole('button', { name: 'Get…' }).click();
      await network.getByRole('button', { name: 'Accept the licence and get it' }).click();
    };
    await get();
    await dialog.getByText('dust3r-512-dpt: fetching model.safetensors').waitFor();
    const share = async (): Promise<number> =>
      Number(await dialog.getByRole('progressbar').getAttribute('aria-valuenow'));
    await expect.poll(share).toBeCloseTo(0.5, 3);
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await dialog.getByRole('alert').filter({ hasText: 'what has come is kept' }).waitFor();
    await get();
    await network.getByText('installed', { exact: true }).waitFor();
    expect(ranges).toHaveLength(2);
    expect(ranges[1]).toMatch(/^bytes=[1-9]/);
    const choice = page.locator('option[value="dust3r-512-dpt"]');
    expect(await choice.isEnabled()).toBe(true);
    await network.getByRole('button', { name: 'Remove' }).click();
    await network.getByText('not installed').waitFor();
    await expect.poll(() => choice.isEnabled()).toBe(false);
    expect(studio.complaints).toEqual([]);
  });
});

describe.skipIf(!chromiumPath || !hasRedis)('the workers of a queue', () => {
  let studio: Studio;
  let server: RedisServer;
  let worker: Program;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-e2e-queue-'));
    server = await RedisServer.start(join(folder, 'redis'));
    const environment = { POINTMAP_QUEUE: server.url, POINTMAP_STORE: join(folder, 'store') };
    worker = new Program(['worker', '--threads', '1'], environment);
    studio = await openStudio({ environment });
    await button(studio.page, /^Courtyard/).click();
    await step(studio.page, 'Solve').click();
  });
  afterAll(async () => {
    await studio?.close();
    await worker?.stop();
    await server?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are listed with how much they do, and leave the list when they end', async () => {
    const { page } = studio;
    const list = page.locator('details', { hasText: 'Workers on other machines' });
    await list.locator('summary').click();
    await list.getByText(`${hostname()} ${worker.pid}`).waitFor();
    await list.getByText('0 of 1 jobs at once, 0 done, 0 failed').waitFor();
    await worker.stop('SIGTERM');
    await list.getByText('No worker answers; start one with: pointmap worker').waitFor();
  });
});

describe.skipIf(!chromiumPath)('under a finger', () => {
  let studio: Studio;
  beforeAll(async () => {
    studio = await openStudio();
  });
  afterAll(() => studio?.close());

  it('what is touched is 40 pixels high, and nothing leaves the window for it', async () => {
    const { page, context } = studio;
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setTouchEmulationEnabled', { enabled: true });
    await page.waitForFunction(() => matchMedia('(pointer: coarse)').matches);
    await button(page, /^Courtyard/).click();
    for (const name of ['Photos', 'Solve', 'Clean', 'Surface', 'Export']) {
      await step(page, name).click();
      const low = await page.evaluate(() =>
        [...document.querySelectorAll('button, select, summary, input.input')]
          .filter((control) => control.checkVisibility())
          .filter((control) => control.getBoundingClientRect().height < 39.5)
          .map((control) => `${control.className}: ${control.getAttribute('aria-label') ?? control.textContent}`),
      );
      expect(low, name).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    }
    // Bars are as high as what they hold.
    const outside = await page.evaluate(() =>
      ['.top-bar', '.status-bar', '.drawer-head'].flatMap((bar) => {
        const around = document.querySelector(bar)!.getBoundingClientRect();
        return [...document.querySelectorAll(`${bar} button`)]
          .map((control) => ({ control, at: control.getBoundingClientRect() }))
          .filter(({ at }) => at.height > 0 && (at.top < around.top || at.bottom > around.bottom))
          .map(({ control }) => `${bar}: ${control.textContent}`);
      }),
    );
    expect(outside).toEqual([]);
  });
});

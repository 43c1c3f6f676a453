/**
 * The desktop without Electron's binary: the real main process, preload script and engine process, and the built
 * renderer in Chromium. What Electron does between them is played: its protocol by the browser's request interception,
 * its messages by calls.
 */
import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { forkEngine } from '../../electron/engine-process/fork.js';
import * as electron from '../fixtures/electron-stand-in.js';
import { roomPhotos } from '../fixtures/room-estimator.js';
import { button, chromiumPath } from './studio.js';

vi.mock('electron', () => electron);

/** A secure origin, as the studio's own is. */
const PLAYED = 'https://studio.test';
const preload = fileURLToPath(new URL('../../dist/electron/preload.cjs', import.meta.url));

/** Electron's side of the preload script: `require('electron')` in the page. */
const sandbox = (source: string): string => `(() => {
  const listeners = new Map();
  window.__deliver = ([channel, ...words]) => (listeners.get(channel) ?? []).forEach((listener) => listener({}, ...words));
  const played = {
    contextBridge: { exposeInMainWorld: (name, value) => { window[name] = value; } },
    ipcRenderer: {
      invoke: (...words) => window.__invoke(words),
      on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
      off: (channel, listener) => listeners.set(channel, listeners.get(channel).filter((each) => each !== listener)),
    },
    webUtils: { getPathForFile: (file) => '/dropped/' + file.name },
  };
  ((require) => { ${source.replaceAll('pointmap://studio', PLAYED)} })(() => played);
})()`;

describe.skipIf(!chromiumPath)('the desktop', () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  const engines: { kill(): void }[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-desktop-'));
    vi.stubEnv('POINTMAP_DATA', folder);
    // A real engine process in the place of the utility process.
    electron.utilityProcess.fork = () => {
      const channel = forkEngine({ dataFolder: folder, desktop: true });
      const child = Object.assign(new EventEmitter(), {
        postMessage: channel.send,
        kill: () => {
          channel.kill();
          return true;
        },
      });
      channel.onMessage((message) => child.emit('message', message));
      channel.onExit(() => child.emit('exit', 1));
      engines.push(channel);
      return child as unknown as electron.UtilityChild;
    };
    await import('../../electron/main.js');
    await vi.waitFor(() => expect(electron.BrowserWindow.windows).toHaveLength(1));
    const [window] = electron.BrowserWindow.windows;

    browser = await chromium.launch({
      executablePath: chromiumPath!,
      args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
    });
    page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.route(`${PLAYED}/**`, async (route) => {
      const response = await electron.protocols.get('pointmap')!({
        url: route.request().url().replace(PLAYED, 'pointmap://studio'),
        method: route.request().method(),
      });
      await route.fulfill({
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(await response.arrayBuffer()),
      });
    });
    await page.exposeFunction('__invoke', ([channel, ...words]: [string, ...unknown[]]) =>
      electron.handlers.get(channel)!(
        { sender: window!.webContents, senderFrame: window!.webContents.mainFrame },
        ...words,
      ),
    );
    window!.webContents.send = (...words) =>
      void page
        .evaluate(
          (message) => (globalThis as unknown as { __deliver(message: unknown[]): void }).__deliver(message),
          words,
        )
        .catch(() => undefined);
    await page.addInitScript(sandbox(readFileSync(preload, 'utf8')));
    await page.goto(`${PLAYED}/index.html`);
  });
  afterAll(async () => {
    await browser?.close();
    electron.app.quit();
    await vi.waitFor(() => expect(electron.app.quits).toBe(1), 10_000);
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  const menuItem = (id: string): { click(): void } =>
    (electron.menu.template as { submenu: { id?: string; click(): void }[] }[])
      .flatMap(({ submenu }) => submenu)
      .find((item) => item.id === id)!;
  const rows = () => page.locator('.photo-row');
  const thumbnailsShown = (): Promise<void> =>
    expect
      .poll(() =>
        page
          .locator('.photo-row img')
          .evaluateAll((images) => images.every((image) => (image as HTMLImageElement).naturalWidth > 0)),
      )
      .toBe(true);

  it('opens on the start page, over an engine of its own', async () => {
    await page.getByRole('heading', { name: 'Pointmap Studio' }).waitFor();
    expect((await page.evaluate(() => window.pointmap!.request('app.info', {}))).desktop).toBe(true);
  });

  it('shows the thumbnails of a sample through its own protocol', async () => {
    await button(page, /^Courtyard/).click();
    await rows().nth(9).waitFor();
    await thumbnailsShown();
    expect(await page.locator('.photo-row img').first().getAttribute('src')).toContain(`${PLAYED}/binary/thumbnail/`);
  });

  it('hears the native menu, and adds what was chosen in the native dialog', async () => {
    menuItem('help.palette').click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    electron.chosen.filePaths = [join(await roomPhotos(folder, 1), '0.png')];
    menuItem('photos.add').click();
    await expect
      .poll(() => page.evaluate(async () => (await window.pointmap!.request('project.state', {}))!.photos.length))
      .toBe(11);
    // The list draws only the rows in sight, and names without their endings.
    await page.getByRole('listbox', { name: 'Photos' }).evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await rows().getByText('0', { exact: true }).waitFor();
    // The engine ends next: what it still owed would be a failed request.
    await thumbnailsShown();
  });

  it('goes on after its engine was killed', async () => {
    engines[0]!.kill();
    await page
      .getByText(/was started again/)
      .first()
      .waitFor();
    expect(engines).toHaveLength(2);
    expect((await page.evaluate(() => window.pointmap!.request('project.state', {})))!.photos).toHaveLength(11);
  });

  it('did all this under its own Content-Security-Policy, without a complaint', () => {
    expect(complaints).toEqual([]);
  });
});

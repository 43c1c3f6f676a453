/**
 * The real desktop, wherever its binary is: `npm start` fetches it, or POINTMAP_ELECTRON names one, also an older one: that
 * gets the main process as CommonJS, and the engine runs in this Node. Elsewhere this says that it was skipped.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureBuilt } from '../../build/build.mjs';
import { bundle } from '../../build/electron.mjs';
import { electronFiles } from '../../build/electron-files.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = electronFiles();
const given = process.env.POINTMAP_ELECTRON;
const program = given ?? files.program;
const isRoot = process.platform === 'linux' && process.getuid!() === 0;
const reason = whySkipped();

function whySkipped(): string | undefined {
  if (!existsSync(program)) return 'its binary is not here ("npm start" fetches it)';
  if (!given && !existsSync(files.sqlite)) return 'SQLite built for it is not here ("npm start" fetches it)';
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return 'there is no screen';
  return isRoot && !given ? 'its sandbox does not work for root' : undefined;
}

/** The program as an older Electron takes it: the main process bundled as CommonJS, all else as it is built. */
async function olderProgram(folder: string): Promise<string> {
  const electron = join(folder, 'dist', 'electron');
  mkdirSync(electron, { recursive: true });
  for (const name of readdirSync(join(root, 'dist', 'electron')))
    symlinkSync(join(root, 'dist', 'electron', name), join(electron, name));
  for (const name of ['dist/renderer', 'resources', 'node_modules']) symlinkSync(join(root, name), join(folder, name));
  await bundle(electron, { main: 'electron/main.ts' }, 'cjs', 'cjs', 'node18');
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'pointmap-studio', version: '0.0.0', main: 'dist/electron/main.cjs' }),
  );
  return folder;
}
if (reason) console.warn(`skipped: the real Electron, ${reason}`);

describe.skipIf(reason !== undefined)('the real Electron', () => {
  let folder: string;
  let studio: ElectronApplication;
  let page: Page;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-electron-'));
    await ensureBuilt();
    const environment = Object.fromEntries(
      Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    studio = await _electron.launch({
      executablePath: program,
      args: [...(isRoot ? ['--no-sandbox'] : []), given ? await olderProgram(join(folder, 'program')) : root],
      env: {
        ...environment,
        ...(given ? { POINTMAP_NODE: process.execPath } : { POINTMAP_SQLITE: files.sqlite }),
        POINTMAP_DATA: join(folder, 'data'),
      },
    });
    page = await studio.firstWindow();
    await page.waitForLoadState();
  }, 120_000);
  afterAll(async () => {
    await studio?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('shows the start page over an engine that answers', async () => {
    expect(page.url()).toBe('pointmap://studio/index.html');
    await expect.poll(() => page.title()).toContain('Pointmap Studio');
    const info = await page.evaluate(() => window.pointmap!.request('app.info', {}));
    expect(info.desktop).toBe(true);
    const samples = await page.evaluate(() => window.pointmap!.request('app.samples', {}));
    expect(samples.length).toBeGreaterThan(0);
  });

  test('opens the sample photos and shows their thumbnails through its own protocol', { timeout: 60_000 }, async () => {
    const thumbnail = await page.evaluate(async () => {
      const [sample] = await window.pointmap!.request('app.samples', {});
      const { photos } = await window.pointmap!.request('project.openSample', { id: sample!.id });
      const response = await fetch(window.pointmap!.binaryUrl(`thumbnail/${photos[0]!.id}`));
      return { type: response.headers.get('content-type'), bytes: (await response.arrayBuffer()).byteLength };
    });
    expect(thumbnail.type).toBe('image/jpeg');
    expect(thumbnail.bytes).toBeGreaterThan(500);
  });

  test('keeps the page in its box', async () => {
    expect(
      await page.evaluate(() => ['require', 'process', 'module', 'global'].filter((name) => name in window)),
    ).toEqual([]);
    expect(await page.evaluate(() => window.open('https://example.com/'))).toBeNull();
    await page.evaluate(() => {
      location.href = 'https://example.com/';
    });
    expect(page.url()).toBe('pointmap://studio/index.html');
    expect(await page.evaluate(() => fetch('pointmap://studio/..%2fpackage.json').then(({ status }) => status))).toBe(
      404,
    );
    expect(
      await page.evaluate(() =>
        fetch('file:///etc/hostname').then(
          () => 'read',
          () => 'refused',
        ),
      ),
    ).toBe('refused');
  });

  // Given another Node, it is no process of Electron's, which would know it.
  test.skipIf(given)('survives the end of its engine', { timeout: 60_000 }, async () => {
    const stopped = page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          window.pointmap!.on('engine.stopped', ({ reason: why }) => resolve(why));
        }),
    );
    await studio.evaluate(({ app }) => {
      const engine = app
        .getAppMetrics()
        .find(({ name, serviceName }) => (serviceName ?? name ?? '').includes('engine'));
      process.kill(engine!.pid);
    });
    expect(await stopped).toContain('was started again');
    expect((await page.evaluate(() => window.pointmap!.request('project.state', {})))?.photos.length).toBeGreaterThan(
      0,
    );
  });
});

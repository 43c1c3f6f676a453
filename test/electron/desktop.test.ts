import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { commandIds, commands } from '../../electron/contract/commands.js';
import * as electron from '../fixtures/electron-stand-in.js';

// The same stand-in for every start of the program, which is loaded anew by each test.
vi.mock('electron', () => electron);
/** The built renderer may not be there: the page below is served in its place. */
vi.mock('../../electron/server/static.js', () => ({
  loadRenderer: () =>
    new Map([
      [
        '/index.html',
        { type: 'text/html; charset=utf-8', bytes: Buffer.from('<title>Pointmap Studio</title>'), immutable: false },
      ],
    ]),
}));

const settle = async (): Promise<void> => {
  for (let k = 0; k < 10; k++) await new Promise(setImmediate);
};
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-desktop-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const argv = process.argv;
beforeEach(() => {
  electron.reset();
  vi.resetModules();
  vi.stubEnv('POINTMAP_DATA', folder);
  process.argv = ['electron', 'main.js'];
});
afterEach(() => {
  vi.unstubAllEnvs();
  process.argv = argv;
});

async function started(): Promise<electron.BrowserWindow> {
  await import('../../electron/main.js');
  await settle();
  return electron.BrowserWindow.windows[0]!;
}
const fromPage = (window: electron.BrowserWindow): unknown => ({
  sender: window.webContents,
  senderFrame: window.webContents.mainFrame,
});
const invoke = (channel: string, event: unknown, ...words: unknown[]): Promise<unknown> =>
  Promise.resolve().then(() => electron.handlers.get(channel)!(event, ...words));

describe('the start', () => {
  test('everything is in place before the window opens', async () => {
    const window = await started();
    const at = (step: string): number => electron.record.indexOf(step);
    expect(at('scheme pointmap')).toBe(0);
    expect(at('sandbox')).toBe(1);
    for (const step of ['engine', 'protocol pointmap', 'handle pointmap:ask', 'handle pointmap:dialog', 'menu']) {
      expect(at(step), step).toBeGreaterThan(1);
      expect(at(step), step).toBeLessThan(at('window'));
    }
    expect(at('show')).toBe(-1);
    window.emit('ready-to-show');
    expect(at('show')).toBeGreaterThan(at('window'));
    expect(window.options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
    });
    expect(window.webContents.mainFrame.url).toBe('pointmap://studio/index.html');
  });

  test('a second start hands over its project and ends', async () => {
    electron.app.alone = false;
    await import('../../electron/main.js');
    await settle();
    expect(electron.app.quits).toBe(1);
    expect(electron.record).toEqual([]);
  });

  test('projects are opened from the command line, by a double click and by a second start', async () => {
    process.argv = ['electron', 'main.js', '--flag', 'a.pointmap'];
    const window = await started();
    const [child] = electron.children;
    expect(child!.sent).toMatchObject([{ name: 'project.open', params: { path: resolve('a.pointmap') } }]);
    const event = { preventDefault: vi.fn() };
    electron.app.emit('open-file', event, '/b.pointmap');
    electron.app.emit('second-instance', {}, ['studio', 'c.pointmap'], '/home/me');
    await settle();
    expect(event.preventDefault).toHaveBeenCalled();
    expect(child!.sent.map(({ params }) => params)).toEqual([
      { path: resolve('a.pointmap') },
      { path: '/b.pointmap' },
      { path: '/home/me/c.pointmap' },
    ]);
    expect(window.focused).toBe(2);
    expect(electron.BrowserWindow.windows).toHaveLength(1);
    child!.emit('message', {
      id: child!.sent[1]!.id,
      error: { code: 'damaged', message: 'the project file is damaged: /b.pointmap' },
    });
    await settle();
    expect(electron.boxes).toEqual(['The project could not be opened: the project file is damaged: /b.pointmap']);
  });

  test('a project opened before the program is ready waits for the engine', async () => {
    let ready: () => void = () => undefined;
    electron.app.ready = new Promise((resolve) => {
      ready = resolve;
    });
    await import('../../electron/main.js');
    electron.app.emit('open-file', { preventDefault: () => undefined }, '/early.pointmap');
    await settle();
    expect(electron.children).toHaveLength(0);
    ready();
    await settle();
    expect(electron.children[0]!.sent).toMatchObject([{ name: 'project.open', params: { path: '/early.pointmap' } }]);
  });
});

describe('what a page may do', () => {
  test('questions of our page reach the engine, and answers and errors come back as data', async () => {
    const window = await started();
    const [child] = electron.children;
    const asked = invoke('pointmap:ask', fromPage(window), 'app.info', {});
    await settle();
    expect(child!.sent).toMatchObject([{ name: 'app.info', params: {} }]);
    child!.answer({ version: '1' });
    expect(await asked).toEqual({ result: { version: '1' } });
    const refused = invoke('pointmap:ask', fromPage(window), 'project.open', { path: 'x' });
    await settle();
    child!.emit('message', { id: child!.sent[1]!.id, error: { code: 'not-found', message: 'no such project' } });
    expect(await refused).toEqual({ error: { code: 'not-found', message: 'no such project' } });
    expect(await invoke('pointmap:ask', fromPage(window), { not: 'a name' }, {})).toMatchObject({
      error: { code: 'internal' },
    });
    child!.emit('message', { event: 'job.changed', payload: { state: 'running' } });
    expect(window.webContents.sent).toEqual([['pointmap:event', 'job.changed', { state: 'running' }]]);
  });

  test.each(['pointmap:ask', 'pointmap:dialog'])('foreign senders are refused: %s', async (channel) => {
    const window = await started();
    const contents = window.webContents;
    const foreign = new electron.WebContents('pointmap://studio/index.html');
    const senders = [
      { sender: contents, senderFrame: { url: 'pointmap://studio/index.html' } },
      { sender: contents, senderFrame: null },
      { sender: foreign, senderFrame: foreign.mainFrame },
    ];
    for (const sender of senders) await expect(invoke(channel, sender, 'app.info', {})).rejects.toThrow('refused');
    for (const url of [
      'https://evil.example/',
      'pointmap://elsewhere/',
      'pointmap://studio.evil.example/',
      'file:///index.html',
      '',
    ]) {
      contents.mainFrame.url = url;
      await expect(invoke(channel, fromPage(window), 'app.info', {})).rejects.toThrow('refused');
    }
    expect(electron.children[0]!.sent).toEqual([]);
  });

  test('navigation, new windows, embedding and permissions are denied', async () => {
    const window = await started();
    for (const name of ['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview']) {
      const event = { preventDefault: vi.fn(), url: 'https://evil.example/' };
      window.webContents.emit(name, event, 'https://evil.example/');
      expect(event.preventDefault, name).toHaveBeenCalledOnce();
    }
    expect(window.webContents.openHandler!({ url: 'https://evil.example/' })).toEqual({ action: 'deny' });
    const allowed = (permission: string): boolean => {
      let answer = false;
      electron.session.defaultSession.request!(window.webContents, permission, (given) => {
        answer = given;
      });
      return answer;
    };
    for (const permission of ['media', 'geolocation', 'notifications', 'openExternal', 'clipboard-read', 'hid'])
      expect(allowed(permission), permission).toBe(false);
    expect(allowed('pointerLock')).toBe(true);
  });

  test('dialogs answer what was chosen', async () => {
    const window = await started();
    electron.chosen.filePaths = ['/a.jpg', '/b.jpg'];
    expect(await invoke('pointmap:dialog', fromPage(window), 'photos', '')).toEqual(['/a.jpg', '/b.jpg']);
    expect(await invoke('pointmap:dialog', fromPage(window), 'folder', 'Export to')).toBe('/a.jpg');
    electron.chosen.filePaths = [];
    expect(await invoke('pointmap:dialog', fromPage(window), 'project', '')).toBeNull();
    electron.chosen.filePath = '/c.pointmap';
    expect(await invoke('pointmap:dialog', fromPage(window), 'save', 'c')).toBe('/c.pointmap');
    await invoke('pointmap:dialog', fromPage(window), 'show', '/c.pointmap');
    await invoke('pointmap:dialog', fromPage(window), 'show', 'relative');
    expect(electron.shown).toEqual(['/c.pointmap']);
    await expect(invoke('pointmap:dialog', fromPage(window), 'constructor', '')).rejects.toThrow();
    await expect(invoke('pointmap:dialog', fromPage(window), 'show', 7)).rejects.toThrow();
  });
});

describe('the protocol', () => {
  const get = (path: string, method = 'GET'): Promise<Response> =>
    electron.protocols.get('pointmap')!({ url: path, method });

  test('serves the page and the open project, with the policy of browser mode', async () => {
    await started();
    const page = await get('pointmap://studio/index.html');
    expect(await page.text()).toContain('Pointmap Studio');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const [child] = electron.children;
    const thumbnail = get('pointmap://studio/binary/thumbnail/abc');
    await settle();
    expect(child!.sent).toMatchObject([{ binary: 'thumbnail/abc' }]);
    child!.answer({ type: 'image/jpeg', bytes: Uint8Array.of(1, 2, 3) });
    const answered = await thumbnail;
    expect(answered.headers.get('content-type')).toBe('image/jpeg');
    expect(new Uint8Array(await answered.arrayBuffer())).toEqual(Uint8Array.of(1, 2, 3));
    const missing = get('pointmap://studio/binary/photo/none');
    await settle();
    child!.emit('message', { id: child!.sent[1]!.id, error: { code: 'not-found', message: 'none' } });
    expect((await missing).status).toBe(404);
  });

  test('has no way to any other file', async () => {
    await started();
    for (const url of [
      'pointmap://studio/../package.json',
      'pointmap://studio/..%2f..%2fpackage.json',
      'pointmap://studio//etc/passwd',
      'pointmap://studio/%2e%2e/x',
      'pointmap://studio/etc/passwd',
    ]) {
      expect((await get(url)).status, url).toBe(404);
    }
    for (const url of ['pointmap://elsewhere/index.html', 'pointmap://studio.evil/index.html'])
      expect((await get(url)).status, url).toBe(403);
    expect((await get('pointmap://studio/index.html', 'POST')).status).toBe(403);
  });
});

describe('the life of the program', () => {
  test('an engine that crashes is started again, its project opened, the window told', async () => {
    const window = await started();
    const [first] = electron.children;
    expect(JSON.parse(first!.options.env.POINTMAP_ENGINE!)).toMatchObject({ desktop: true, dataFolder: folder });
    first!.emit('message', { event: 'project.changed', payload: { path: '/p.pointmap', photos: [] } });
    first!.emit('exit', 139);
    await settle();
    expect(electron.children).toHaveLength(2);
    expect(electron.children[1]!.sent).toMatchObject([{ name: 'project.open', params: { path: '/p.pointmap' } }]);
    expect(window.webContents.sent.at(-1)).toMatchObject([
      'pointmap:event',
      'engine.stopped',
      { reason: expect.stringContaining('code 139') as string },
    ]);
  });

  test('a run shows its progress to the system, and keeps the machine awake until its end', async () => {
    const window = await started();
    const tell = (job: object): void =>
      void electron.children.at(-1)!.emit('message', { event: 'job.changed', payload: job });
    tell({ state: 'running' });
    expect([window.progress, electron.awake.size]).toEqual([2, 1]);
    tell({ state: 'running', done: 3, total: 12 });
    expect([window.progress, electron.awake.size]).toEqual([0.25, 1]);
    tell({ state: 'paused', done: 3, total: 12 });
    expect([window.progress, electron.awake.size]).toEqual([-1, 0]);
    tell({ state: 'running', done: 4, total: 12 });
    tell({ state: 'finished' });
    expect([window.progress, electron.awake.size]).toEqual([-1, 0]);
    tell({ state: 'running', done: 1, total: 12 });
    electron.children[0]!.emit('exit', 139);
    expect([window.progress, electron.awake.size]).toEqual([-1, 0]);
  });

  test('a page that crashes is loaded again, not for ever', async () => {
    const { webContents } = await started();
    for (let k = 0; k < 10; k++) webContents.emit('render-process-gone', {}, { reason: 'oom' });
    expect(webContents.reloads).toBe(3);
  });

  test('quitting closes the project first', async () => {
    await started();
    electron.app.quit();
    await settle();
    const [child] = electron.children;
    expect(child!.sent).toMatchObject([{ name: 'project.close' }]);
    expect(electron.app.quits).toBe(0);
    child!.answer(null);
    await settle();
    expect(child!.killed).toBe(true);
    expect(electron.app.quits).toBe(1);
    expect(electron.children).toHaveLength(1);
  });

  test('the window comes back where it was, unless that screen is gone', async () => {
    const window = await started();
    Object.assign(window, { bounds: { x: 100, y: 50, width: 1000, height: 700 }, maximized: true });
    window.emit('close');
    const file = join(folder, 'window.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      x: 100,
      y: 50,
      width: 1000,
      height: 700,
      maximized: true,
    });
    const again = async (): Promise<electron.BrowserWindow> => {
      electron.reset();
      vi.resetModules();
      return started();
    };
    expect(await again()).toMatchObject({ bounds: { x: 100, y: 50, width: 1000, height: 700 }, maximized: true });
    mkdirSync(folder, { recursive: true });
    for (const bad of ['{', '{}', JSON.stringify({ x: 5000, y: 50, width: 1000, height: 700, maximized: false })]) {
      writeFileSync(file, bad);
      expect((await again()).bounds).toMatchObject({ x: 0, width: 1440 });
    }
  });
});

describe('the menu', () => {
  interface Item {
    label?: string;
    id?: string;
    role?: string;
    accelerator?: string;
    registerAccelerator?: boolean;
    type?: string;
    click?: () => void;
    submenu?: Item[];
  }

  test('holds every command of the table, in its place, and sends it to the page', async () => {
    const window = await started();
    const menus = electron.menu.template as Item[];
    const items = menus.flatMap(({ submenu }) => submenu ?? []).filter(({ id }) => id !== undefined);
    expect(items.map(({ id }) => id)).toEqual(commandIds);
    for (const id of commandIds)
      expect(menus.find(({ submenu }) => submenu?.some((item) => item.id === id))!.label).toBe(commands[id].menu);
    expect(items.find(({ id }) => id === 'edit.redo')!.accelerator).toBe('CommandOrControl+Shift+Z');
    expect(items.every(({ registerAccelerator }) => registerAccelerator === false)).toBe(true);
    items.find(({ id }) => id === 'view.fit')!.click!();
    expect(window.webContents.sent).toEqual([['pointmap:command', 'view.fit']]);
  });

  test("on a Mac, has the system's menus and takes no plain letters from text fields", async () => {
    const { menuTemplate } = await import('../../electron/desktop/menu.js');
    const menus = menuTemplate('darwin', { run: () => undefined, showLog: () => undefined }) as Item[];
    expect(menus.map(({ role, label }) => role ?? label)).toEqual([
      'appMenu',
      'File',
      'Edit',
      'Run',
      'View',
      'windowMenu',
      'Help',
    ]);
    const accelerators = menus.flatMap(({ submenu }) => submenu ?? []).flatMap(({ accelerator }) => accelerator ?? []);
    expect(accelerators.every((keys) => keys.startsWith('CommandOrControl+'))).toBe(true);
  });
});

test('in a package, what needs real files is taken from beside the archive', async () => {
  const { unpacked } = await import('../../electron/desktop/unpacked.js');
  expect(unpacked('/opt/Pointmap Studio/resources/app.asar/dist/electron/engine-process.js')).toBe(
    '/opt/Pointmap Studio/resources/app.asar.unpacked/dist/electron/engine-process.js',
  );
  expect(unpacked('C:\\Studio\\resources\\app.asar\\dist')).toBe('C:\\Studio\\resources\\app.asar.unpacked\\dist');
  for (const path of ['/home/me/app.asar.unpacked/dist', '/home/me/myapp/dist', '/home/me/pointmap/dist'])
    expect(unpacked(path)).toBe(path);
});

test('the command table gives every key to one command only', () => {
  const keys = commandIds.flatMap((id) => commands[id].keys ?? []);
  expect(new Set(keys).size).toBe(keys.length);
});

import { app, BrowserWindow, nativeTheme, session, type WebContents } from 'electron';
import { ORIGIN } from './addresses.js';
import { readWindowState, writeWindowState } from './window-state.js';

/** What a page of ours asks the system for; everything else is denied. */
const permissions: ReadonlySet<string> = new Set(['pointerLock', 'fullscreen', 'clipboard-sanitized-write']);
const RELOADS_A_MINUTE = 3;

/** Before any window: a page stays where it is, opens nothing and embeds nothing, whatever is loaded into it. */
export function setupLockdown(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-frame-navigate', (event) => event.preventDefault());
    contents.on('will-redirect', (event) => event.preventDefault());
    reloadAfterCrash(contents);
  });
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer) =>
    answer(permissions.has(permission)),
  );
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => permissions.has(permission));
}

/** @param stateFile keeps size and place from one start to the next */
export function openWindow(preload: string, stateFile: string): BrowserWindow {
  const state = readWindowState(stateFile);
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    ...(state ? { x: state.x, y: state.y, width: state.width, height: state.height } : {}),
    minWidth: 900,
    minHeight: 600,
    show: false,
    title: 'Pointmap Studio',
    // The ground of the theme (renderer/design/tokens.css), so that the first frame does not flash.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#131417' : '#e9ebef',
    webPreferences: {
      preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
      spellcheck: false,
    },
  });
  if (state?.maximized) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () =>
    writeWindowState(stateFile, { ...window.getNormalBounds(), maximized: window.isMaximized() }),
  );
  void window.loadURL(`${ORIGIN}/index.html`);
  return window;
}

/** The engine goes on meanwhile: a reloaded page finds the project as it is. */
function reloadAfterCrash(contents: WebContents): void {
  let crashes: number[] = [];
  contents.on('render-process-gone', (_event, { reason }) => {
    const now = Date.now();
    crashes = [...crashes.filter((time) => now - time < 60_000), now];
    if (reason !== 'clean-exit' && crashes.length <= RELOADS_A_MINUTE) contents.reload();
  });
}

/** The desktop: one window over an engine in a process of its own. Handlers first, the window last. */
import { app, BrowserWindow, Menu, shell } from 'electron';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandId } from './contract/commands.js';
import { channels } from './desktop/addresses.js';
import { setupBridge } from './desktop/bridge.js';
import { setupDialogs } from './desktop/dialogs.js';
import { setupJob } from './desktop/job.js';
import { menuTemplate } from './desktop/menu.js';
import { setupOpening } from './desktop/opening.js';
import { registerScheme, setupProtocol } from './desktop/protocol.js';
import { startUtility } from './desktop/utility.js';
import { unpacked } from './desktop/unpacked.js';
import { openWindow, setupLockdown } from './desktop/windows.js';
import { forkEngine } from './engine-process/fork.js';
import { EngineHost } from './engine-process/host.js';
import { logFile } from './engine-process/log.js';
import { defaultDataFolder, installFolder } from './engine/environment.js';
import { loadRenderer } from './server/static.js';

const dataFolder = defaultDataFolder();
const stateFile = join(dataFolder, 'window.json');
const preload = fileURLToPath(new URL('./preload.cjs', import.meta.url));

app.setName('Pointmap Studio');
app.setPath('userData', join(dataFolder, 'desktop'));

// A second start hands its project to the first, and ends.
if (app.requestSingleInstanceLock()) start();
else app.quit();

function start(): void {
  registerScheme();
  app.enableSandbox();
  const engine = app.whenReady().then(startEngine);
  setupOpening(engine, showWindow);
  engine.then(setup).catch((error: Error) => {
    console.error(error.message);
    app.exit(1);
  });
}

function startEngine(): EngineHost {
  if (app.isPackaged) process.env.POINTMAP_SQLITE = join(process.resourcesPath, 'native', 'better_sqlite3.node');
  const settings = { desktop: true, dataFolder };
  // An older Electron has a Node that is too old for the engine: the one that is named here runs it instead.
  const node = process.env.POINTMAP_NODE;
  return new EngineHost(() => (node ? forkEngine(settings, undefined, node) : startUtility(settings)));
}

function setup(engine: EngineHost): void {
  const files = loadRenderer(unpacked(join(installFolder, 'dist', 'renderer')));
  if (!files) throw new Error('the interface is not built; run "npm run build" first');
  setupLockdown();
  setupProtocol(engine, files);
  setupBridge(engine);
  setupDialogs();
  setupJob(engine);
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(
      menuTemplate(process.platform, { run: sendCommand, showLog: () => shell.showItemInFolder(logFile(dataFolder)) }),
    ),
  );
  setupEnd(engine);
  app.on('activate', showWindow);
  showWindow();
}

function showWindow(): void {
  const window = BrowserWindow.getAllWindows()[0];
  if (!window) {
    openWindow(preload, stateFile);
    return;
  }
  if (window.isMinimized()) window.restore();
  window.focus();
}

function sendCommand(id: CommandId): void {
  const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0];
  window?.webContents.send(channels.command, id);
}

/** The engine closes the project before the program ends: no journal is left beside the file. */
function setupEnd(engine: EngineHost): void {
  let closed = false;
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('before-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    void engine.close().then(() => {
      closed = true;
      app.quit();
    });
  });
}

import { app, BrowserWindow, dialog } from 'electron';
import { resolve } from 'node:path';
import type { EngineHost } from '../engine-process/host.js';

/** The project that a command line names, if any: the last word that ends like one. */
export function projectIn(words: readonly string[], folder: string): string | undefined {
  const word = words.slice(1).findLast((each) => each.toLowerCase().endsWith('.pointmap') && !each.startsWith('-'));
  return word === undefined ? undefined : resolve(folder, word);
}

/**
 * Projects opened from outside: by a double click, dropped on the icon, or by starting the program a second time.
 * To be called before the program is ready; what comes before the engine is there waits for it.
 *
 * @param showWindow brings a window to the front, or opens one
 */
export function setupOpening(engine: Promise<EngineHost>, showWindow: () => void): void {
  const open = (path: string): void => {
    engine
      .then((host) => host.ask('project.open', { path }))
      .catch((error: Error) => dialog.showErrorBox('The project could not be opened', error.message));
  };
  app.on('open-file', (event, path) => {
    event.preventDefault();
    open(path);
    if (BrowserWindow.getAllWindows().length > 0) showWindow();
  });
  app.on('second-instance', (_event, words, folder) => {
    const path = projectIn(words, folder);
    if (path !== undefined) open(path);
    showWindow();
  });
  const first = projectIn(process.argv, process.cwd());
  if (first !== undefined) open(first);
}

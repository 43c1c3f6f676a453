import { BrowserWindow, dialog, shell } from 'electron';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { photoEndings, videoEndings } from '../contract/photo-endings.js';
import { channels, type DialogKind } from './addresses.js';
import { handleOurs } from './senders.js';

const projects = [{ name: 'Pointmap Studio projects', extensions: ['pointmap'] }];
const endings = [...photoEndings, ...videoEndings].map((ending) => ending.slice(1));

/** The system's own dialogs, each answering what contract/desktop.ts promises. */
const dialogs: Readonly<Record<DialogKind, (window: BrowserWindow, text: string) => Promise<unknown>>> = {
  photos: async (window) => {
    const filters = [
      { name: 'Photos and videos', extensions: [...endings, ...endings.map((ending) => ending.toUpperCase())] },
    ];
    return (
      await dialog.showOpenDialog(window, { title: 'Add photos', properties: ['openFile', 'multiSelections'], filters })
    ).filePaths;
  },
  folder: async (window, title) =>
    (await dialog.showOpenDialog(window, { title, properties: ['openDirectory', 'createDirectory'] })).filePaths[0] ??
    null,
  file: async (window, title) =>
    (await dialog.showOpenDialog(window, { title, properties: ['openFile'] })).filePaths[0] ?? null,
  project: async (window) =>
    (await dialog.showOpenDialog(window, { title: 'Open project', properties: ['openFile'], filters: projects }))
      .filePaths[0] ?? null,
  save: async (window, suggestion) => {
    const { canceled, filePath } = await dialog.showSaveDialog(window, {
      title: 'Save project as',
      defaultPath: suggestion,
      filters: projects,
      properties: ['createDirectory', 'showOverwriteConfirmation'],
    });
    return canceled || filePath === '' ? null : filePath;
  },
  show: async (_window, path) => {
    if (isAbsolute(path)) shell.showItemInFolder(path);
  },
};

const request = z.tuple([z.enum(Object.keys(dialogs) as [DialogKind, ...DialogKind[]]), z.string().max(4096)]);

export function setupDialogs(): void {
  handleOurs(channels.dialog, (...words) => {
    const [kind, text] = request.parse(words);
    const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0];
    return window ? dialogs[kind](window, text) : null;
  });
}

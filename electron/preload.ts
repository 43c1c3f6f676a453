/** The one bridge between the page and the program: the contract, the dialogs, and where a dropped file lies. */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { Params, RequestName, Result } from './contract/api.js';
import type { CommandId } from './contract/commands.js';
import type { Desktop } from './contract/desktop.js';
import { channels, ORIGIN, type DialogKind } from './desktop/addresses.js';

type Answer = { result: unknown } | { error: { message: string } };

const choose = <T>(kind: DialogKind, text?: string): Promise<T> =>
  ipcRenderer.invoke(channels.dialog, kind, text ?? '') as Promise<T>;

/** The event itself stays here: it would hand the page its sender. */
function listen(channel: string, listener: (...words: unknown[]) => void): () => void {
  const inner = (_event: unknown, ...words: unknown[]): void => listener(...words);
  ipcRenderer.on(channel, inner);
  return () => ipcRenderer.off(channel, inner);
}

const desktop: Desktop = {
  request: async <N extends RequestName>(name: N, params: Params<N>): Promise<Result<N>> => {
    const answer = (await ipcRenderer.invoke(channels.ask, name, params)) as Answer;
    // Of an error only the message crosses the bridge.
    if ('error' in answer) throw new Error(answer.error.message);
    return answer.result as Result<N>;
  },
  on: (name, listener) =>
    listen(channels.event, (event, payload) => {
      if (event === name) (listener as (payload: unknown) => void)(payload);
    }),
  binaryUrl: (name) => `${ORIGIN}/binary/${name}`,
  pathForFile: (file) => webUtils.getPathForFile(file),
  choosePhotos: () => choose('photos'),
  chooseFolder: (title) => choose('folder', title),
  chooseFile: (title) => choose('file', title),
  chooseProject: () => choose('project'),
  saveProject: (suggestion) => choose('save', suggestion),
  showInFolder: (path) => choose('show', path),
  onCommand: (listener) => listen(channels.command, (id) => listener(id as CommandId)),
};

contextBridge.exposeInMainWorld('pointmap', desktop);

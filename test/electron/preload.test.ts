import { expect, test, vi } from 'vitest';
import type { Desktop } from '../../electron/contract/desktop.js';

const page = vi.hoisted(() => ({
  exposed: new Map<string, unknown>(),
  asked: [] as unknown[][],
  answer: undefined as unknown,
  listeners: new Map<string, Set<(...words: unknown[]) => void>>(),
}));
vi.mock('electron', () => ({
  contextBridge: { exposeInMainWorld: (name: string, value: unknown) => page.exposed.set(name, value) },
  ipcRenderer: {
    invoke: async (...words: unknown[]) => {
      page.asked.push(words);
      return page.answer;
    },
    on: (channel: string, listener: () => void) =>
      page.listeners.set(channel, (page.listeners.get(channel) ?? new Set()).add(listener)),
    off: (channel: string, listener: () => void) => page.listeners.get(channel)?.delete(listener),
  },
  webUtils: { getPathForFile: () => '/photos/a.jpg' },
}));

test('the bridge is the contract and the dialogs, and nothing of Electron', async () => {
  await import('../../electron/preload.js');
  expect([...page.exposed.keys()]).toEqual(['pointmap']);
  const desktop = page.exposed.get('pointmap') as Desktop;
  expect(Object.keys(desktop).sort()).toEqual([
    'binaryUrl',
    'chooseFile',
    'chooseFolder',
    'choosePhotos',
    'chooseProject',
    'on',
    'onCommand',
    'pathForFile',
    'request',
    'saveProject',
    'showInFolder',
  ]);
  expect(Object.values(desktop).every((value) => typeof value === 'function')).toBe(true);

  page.answer = { result: { version: '1' } };
  expect(await desktop.request('app.info', {})).toEqual({ version: '1' });
  expect(page.asked).toEqual([['pointmap:ask', 'app.info', {}]]);
  page.answer = { error: { code: 'not-found', message: 'no such project; check the path: /x' } };
  await expect(desktop.request('project.open', { path: '/x' })).rejects.toThrow('no such project; check the path: /x');
  page.answer = ['/a.jpg'];
  expect(await desktop.choosePhotos()).toEqual(['/a.jpg']);
  expect(page.asked.at(-1)).toEqual(['pointmap:dialog', 'photos', '']);
  expect(desktop.binaryUrl('photo/abc')).toBe('pointmap://studio/binary/photo/abc');
  expect(desktop.pathForFile({} as File)).toBe('/photos/a.jpg');

  const heard: unknown[][] = [];
  const stop = desktop.on('job.changed', (...words) => heard.push(words));
  const tell = (event: string, payload: unknown): void =>
    page.listeners.get('pointmap:event')!.forEach((listener) => listener({ sender: 'secret' }, event, payload));
  tell('job.changed', { state: 'running' });
  tell('log.line', { message: 'other' });
  expect(heard).toEqual([[{ state: 'running' }]]);
  stop();
  tell('job.changed', { state: 'finished' });
  expect(heard).toHaveLength(1);
});

import { beforeEach, expect, test, vi } from 'vitest';
import type { JobState, PairInfo, PhotoInfo, ProjectState } from '../../../electron/contract/api.js';
import { commandIds } from '../../../electron/contract/commands.js';

const request = vi.fn((_name: string, _params: unknown) => Promise.resolve(null as unknown));
vi.mock('../../../renderer/transport/index.js', () => ({
  api: { request: (name: string, params: unknown) => request(name, params) },
  desktop: undefined,
}));
vi.stubGlobal('matchMedia', () => ({ matches: false }));

const { actions, canRun, runCommand } = await import('../../../renderer/commands/actions.js');
const { setStudio, studio } = await import('../../../renderer/store/studio.js');

const photo = (id: string): PhotoInfo => ({
  ...{ id, name: `${id}.jpg`, path: `/${id}.jpg`, width: 4, height: 3, size: 1, sharpness: 1 },
  ...{ blurred: false, enabled: true, locked: false, missing: false },
});
const pair: PairInfo = { a: 'p', b: 'q', enabled: true, state: 'planned' };
function project(change: Partial<ProjectState> = {}, job: JobState = { state: 'idle' }): void {
  const given = {
    path: '/x.pointmap',
    name: 'x',
    saved: true,
    stale: false,
    settings: {},
    photos: [photo('p'), photo('q')],
  };
  setStudio({ project: { ...given, pairs: [pair], job, ...change } as unknown as ProjectState, job });
}

beforeEach(() => {
  request.mockClear();
  request.mockImplementation(() => Promise.resolve(null));
  setStudio({ project: null, job: { state: 'idle' }, selectedPhotos: [], selectedPair: undefined, notice: undefined });
});

test('every command of the contract does something', () =>
  expect(Object.keys(actions).sort()).toEqual([...commandIds].sort()));

test('without a project, nothing that needs one can be run', () => {
  expect(
    ['run.start', 'run.realign', 'project.save', 'export.open', 'edit.undo'].filter((id) => canRun(id as never)),
  ).toEqual([]);
  runCommand('run.start');
  expect(request).not.toHaveBeenCalled();
  expect(canRun('project.new')).toBe(true);
});

test('a run can be started once, paused and resumed, and realigned only with something known', () => {
  project();
  expect([canRun('run.start'), canRun('run.realign'), canRun('run.pause')]).toEqual([true, false, false]);
  project({ pairs: [{ ...pair, state: 'observed' }] });
  expect(canRun('run.realign')).toBe(true);
  project({}, { state: 'running' });
  expect([canRun('run.start'), canRun('project.saveAs'), canRun('run.pause')]).toEqual([false, false, true]);
  runCommand('run.pause');
  project({}, { state: 'paused' });
  runCommand('run.pause');
  expect(request.mock.calls.map(([name]) => name)).toEqual(['run.pause', 'run.resume']);
});

test('photos are disabled together unless all are, and what goes wrong is told once', async () => {
  project();
  setStudio({ selectedPhotos: ['p', 'q'] });
  request.mockImplementation(() => Promise.reject(new Error('the disk is full')));
  runCommand('photos.toggle');
  expect(request).toHaveBeenCalledWith('edit.apply', {
    edit: { kind: 'photos-enabled', photos: ['p', 'q'], enabled: false },
  });
  await vi.waitFor(() => expect(studio().notice).toMatchObject({ tone: 'error', text: 'the disk is full' }));
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

/** The store asks the page for its theme as it is made: a page that has nothing stands in. */
beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  vi.stubGlobal('matchMedia', () => ({ matches: true }));
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const store = () => import('../../../renderer/store/studio.js');

test('one notice at a time; a remark goes by itself, an error stays, and is kept once in the list of errors', async () => {
  const { notify, dismiss, clearProblems, studio } = await store();
  for (const text of ['a', 'b', 'a']) notify('error', text);
  expect(studio().notice?.text).toBe('a');
  expect(studio().problems.map(({ text }) => text)).toEqual(['a', 'b']);
  vi.advanceTimersByTime(60_000);
  expect(studio().notice?.text).toBe('a');
  notify('information', 'done');
  expect(studio().notice?.text).toBe('done');
  vi.advanceTimersByTime(6000);
  expect(studio().notice).toBeUndefined();
  // The time of an older remark takes nothing from a newer notice.
  notify('information', 'first');
  vi.advanceTimersByTime(3000);
  notify('error', 'c');
  vi.advanceTimersByTime(3000);
  expect(studio().notice?.text).toBe('c');
  dismiss();
  expect(studio().notice).toBeUndefined();
  expect(studio().problems).toHaveLength(3);
  clearProblems();
  expect(studio().problems).toEqual([]);
});

test('errors of one project are not shown with another', async () => {
  vi.doMock('../../../renderer/transport/index.js', () => ({ api: {}, desktop: undefined }));
  const { notify, studio } = await store();
  const { enterProject } = await import('../../../renderer/store/connect.js');
  const project = (path: string) => ({ path, photos: [], job: { state: 'idle' } }) as never;
  vi.stubGlobal('document', { title: '' });
  enterProject(project('/a.pointmap'));
  notify('error', 'of a');
  enterProject(project('/a.pointmap'));
  expect(studio().problems).toHaveLength(1);
  enterProject(project('/b.pointmap'));
  expect([studio().notice, studio().problems]).toEqual([undefined, []]);
});

test('the theme is the system’s until one is chosen, and kept then', async () => {
  const first = await store();
  expect(first.studio().theme).toBe('light');
  first.setTheme('dark');
  vi.resetModules();
  expect((await store()).studio().theme).toBe('dark');
});

test('what the view shows changes in the parts that are given', async () => {
  const { setViewer, studio } = await store();
  const before = studio().viewer;
  setViewer({ grid: true });
  expect(studio().viewer).toEqual({ ...before, grid: true });
});

test('a run is active until it has ended', async () => {
  const { isActive } = await store();
  expect((['running', 'paused', 'cancelling'] as const).every((state) => isActive({ state }))).toBe(true);
  expect((['idle', 'cancelled', 'failed', 'finished'] as const).some((state) => isActive({ state }))).toBe(false);
});

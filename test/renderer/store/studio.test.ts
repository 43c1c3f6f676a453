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

test('notices stay four at most, each text once; a remark goes by itself, an error stays', async () => {
  const { notify, dismiss, studio } = await store();
  for (const text of ['a', 'b', 'c', 'd', 'e', 'c']) notify('error', text);
  expect(studio().notices.map(({ text }) => text)).toEqual(['b', 'd', 'e', 'c']);
  notify('information', 'f');
  vi.advanceTimersByTime(6000);
  expect(studio().notices.map(({ text }) => text)).toEqual(['d', 'e', 'c']);
  dismiss(studio().notices[0]!.id);
  expect(studio().notices).toHaveLength(2);
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

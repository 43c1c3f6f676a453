import { expect, test } from 'vitest';
import { MemoryGate } from '../../electron/execution/memory.js';

test('work begins in the order it came, while it fits', async () => {
  const gate = new MemoryGate(100);
  const begun: string[] = [];
  const enter = (name: string, bytes: number, signal?: AbortSignal): Promise<() => void> =>
    gate.enter(bytes, signal).then((leave) => (begun.push(name), leave));
  const first = await enter('first', 60);
  const second = enter('second', 60);
  const third = enter('third', 10);
  await Promise.resolve();
  expect(begun).toEqual(['first']);
  first();
  await Promise.all([second, third]);
  expect(begun).toEqual(['first', 'second', 'third']);
});

test('what is given up while it waits lets the next in', async () => {
  const gate = new MemoryGate(100);
  await gate.enter(60);
  const abort = new AbortController();
  const large = gate.enter(90, abort.signal);
  const small = gate.enter(30);
  abort.abort(new Error('given up'));
  await expect(large).rejects.toThrow('given up');
  (await small)();
});

import { expect, test, vi } from 'vitest';
import { Clock } from '../../../electron/engine/clock.js';
import { Gate } from '../../../electron/engine/gate.js';

test('time stands still while the gate is closed, however many wait at it', async () => {
  const clockAt = vi.spyOn(performance, 'now');
  let milliseconds = 1000;
  clockAt.mockImplementation(() => milliseconds);
  const gate = new Gate();
  const clock = new Clock(gate.now);
  clock.enter('photos');
  milliseconds += 2000;
  gate.close();
  const waiting = [gate.pass(), gate.pass()];
  milliseconds += 60_000;
  expect(clock.secondsElapsed).toBeCloseTo(2);
  gate.open();
  await Promise.all(waiting);
  milliseconds += 3000;
  expect(clock.secondsElapsed).toBeCloseTo(5);
  expect(clock.stages).toEqual({ photos: 5 });
  clockAt.mockRestore();
});

test('who waits at a closed gate is let go by a cancel', async () => {
  const gate = new Gate();
  const abort = new AbortController();
  gate.close();
  const waiting = gate.pass(abort.signal);
  abort.abort(new Error('cancelled'));
  await expect(waiting).rejects.toThrow('cancelled');
});

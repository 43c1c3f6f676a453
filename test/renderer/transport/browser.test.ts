import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { browserTransport } from '../../../renderer/transport/browser.js';

/** The browser's WebSocket, driven by hand. */
class Socket {
  static readonly OPEN = 1;
  static last: Socket;
  static made = 0;
  readyState = 0;
  readonly sent: { id: number; name: string }[] = [];
  onopen = (): void => undefined;
  onclose = (): void => undefined;
  onmessage = (_: { data: string }): void => undefined;

  constructor(readonly address: URL) {
    Socket.last = this;
    Socket.made++;
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as { id: number; name: string });
  }
  open(): void {
    this.readyState = Socket.OPEN;
    this.onopen();
  }
  break(): void {
    this.readyState = 3;
    this.onclose();
  }
  answer(result: unknown): void {
    this.onmessage({ data: JSON.stringify({ id: this.sent.at(-1)!.id, result }) });
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  Socket.made = 0;
  vi.stubGlobal('WebSocket', Socket);
  vi.stubGlobal('location', { href: 'http://127.0.0.1:4000/' });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('questions asked before the connection is open wait for it', async () => {
  const api = browserTransport();
  expect(String(Socket.last.address)).toBe('ws://127.0.0.1:4000/api');
  const asked = api.request('app.recent', {});
  expect(Socket.last.sent).toEqual([]);
  Socket.last.open();
  expect(Socket.last.sent.map(({ name }) => name)).toEqual(['app.recent']);
  Socket.last.answer([]);
  expect(await asked).toEqual([]);
});

test('a command that was refused while the server was down is not sent when it is back', async () => {
  const api = browserTransport();
  const states: string[] = [];
  api.onConnection((state) => states.push(state));
  Socket.last.open();
  Socket.last.break();
  const clicks = Promise.allSettled([api.request('run.start', {}), api.request('run.start', {})]);
  vi.advanceTimersByTime(250);
  // The second try fails as well: the server is still down.
  Socket.last.break();
  for (const click of await clicks)
    expect(click).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringMatching(/connection/) as string },
    });
  vi.advanceTimersByTime(500);
  Socket.last.open();
  expect(Socket.last.sent).toEqual([]);
  expect(Socket.made).toBe(3);
  expect(states).toEqual(['open', 'lost', 'lost', 'open']);
});

test('one that was sent when the connection broke fails, and is not sent again', async () => {
  const api = browserTransport();
  Socket.last.open();
  const sent = api.request('edit.undo', {});
  Socket.last.break();
  await expect(sent).rejects.toThrow(/connection to the studio broke/);
  vi.advanceTimersByTime(250);
  Socket.last.open();
  expect(Socket.last.sent).toEqual([]);
});

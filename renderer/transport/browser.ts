import type { Api } from '../../electron/contract/api.js';
import { createClient, type Client } from '../../electron/contract/wire.js';

export type ConnectionState = 'connecting' | 'open' | 'lost';

export interface BrowserTransport extends Api {
  /** The listener is told the state at once, unless it is still connecting. */
  onConnection(listener: (state: ConnectionState) => void): () => void;
}

/** From the first failure on, up to this many milliseconds between two tries. */
const SLOWEST_RETRY = 4000;

/**
 * The contract over the WebSocket of browser mode. Questions asked before it is open wait; when it breaks or can't be
 * opened, all that have no answer fail with a line, and it is opened again: the engine goes on meanwhile.
 */
export function browserTransport(): BrowserTransport {
  const address = new URL('/api', location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  const listeners = new Set<(state: ConnectionState) => void>();
  const queue: string[] = [];
  let socket: WebSocket | undefined;
  let retry = 250;

  const client: Client = createClient((message) => {
    const text = JSON.stringify(message);
    if (socket?.readyState === WebSocket.OPEN) socket.send(text);
    else queue.push(text);
  });
  let current: ConnectionState = 'connecting';
  const tell = (state: ConnectionState): void => {
    current = state;
    listeners.forEach((listener) => listener(state));
  };

  const open = (): void => {
    socket = new WebSocket(address);
    socket.onopen = () => {
      retry = 250;
      for (const text of queue.splice(0)) socket!.send(text);
      tell('open');
    };
    socket.onmessage = ({ data }) => client.receive(JSON.parse(String(data)));
    socket.onclose = () => {
      // What waits is told to have failed, so it must not be sent later: nobody expects a second run from it.
      queue.length = 0;
      client.fail('the connection to the studio broke; it is tried again');
      tell('lost');
      setTimeout(open, retry);
      retry = Math.min(SLOWEST_RETRY, retry * 2);
    };
  };
  open();

  return {
    request: client.request,
    on: client.on,
    binaryUrl: (name) => `/binary/${name}`,
    onConnection: (listener) => {
      listeners.add(listener);
      // Whoever listens late, as after the words of the interface have been fetched, would never hear that it is open.
      if (current !== 'connecting') listener(current);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * Hands dropped files to the server, which stores them: a browser does not tell where they lie. @returns their paths
 */
export async function upload(files: readonly File[], onProgress: (done: number) => void): Promise<string[]> {
  const paths: string[] = [];
  for (const file of files) {
    const response = await fetch(`/upload?name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file });
    const answer = (await response.json()) as { path?: string; error?: { message: string } };
    if (answer.path === undefined)
      throw new Error(answer.error?.message ?? `the file could not be handed over: ${file.name}`);
    paths.push(answer.path);
    onProgress(paths.length);
  }
  return paths;
}

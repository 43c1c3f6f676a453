/**
 * Browser mode: the studio's interface as a local web page, over the same engine and the same contract as the desktop.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { UserError } from './contract/errors.js';
import { ask, toWire, type WireError } from './contract/wire.js';
import type { EngineHost } from './engine-process/host.js';
import { cacheControl } from './server/caching.js';
import { Guard, securityHeaders } from './server/guard.js';
import { loadRenderer, type StaticFile } from './server/static.js';
import { storeUpload } from './server/upload.js';

export interface ServeOptions {
  engine: EngineHost;
  /** The built renderer. */
  renderer: string;
  dataFolder: string;
  /** 0 takes a free one. */
  port?: number;
}

export interface RunningServer {
  port: number;
  /** What to open: it carries the token. */
  address: string;
  /** The same for one use, for what others can see. */
  addressForOnce(): string;
  close(): Promise<void>;
}

/** No question is longer than a few thousand paths. */
const MESSAGE_LIMIT = 4 * 2 ** 20;

/** @throws UserError when the renderer was not built or the port is taken */
export async function serve({ engine, renderer, dataFolder, port = 0 }: ServeOptions): Promise<RunningServer> {
  const files = loadRenderer(renderer);
  if (!files) throw new UserError('not-found', `the interface is not built; run "npm run build" first: ${renderer}`);
  const http = createServer();
  const bound = await listen(http, port);
  const guard = new Guard(bound);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_LIMIT });

  http.on('request', (request, response) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    handle(request, response).catch((error: unknown) => refuse(response, toWire(error)));
  });
  http.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    // A WebSocket always has an Origin in a browser, and none of the protections that fetch has.
    if (
      request.url !== '/api' ||
      request.headers.origin === undefined ||
      !guard.sameSite(request) ||
      !guard.hasCookie(request)
    ) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => converse(client, engine));
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = requestUrl(request);
    const token = url.searchParams.get('token');
    if (
      request.method === 'GET' &&
      url.pathname === '/' &&
      token !== null &&
      guard.knownHost(request) &&
      guard.admits(token)
    ) {
      // The token leaves the address bar, and with it the history and every screenshot.
      response.writeHead(303, { Location: '/', 'Set-Cookie': guard.cookie, 'Cache-Control': 'no-store' }).end();
      return;
    }
    // A redirect from the printed address, opened from another page, is still called cross-site: the cookie decides for
    // the page itself.
    const page = request.method === 'GET' && url.pathname === '/' && request.headers['sec-fetch-mode'] === 'navigate';
    if (!(page ? guard.knownHost(request) : guard.sameSite(request)) || !guard.hasCookie(request)) {
      response
        .writeHead(403, { 'Content-Type': 'text/plain; charset=utf-8' })
        .end('Open the address that "pointmap serve" printed when it started: it carries the key to this studio.\n');
      return;
    }
    if (request.method === 'POST' && url.pathname === '/upload') {
      const path = await storeUpload(request, join(dataFolder, 'uploads'), url.searchParams.get('name') ?? '');
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ path }));
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD, POST' }).end();
      return;
    }
    if (url.pathname.startsWith('/binary/')) {
      const name = url.pathname.slice('/binary/'.length);
      const { type, bytes } = await engine.binary(name);
      response
        .writeHead(200, {
          'Content-Type': type,
          'Content-Length': bytes.byteLength,
          'Cache-Control': cacheControl(name),
        })
        .end(bytes);
      return;
    }
    const file = files!.get(url.pathname === '/' ? '/index.html' : url.pathname);
    if (!file) throw new UserError('not-found', `there is no such page: ${url.pathname}`);
    sendFile(request, response, file);
  }

  return {
    port: bound,
    address: `http://127.0.0.1:${bound}/?token=${guard.token}`,
    addressForOnce: () => `http://127.0.0.1:${bound}/?token=${guard.onceToken()}`,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

/** @throws UserError for a request line like `//` or `http://elsewhere/` */
function requestUrl(request: IncomingMessage): URL {
  const path = request.url ?? '/';
  if (!path.startsWith('/') || !URL.canParse(path, 'http://localhost') || path.startsWith('//'))
    throw new UserError('usage', 'this is not an address of the studio');
  return new URL(path, 'http://localhost');
}

/** A page that takes nothing in is gone in all but name; what waits for it would fill the memory. */
const BACKLOG_LIMIT = 256 * 2 ** 20;

/** One page's conversation. A message that is not one of the protocol ends it: no page of ours sends such. */
function converse(client: WebSocket, engine: EngineHost): void {
  const send = (message: object): void => {
    if (client.readyState !== client.OPEN) return;
    if (client.bufferedAmount > BACKLOG_LIMIT) client.terminate();
    else client.send(JSON.stringify(message));
  };
  const stop = engine.on((event, payload) => send({ event, payload }));
  client.on('close', stop);
  client.on('error', () => client.terminate());
  client.on('message', (data) => {
    let question: ReturnType<typeof ask.parse>;
    try {
      question = ask.parse(JSON.parse(String(data)));
    } catch {
      client.close(1008, 'not a message of this protocol');
      return;
    }
    const { id, name, params } = question;
    engine.ask(name, params ?? {}).then(
      (result) => send({ id, result: result ?? null }),
      (error: unknown) => send({ id, error: toWire(error) }),
    );
  });
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: StaticFile): void {
  const compressed = /\bbr\b/.test(String(request.headers['accept-encoding'] ?? '')) ? file.compressed : undefined;
  response.writeHead(200, {
    'Content-Type': file.type,
    'Content-Length': (compressed ?? file.bytes).length,
    'Cache-Control': file.immutable ? 'private, max-age=31536000, immutable' : 'no-cache',
    Vary: 'Accept-Encoding',
    ...(compressed ? { 'Content-Encoding': 'br' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : (compressed ?? file.bytes));
}

function refuse(response: ServerResponse, { code, message }: WireError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = code === 'not-found' ? 404 : code === 'internal' ? 500 : 400;
  response
    .writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' })
    .end(JSON.stringify({ error: { code, message } }));
}

function listen(http: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new UserError(
          'unwritable',
          error.code === 'EADDRINUSE'
            ? `port ${port} is taken; choose another with --port, or leave it out`
            : `the server can't listen on port ${port} (${error.code}); choose another with --port`,
        ),
      ),
    );
    http.listen(port, '127.0.0.1', () => resolve((http.address() as { port: number }).port));
  });
}

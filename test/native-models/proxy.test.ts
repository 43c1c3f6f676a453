import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { download } from '../../native-models/registry/download.js';

const content = 'a model';
const asked: string[] = [];
let folder: string;
let publisher: Server;
let proxy: Server;
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Its publisher has a name that only the proxy knows. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointmap-proxy-'));
  publisher = createServer((_, response) => void response.end(content)).listen(0, '127.0.0.1');
  proxy = createServer((request, response) => {
    asked.push(request.url!);
    response.end(content);
  }).listen(0, '127.0.0.1');
  proxy.on('connect', (request, socket) => {
    asked.push(request.url!);
    const through = connect(portOf(publisher), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      through.pipe(socket).pipe(through);
    });
    socket.on('error', () => through.destroy());
    through.on('error', () => socket.destroy());
  });
  await Promise.all([publisher, proxy].map((server) => new Promise((resolve) => server.once('listening', resolve))));
  for (const name of ['HTTP_PROXY', 'http_proxy']) vi.stubEnv(name, `http://127.0.0.1:${portOf(proxy)}`);
  for (const name of ['NO_PROXY', 'no_proxy']) vi.stubEnv(name, 'inside.example');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const server of [publisher, proxy]) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true });
});

it('asks the proxy of the environment for what is outside', async () => {
  await download({ address: 'http://publisher.example/model.bin', size: content.length }, join(folder, 'model.bin'));
  expect(await readFile(join(folder, 'model.bin'), 'utf8')).toBe(content);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain('publisher.example');
});

it('goes straight to this machine and to what NO_PROXY names, and says why it got nowhere', async () => {
  asked.length = 0;
  await download(
    { address: `http://127.0.0.1:${portOf(publisher)}/model.bin`, size: content.length },
    join(folder, 'near.bin'),
  );
  const failure = download(
    { address: 'http://inside.example/model.bin', size: content.length },
    join(folder, 'inside.bin'),
    { retries: 0 },
  );
  await expect(failure).rejects.toThrow(
    /broke off at 0 of 7 bytes \(.*inside\.example\).*: http:\/\/inside\.example\/model\.bin$/,
  );
  expect(asked).toEqual([]);
});

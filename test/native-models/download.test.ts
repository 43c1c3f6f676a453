import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download, publishedFiles } from '../../native-models/registry/download.js';

const content = Buffer.from(Array.from({ length: 50_000 }, (_, k) => (k * 31 + (k >> 7)) & 255));
const sha256 = createHash('sha256').update(content).digest('hex');
const size = content.length;

/** What the server does with the n-th request. */
type Behaviour = (request: IncomingMessage, response: ServerResponse, count: number) => void;
const rangeStart = (request: IncomingMessage) => Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);

/** How far the client says that it has come. */
let received = 0;

/** Answers a range properly, up to `limit` bytes, then breaks the connection. */
const serve =
  (limit = Infinity): Behaviour =>
  (request, response) => {
    const start = rangeStart(request);
    response.writeHead(start ? 206 : 200, {
      'content-length': size - start,
      ...(start ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
    });
    if (start + limit >= size) return void response.end(content.subarray(start));
    response.write(content.subarray(start, start + limit));
    // A broken connection takes what its reader has not read yet along: break it when all of it was read.
    const timer = setInterval(() => {
      if (received < start + limit && !response.destroyed) return;
      clearInterval(timer);
      response.destroy();
    }, 5);
  };

describe('download', () => {
  let folder: string;
  let server: Server;
  let address: string;
  let count: number;
  let behaviour: Behaviour;
  const path = () => join(folder, 'model.bin');
  const options = { retries: 2, onProgress: (length: number) => void (received = length) };
  /** Long enough for a loaded machine to answer in. */
  const silence = 700;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pointmap-download-'));
    count = 0;
    received = 0;
    server = createServer((request, response) => behaviour(request, response, count++)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  const arrived = async () => (await readFile(path())).equals(content);

  it('goes on after broken connections', async () => {
    behaviour = serve(9000);
    await download({ address, size, sha256 }, path(), options);
    expect(await arrived()).toBe(true);
    expect(count).toBeGreaterThan(3);
    expect(await readdir(folder)).toEqual(['model.bin']);
  });

  it('goes on from what an earlier run left', async () => {
    await writeFile(`${path()}.part`, content.subarray(0, 20_000));
    const starts: number[] = [];
    behaviour = (request, response, k) => (starts.push(rangeStart(request)), serve()(request, response, k));
    await download({ address, size, sha256 }, path(), options);
    expect(starts).toEqual([20_000]);
    expect(await arrived()).toBe(true);
  });

  it('starts over when the server ignores the range', async () => {
    await writeFile(`${path()}.part`, content.subarray(0, 20_000));
    behaviour = (_, response) => void response.writeHead(200, { 'content-length': size }).end(content);
    await download({ address, size, sha256 }, path(), options);
    expect(await arrived()).toBe(true);
  });

  it.each([
    [
      'sends more than it should',
      (response: ServerResponse) => response.writeHead(200).end(Buffer.concat([content, content])),
    ],
    [
      'sends less than it should',
      (response: ServerResponse) => response.writeHead(200, { 'content-length': 100 }).end(content.subarray(0, 100)),
    ],
    [
      'answers with another range',
      (response: ServerResponse) =>
        response.writeHead(206, { 'content-range': `bytes 7-${size - 1}/${size}` }).end(content.subarray(7)),
    ],
    ['falls silent', (response: ServerResponse) => response.writeHead(200, { 'content-length': size }).flushHeaders()],
  ])(
    'gives up in the end on a server that %s',
    async (_, answer) => {
      behaviour = (__, response) => void answer(response);
      await expect(download({ address, size, sha256 }, path(), { ...options, silence })).rejects.toThrow(
        /broke off at \d+ of 50000 bytes/,
      );
      expect((await readdir(folder)).filter((name) => name === 'model.bin')).toEqual([]);
    },
    20_000,
  );

  it('deletes a file whose hash is wrong', async () => {
    behaviour = serve();
    await expect(
      download({ address, size, sha256: sha256.replace(/^./, (c) => (c === '0' ? '1' : '0')) }, path(), options),
    ).rejects.toThrow('SHA-256 differs');
    expect(await readdir(folder)).toEqual([]);
  });

  it('tells a refusal at once', async () => {
    behaviour = (_, response) => void response.writeHead(403).end();
    await expect(download({ address, size }, path(), options)).rejects.toThrow('HTTP 403');
    expect(count).toBe(1);
  });

  it('needs free space first', async () => {
    await expect(download({ address, size: 1e18 }, path(), options)).rejects.toMatchObject({ code: 'disk-full' });
  });

  it('stops when cancelled and keeps the part', async () => {
    const stop = new AbortController();
    behaviour = serve(9000);
    await expect(
      download({ address, size, sha256 }, path(), {
        ...options,
        signal: stop.signal,
        onProgress: () => stop.abort(new Error('enough')),
      }),
    ).rejects.toThrow('enough');
    expect(await readdir(folder)).toEqual(['model.bin.part']);
  });

  it('takes length and hash from the publisher, and refuses a list without them', async () => {
    const listing: object[] = [
      { path: 'model.safetensors', size: 9, lfs: { oid: sha256, size } },
      { path: 'config.json', size: 12 },
    ];
    behaviour = (_, response) => void response.end(JSON.stringify(listing));
    expect(await publishedFiles('a/b', ['config.json', 'model.safetensors'], address)).toEqual([
      { address: `${address}/a/b/resolve/main/config.json`, size: 12 },
      { address: `${address}/a/b/resolve/main/model.safetensors`, size, sha256 },
    ]);
    listing[0] = { path: 'model.safetensors', size: 9, lfs: { oid: 'nonsense' } };
    await expect(publishedFiles('a/b', ['model.safetensors'], address)).rejects.toThrow(
      'does not name model.safetensors',
    );
  });
});

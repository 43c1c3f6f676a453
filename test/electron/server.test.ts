import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import { Readable } from 'node:stream';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { answerShell } from '../../electron/engine-process/answer.js';
import { EngineHost } from '../../electron/engine-process/host.js';
import { Engine } from '../../electron/engine/engine.js';
import { serve, type RunningServer } from '../../electron/server.js';
import { safeFileName } from '../../electron/contract/file-names.js';
import { storeUpload, UPLOAD_LIMIT } from '../../electron/server/upload.js';
import { ask, logIn, openPage, rendererFolder } from '../fixtures/browser-page.js';
import { roomPhotos } from '../fixtures/room-estimator.js';

let folder: string;
let photos: string;
let server: RunningServer;
let cookie: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-server-'));
  photos = await roomPhotos(folder, 3);
  const engine = new Engine({ dataFolder: join(folder, 'data'), threads: 1 });
  // The engine in this process: what is tested here is in front of it.
  const host = new EngineHost(() => {
    let tell: (message: unknown) => void = () => undefined;
    let hear: (message: unknown) => void = () => undefined;
    answerShell(
      engine,
      {
        send: (message) => tell(message),
        listen: (listener) => {
          hear = listener;
        },
      },
      pino({ enabled: false }),
    );
    return {
      send: (message) => hear(message),
      onMessage: (listener) => {
        tell = listener;
      },
      onExit: () => undefined,
      kill: () => undefined,
    };
  });
  server = await serve({ engine: host, renderer: rendererFolder(folder), dataFolder: join(folder, 'data') });
  ({ cookie } = await logIn(server));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const own = (): { cookie: string; origin: string } => ({ cookie, origin: `http://127.0.0.1:${server.port}` });

describe('who is let in', () => {
  test('an address for one use opens once, and says nothing of the token', async () => {
    const path = server.addressForOnce().slice(server.address.indexOf('/?'));
    expect(server.address).not.toContain(path);
    const first = await ask(server, path);
    expect([first.status, first.headers.location]).toEqual([303, '/']);
    expect((await ask(server, path)).status).toBe(403);
  });

  test('the printed address gives a cookie and takes the token out of the address bar', async () => {
    const { status, headers } = await ask(server, server.address.slice(server.address.indexOf('/?')));
    expect(status).toBe(303);
    expect(headers.location).toBe('/');
    expect(headers['set-cookie']![0]).toMatch(/HttpOnly; SameSite=Strict/);
  });

  test.each(['/', '/assets/index-AbCd1234.js', '/binary/thumbnail/1', '/upload?name=a.jpg'])(
    'nobody without the key: %s',
    async (path) => {
      for (const headers of [
        {},
        { cookie: `pointmap-${server.port}=${'x'.repeat(32)}` },
        { cookie: 'pointmap=1' },
      ] as Record<string, string>[]) {
        expect((await ask(server, path, { headers, method: path.startsWith('/upload') ? 'POST' : 'GET' })).status).toBe(
          403,
        );
      }
      expect((await ask(server, `/?token=${'x'.repeat(32)}`)).status).toBe(403);
      expect((await ask(server, '/?token=')).status).toBe(403);
    },
  );

  test('a foreign Host is refused, even with the key: a name that was made to point here', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${server.port}`,
      '127.0.0.1',
      `127.0.0.1:${server.port}.evil.example`,
    ]) {
      expect((await ask(server, '/', { headers: { ...own(), host } })).status).toBe(403);
      expect(
        (await ask(server, server.address.slice(server.address.indexOf('/?')), { headers: { host } })).status,
      ).toBe(403);
    }
    expect((await ask(server, '/', { headers: own() })).status).toBe(200);
  });

  test('a foreign page is refused by its Origin and by what the browser says of it', async () => {
    for (const origin of [
      'http://evil.example',
      'null',
      `https://127.0.0.1:${server.port}`,
      `http://127.0.0.1:${server.port + 1}`,
    ]) {
      expect((await ask(server, '/binary/thumbnail/1', { headers: { cookie, origin } })).status).toBe(403);
      expect(
        (await ask(server, '/upload?name=a.jpg', { method: 'POST', body: 'x', headers: { cookie, origin } })).status,
      ).toBe(403);
    }
    for (const site of ['cross-site', 'same-site'])
      expect((await ask(server, '/binary/thumbnail/1', { headers: { cookie, 'sec-fetch-site': site } })).status).toBe(
        403,
      );
  });

  test('a WebSocket needs the key, our Origin and our address', async () => {
    const attempt = (path: string, headers: Record<string, string>): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers });
        socket.on('open', () => {
          resolve('open');
          socket.close();
        });
        socket.on('error', ({ message }) => resolve(message));
      });
    expect(await attempt('/api', own())).toBe('open');
    expect(await attempt('/api', { origin: own().origin })).toMatch(/403/);
    expect(await attempt('/api', { cookie })).toMatch(/403/);
    expect(await attempt('/api', { ...own(), origin: 'http://evil.example' })).toMatch(/403/);
    expect(await attempt('/api', { ...own(), host: 'evil.example' })).toMatch(/403/);
    expect(await attempt('/other', own())).toMatch(/403/);
  });

  test('only the loopback interface is listened on', async () => {
    const { networkInterfaces } = await import('node:os');
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((each) => each && !each.internal && each.family === 'IPv4')?.address;
    if (!outside) return;
    const reached = await new Promise((resolve) =>
      createConnection(server.port, outside)
        .on('connect', () => resolve(true))
        .on('error', () => resolve(false)),
    );
    expect(reached).toBe(false);
  });
});

describe('what is sent', () => {
  test('the page allows itself nothing from elsewhere', async () => {
    const { headers, body } = await ask(server, '/', { headers: own() });
    expect(body.toString()).toContain('Pointmap Studio');
    expect(headers['content-security-policy']).toMatch(
      /default-src 'none'.*script-src 'self';.*frame-ancestors 'none'/,
    );
    expect(headers['content-security-policy']).not.toMatch(/unsafe-eval|script-src[^;]*unsafe/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['cache-control']).toBe('no-cache');
  });

  test('scripts are compressed, and kept by the browser', async () => {
    const { headers, body } = await ask(server, '/assets/index-AbCd1234.js', {
      headers: { ...own(), 'accept-encoding': 'gzip, br' },
    });
    expect(headers).toMatchObject({ 'content-encoding': 'br', 'content-type': 'text/javascript; charset=utf-8' });
    expect(headers['cache-control']).toMatch(/immutable/);
    expect(brotliDecompressSync(body).toString()).toContain('answer = 42');
    expect(body.length).toBeLessThan(200);
    const plain = await ask(server, '/assets/index-AbCd1234.js', { headers: own() });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toContain('answer = 42');
    expect((await ask(server, '/assets/index-AbCd1234.js.br', { headers: own() })).status).toBe(404);
  });

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//etc/passwd',
    '/etc/passwd',
    '/binary/../../secret.txt',
    '/binary/photo/..%2f..%2fsecret.txt',
    '/binary/%E0%A4%A',
    `/binary/${'x'.repeat(1001)}`,
    `/binary/${'thumbnail/'.repeat(1000)}`,
    'http://evil.example/',
    '/%00',
  ])('no path leads outside: %s', async (path) => {
    const { status, body } = await ask(server, path, { headers: own() });
    expect([400, 404]).toContain(status);
    expect(body.toString()).not.toMatch(/secret$|root:/);
  });

  test('methods that mean nothing here are refused', async () => {
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'POST'])
      expect((await ask(server, '/', { method, headers: own() })).status).toBe(405);
    expect((await ask(server, '/', { method: 'HEAD', headers: own() })).status).toBe(200);
  });
});

describe('dropped files', () => {
  test('take room once however often they come, and others of their name are kept apart', async () => {
    const dropped = async (name: string, file: string): Promise<string> => {
      const { body } = await ask(server, `/upload?name=${name}`, {
        method: 'POST',
        body: readFileSync(join(photos, file)),
        headers: own(),
      });
      return (JSON.parse(body.toString()) as { path: string }).path;
    };
    const path = await dropped('photo.png', '1.png');
    const count = readdirSync(join(folder, 'data', 'uploads')).length;
    expect(await dropped('photo.png', '1.png')).toBe(path);
    expect(readdirSync(join(folder, 'data', 'uploads'))).toHaveLength(count);
    const other = await dropped('photo.png', '2.png');
    expect(other).not.toBe(path);
    expect(readFileSync(other).equals(readFileSync(join(photos, '2.png')))).toBe(true);
    expect(readFileSync(path).equals(readFileSync(join(photos, '1.png')))).toBe(true);
  });

  test('are stored under a name that can do no harm, and can be added', async () => {
    const photo = readFileSync(join(photos, '0.png'));
    const answers = [];
    for (const name of ['0.png', '..%2F..%2F0.png', 'C%3A%5Cphotos%5C0.png'])
      answers.push(await ask(server, `/upload?name=${name}`, { method: 'POST', body: photo, headers: own() }));
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      const { path } = JSON.parse(body.toString()) as { path: string };
      expect(path.startsWith(join(folder, 'data', 'uploads'))).toBe(true);
      expect(path.endsWith('0.png')).toBe(true);
      expect(readFileSync(path).equals(photo)).toBe(true);
    }
    const { path } = JSON.parse(answers[0]!.body.toString()) as { path: string };
    const page = await openPage(server);
    await page.request('project.create', {});
    expect(await page.request('photos.add', { paths: [path] })).toEqual({ added: 1, refused: [] });
    const state = (await page.request('project.state', {}))!;
    const thumbnail = await ask(server, `/binary/thumbnail/${state.photos[0]!.id}`, { headers: own() });
    expect(thumbnail.headers['content-type']).toBe('image/jpeg');
    expect(thumbnail.body.subarray(0, 2).toString('hex')).toBe('ffd8');
    await page.request('project.close', {});
    await page.close();
  });

  test('names are cleaned', () => {
    expect(safeFileName('IMG 0001.JPG')).toBe('IMG 0001.JPG');
    expect(safeFileName('été à la mer.jpg')).toBe('été à la mer.jpg');
    expect(safeFileName('../../etc/passwd')).toBe('passwd');
    expect(safeFileName('a\u0000b<>.jpg')).toBe('a_b__.jpg');
    for (const bad of ['', '.', '..', '...', '/', '   ']) expect(safeFileName(bad)).toBe('photo');
    expect(safeFileName('con.jpg')).toBe('photo-con.jpg');
    expect(safeFileName(`${'a'.repeat(300)}.jpg`)).toHaveLength(180);
    expect(safeFileName(`${'.'.repeat(300)}jpg`)).toBe('jpg');
  });

  test('too large ones are refused before a byte is stored, broken ones leave nothing', async () => {
    const before = readdirSync(join(folder, 'data', 'uploads')).length;
    const { status, body } = await ask(server, '/upload?name=big.jpg', {
      method: 'POST',
      headers: { ...own(), 'content-length': String(UPLOAD_LIMIT + 1) },
    });
    expect(status).toBe(400);
    expect(body.toString()).toContain('larger than 512 MB');
    await new Promise<void>((resolve) => {
      const socket = createConnection(server.port, '127.0.0.1', () => {
        socket.write(
          `POST /upload?name=cut.jpg HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nCookie: ${cookie}\r\nContent-Length: 1000\r\n\r\nabc`,
          () =>
            setTimeout(() => {
              socket.destroy();
              resolve();
            }, 50),
        );
      });
    });
    await expect.poll(() => readdirSync(join(folder, 'data', 'uploads')).length).toBe(before);
  });

  test('all together take no more room than there is for them', async () => {
    const uploads = join(folder, 'data', 'limited');
    const post = (bytes: number): IncomingMessage =>
      Object.assign(Readable.from([Buffer.alloc(bytes, bytes)]), {
        headers: { 'content-length': String(bytes) },
      }) as unknown as IncomingMessage;
    const limits = { total: 100, reserve: 0 };
    for (const bytes of [40, 50]) await storeUpload(post(bytes), uploads, 'a.jpg', limits);
    await expect(storeUpload(post(20), uploads, 'b.jpg', limits)).rejects.toThrow(
      /remove those of old projects, or add photos by their path/,
    );
    await expect(storeUpload(post(1), uploads, 'c.jpg', { total: 1000, reserve: Infinity })).rejects.toThrow(
      /the disk is full/,
    );
    expect(readdirSync(uploads)).toHaveLength(2);
  });

  test('that come at once, or do not say how long they are, take no more room either', async () => {
    const uploads = join(folder, 'data', 'at-once');
    const limits = { total: 100, reserve: 0 };
    const post = (bytes: number, headers: object): IncomingMessage =>
      Object.assign(Readable.from([Buffer.alloc(bytes, bytes)]), { headers }) as unknown as IncomingMessage;
    const store = (bytes: number, headers: object): Promise<string> =>
      storeUpload(post(bytes, headers), uploads, 'a.jpg', limits);
    const ended = await Promise.allSettled(
      [40, 41, 42, 43].map((bytes) => store(bytes, { 'content-length': String(bytes) })),
    );
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    await expect(store(20, {})).rejects.toThrow(/remove those of old projects/);
    // What was refused, and what was there already, took nothing.
    for (let k = 0; k < 3; k++) await store(40, {}).catch(() => undefined);
    await store(19, {});
    expect(readdirSync(uploads)).toHaveLength(3);
  });
});

describe('conversation', () => {
  test('what is no message of the protocol ends the connection, and nothing else', async () => {
    const other = await openPage(server);
    for (const [message, code] of [
      ['{', 1008],
      ['[]', 1008],
      ['"ask"', 1008],
      ['{"id":-1,"name":"app.info"}', 1008],
      ['{"id":1,"name":7}', 1008],
      ['x'.repeat(5 * 2 ** 20), 1009],
    ] as const) {
      const page = await openPage(server);
      const closed = new Promise<number>((resolve) => page.socket.on('close', resolve));
      page.socket.send(message);
      expect(await closed).toBe(code);
    }
    expect((await other.request('app.info', {})).desktop).toBe(false);
    await other.close();
  });

  test('bytes that are no HTTP, and frames that are no frames, end their connection, and nothing else', async () => {
    const other = await openPage(server);
    const said = (...parts: (string | Buffer)[]): Promise<string> =>
      new Promise((resolve) => {
        const socket = createConnection(server.port, '127.0.0.1');
        let answer = '';
        socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(answer));
        for (const part of parts) socket.write(part);
        // One that the server still waits for more of is ended here.
        setTimeout(() => socket.end(), 50);
      });
    const host = `Host: 127.0.0.1:${server.port}\r\nCookie: ${cookie}\r\n`;
    const requests = [
      '\0\0\0\0\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `GET / HTTP/1.1\r\n${host}${'X-Long: y\r\n'.repeat(20_000)}\r\n`,
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`,
      `POST /upload?name=a.jpg HTTP/1.1\r\n${host}Content-Length: -5\r\n\r\nabc`,
      `POST /upload?name=a.jpg HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc`,
      `POST /upload?name=a.jpg HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc`,
      `GET /ws HTTP/1.1\r\n${host}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 1\r\nSec-WebSocket-Key: x\r\n\r\n`,
      Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    ];
    for (const request of requests) expect(await said(request)).not.toMatch(/^HTTP\/1.1 2| {4}at /);

    const upgrade = `GET ${new URL(other.socket.url).pathname} HTTP/1.1\r\n${host}Origin: ${own().origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
    const frames: number[][] = [
      // Without a mask, of a reserved kind, with a reserved bit, of 2^63 bytes, of more than is taken.
      [0x81, 2, 0x7b, 0x7d],
      [0x83, 0x80, 0, 0, 0, 0],
      [0xc1, 0x80, 0, 0, 0, 0],
      [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
      [0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
      // The rest of nothing, a ping in parts, text that is no text, a close with a code that there is not.
      [0x80, 0x80, 0, 0, 0, 0],
      [0x09, 0x80, 0, 0, 0, 0],
      [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe],
      [0x88, 0x82, 0, 0, 0, 0, 0, 1],
    ];
    for (let k = 0; k < 40; k++) frames.push([...randomBytes(40)]);
    for (const frame of frames) expect(await said(upgrade, Buffer.from(frame))).toMatch(/^HTTP\/1.1 101/);
    expect((await other.request('app.info', {})).desktop).toBe(false);
    await other.close();
  });

  test('unknown names and bad parameters are answered in words', async () => {
    const page = await openPage(server);
    await expect(page.request('constructor' as 'app.info', {})).rejects.toThrow("there is no request 'constructor'");
    await expect(page.request('project.open', { path: 7 as unknown as string })).rejects.toThrow(
      /bad parameters for project.open: path/,
    );
    await expect(page.request('project.open', { path: join(folder, 'none.pointmap') })).rejects.toMatchObject({
      code: 'not-found',
    });
    await page.close();
  });

  test('two pages see one project, and each gets its own answers', async () => {
    const [a, b] = [await openPage(server), await openPage(server)];
    const seen = new Promise<string>((resolve) => b.on('project.changed', ({ path }) => resolve(path)));
    const { path } = await a.request('project.create', { path: join(folder, 'shared.pointmap') });
    expect(await seen).toBe(path);
    const [info, state] = await Promise.all([a.request('app.info', {}), b.request('project.state', {})]);
    expect(info.threads).toBe(1);
    expect(state!.path).toBe(path);
    await a.close();
    expect((await b.request('project.state', {}))!.path).toBe(path);
    await b.request('project.close', {});
    await b.close();
  });

  test('folders are listed with what can be chosen from them', async () => {
    const page = await openPage(server);
    const { entries, parent } = await page.request('files.list', { path: folder });
    expect(parent).toBe(tmpdir());
    expect(entries.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'folder data',
      'folder photos',
      'folder renderer',
      'project shared.pointmap',
    ]);
    await expect(page.request('files.list', { path: join(folder, 'none') })).rejects.toThrow(
      /there is no such folder; choose another/,
    );
    const project = join(folder, 'shared.pointmap');
    expect(await page.request('files.list', { path: project })).toMatchObject({ path: folder, file: project });
    expect((await page.request('files.list', { path: '~' })).path).toBe(homedir());
    await page.close();
  });
});

test('a taken port and a missing interface are told in one line', async () => {
  const engine = new EngineHost(() => ({
    send: () => undefined,
    onMessage: () => undefined,
    onExit: () => undefined,
    kill: () => undefined,
  }));
  await expect(
    serve({ engine, renderer: join(folder, 'renderer'), dataFolder: folder, port: server.port }),
  ).rejects.toThrow(`port ${server.port} is taken; choose another with --port, or leave it out`);
  await expect(serve({ engine, renderer: join(folder, 'none'), dataFolder: folder })).rejects.toThrow(/npm run build/);
});

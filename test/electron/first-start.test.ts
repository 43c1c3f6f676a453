import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, crc32 } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { electronFiles, fetchElectronFiles } from '../../build/electron-files.mjs';
import { download } from '../../build/fetch.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let server: Server;
let address: string;
const published = new Map<string, Buffer>();
let asked: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-start-'));
  server = createServer(({ url }, response) => {
    asked.push(url!);
    const body = published.get(url!);
    if (url === '/silent') return;
    if (url === '/cut') {
      response.writeHead(200, { 'content-length': 100 });
      response.write('abc', () => response.destroy());
      return;
    }
    response.writeHead(body ? 200 : 404, body ? { 'content-length': body.length } : {}).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
  published.clear();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a download', () => {
  const file = (): string => join(folder, 'file');

  test('counts, checks and only then has its name', async () => {
    const body = Buffer.alloc(300_000, 'x');
    published.set('/a', body);
    const counts: number[] = [];
    await download('It', `${address}/a`, file(), {
      sha256: createHash('sha256').update(body).digest('hex'),
      onProgress: (done: number, total: number) => {
        counts.push(done);
        expect(total).toBe(300_000);
      },
    });
    expect(readFileSync(file()).equals(body)).toBe(true);
    expect(counts.at(-1)).toBe(300_000);
    rmSync(file());
  });

  test.each([
    ['/none', /answered 404/],
    ['/cut', /^It could not be downloaded \(.+\)/],
    ['/silent', /no answer for 0.2 s/],
  ])('that fails says why and leaves nothing: %s', async (path, why) => {
    await expect(download('It', `${address}${path}`, file(), { silence: 200 })).rejects.toThrow(why);
    expect(readdirSync(folder).filter((name) => name.startsWith('file'))).toEqual([]);
  });

  test('of something else than was published is refused', async () => {
    published.set('/a', Buffer.from('tampered'));
    await expect(download('It', `${address}/a`, file(), { sha256: '0'.repeat(64) })).rejects.toThrow(
      /checksum differs/,
    );
    expect(existsSync(file())).toBe(false);
  });

  test("from where nobody answers names the system's reason", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await expect(download('It', `http://127.0.0.1:${port}/a`, file())).rejects.toThrow(/ECONNREFUSED/);
  });
});

/** One stored file, as a zip. */
function zip(name: string, content: Buffer): Buffer {
  const body = deflateRawSync(content);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(body.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, Buffer.from(name), body]);
  const central = Buffer.concat([
    Buffer.from('PK\u0001\u0002'),
    Buffer.from([20, 3]),
    common,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  central.writeUInt32LE((0o100755 << 16) >>> 0, 38);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

function tarball(): Buffer {
  const source = join(folder, 'tar');
  mkdirSync(join(source, 'build', 'Release'), { recursive: true });
  writeFileSync(join(source, 'build', 'Release', 'better_sqlite3.node'), 'native');
  return spawnSync('tar', ['-cz', '-C', source, 'build']).stdout;
}

describe('Electron and its SQLite', () => {
  const { version, abi } = electronFiles();
  const sqliteVersion = (
    JSON.parse(readFileSync(join(root, 'node_modules', 'better-sqlite3', 'package.json'), 'utf8')) as {
      version: string;
    }
  ).version;
  // A system without an installed Electron of its own, whatever this one is.
  const system = { platform: 'linux', arch: 'arm64' } as const;
  const name = `electron-v${version}-linux-arm64.zip`;
  const environment = (): Record<string, string> => ({
    ELECTRON_MIRROR: `${address}/electron/`,
    npm_config_better_sqlite3_binary_host: `${address}/sqlite`,
  });
  const sqlitePath = `/sqlite/v${sqliteVersion}/better-sqlite3-v${sqliteVersion}-electron-v${abi}-linux-arm64.tar.gz`;

  test('are fetched once, into a place of their own', async () => {
    const archive = zip('electron', Buffer.from('#!/bin/sh\n'));
    published.set(`/electron/v${version}/${name}`, archive);
    published.set(sqlitePath, tarball());
    const cache = join(folder, 'cache');
    const seen = new Set<string>();
    const options = {
      ...system,
      cache,
      environment: environment(),
      checksums: { [name]: createHash('sha256').update(archive).digest('hex') },
      onProgress: (what: string) => seen.add(what),
    };
    const files = await fetchElectronFiles(options);
    expect(readFileSync(files.program, 'utf8')).toBe('#!/bin/sh\n');
    expect(readFileSync(files.sqlite, 'utf8')).toBe('native');
    expect(files.program.startsWith(cache) && files.sqlite.startsWith(cache)).toBe(true);
    expect([...seen]).toEqual(['Electron', 'SQLite for Electron']);
    expect(asked).toHaveLength(2);
    await fetchElectronFiles(options);
    expect(asked).toHaveLength(2);
    expect(readdirSync(files.folder).some((each) => /\.(part|zip|gz)/.test(each))).toBe(false);
  });

  test("are refused when they are not what was published, and said so when they can't be had", async () => {
    const cache = join(folder, 'other');
    published.set(`/electron/v${version}/${name}`, Buffer.from('not a zip'));
    await expect(
      fetchElectronFiles({ ...system, cache, environment: environment(), checksums: { [name]: '0'.repeat(64) } }),
    ).rejects.toThrow(/checksum differs/);
    await expect(fetchElectronFiles({ ...system, cache, environment: environment(), checksums: {} })).rejects.toThrow(
      /there is no Electron .* for this system/,
    );
    await expect(fetchElectronFiles({ ...system, cache, environment: environment(), only: 'sqlite' })).rejects.toThrow(
      /could not be downloaded \(answered 404\)/,
    );
    published.set(sqlitePath, Buffer.from('not a tar'));
    await expect(fetchElectronFiles({ ...system, cache, environment: environment(), only: 'sqlite' })).rejects.toThrow(
      /could not be unpacked/,
    );
    expect(existsSync(electronFiles({ ...system, cache }).sqlite)).toBe(false);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sayCoordinator } from '../../electron/execution/alive.js';
import { QueueWatch } from '../../electron/execution/status.js';
import { hasRedis, RedisServer } from '../fixtures/farm.js';

describe.skipIf(!hasRedis)('who looks at a queue again and again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-watch-'));
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start(folder);
  });
  afterAll(async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('does it over one connection, and over another when the server was away', async () => {
    const redis = new Redis(server.url);
    const opened = async (): Promise<number> =>
      Number(/total_connections_received:(\d+)/.exec(await redis.info('stats'))![1]);
    const run = { host: 'here', pid: 7, program: '0.0.9', store: 'a store', since: 0 };
    const watch = new QueueWatch(server.url);
    await sayCoordinator(redis, 'a run', run);
    const seen = { coordinators: [run], queues: [{ program: '0.0.9', store: 'a store', waiting: 0, active: 0 }] };
    expect(await watch.look()).toMatchObject(seen);
    const before = await opened();
    for (let k = 0; k < 3; k++) expect(await watch.look()).toMatchObject(seen);
    expect(await opened()).toBe(before);
    redis.disconnect();

    await server.kill();
    await expect(watch.look()).rejects.toThrow(/no Redis answers there \(ECONNREFUSED\)/);
    await server.begin();
    expect(await watch.look()).toEqual({ workers: [], coordinators: [], queues: [] });
    await watch.close();
  });
});

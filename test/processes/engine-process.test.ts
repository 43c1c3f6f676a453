import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pino } from 'pino';
import { answerShell } from '../../electron/engine-process/answer.js';
import type { EngineChannel } from '../../electron/engine-process/channel.js';
import { forkEngine } from '../../electron/engine-process/fork.js';
import { EngineHost } from '../../electron/engine-process/host.js';
import { logFile, openLog } from '../../electron/engine-process/log.js';
import { Engine } from '../../electron/engine/engine.js';
import { serve, type RunningServer } from '../../electron/server.js';
import { openPage, rendererFolder, type Page } from '../fixtures/browser-page.js';
import { fixtureProgram, program } from '../fixtures/program.js';
import { roomPhotos } from '../fixtures/room-estimator.js';

const entry = fixtureProgram('room-engine-process');
const until = (page: Page, state: string): Promise<void> =>
  new Promise((resolve) => {
    const stop = page.on('job.changed', (job) => {
      if (job.state === state) {
        stop();
        resolve();
      }
    });
  });

describe('behind a server', () => {
  let folder: string;
  let server: RunningServer;
  let host: EngineHost;
  let processes: EngineChannel[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-process-'));
    processes = [];
    host = new EngineHost(() => {
      const channel = forkEngine({ dataFolder: join(folder, 'data') }, entry);
      processes.push(channel);
      return channel;
    });
  });
  afterEach(async () => {
    await server.close();
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function running(): Promise<Page> {
    server = await serve({ engine: host, renderer: rendererFolder(folder), dataFolder: folder });
    const page = await openPage(server);
    await page.request('project.create', { path: join(folder, 'room.pointmap') });
    await page.request('photos.add', { paths: [await roomPhotos(folder, 5)] });
    await page.request('edit.apply', {
      edit: { kind: 'settings', settings: { estimator: 'room', graph: 'complete' } },
    });
    const stored = new Promise<void>((resolve) => {
      const stop = page.on('project.changed', ({ pairs }) => {
        if (pairs.some(({ state }) => state === 'observed')) {
          stop();
          resolve();
        }
      });
    });
    await page.request('run.start', {});
    await stored;
    return page;
  }

  test('a page that is reloaded in the middle of a run finds it going on', { timeout: 60_000 }, async () => {
    const page = await running();
    await page.close();
    const reloaded = await openPage(server);
    const { job, path } = (await reloaded.request('project.state', {}))!;
    expect(job).toMatchObject({ state: 'running', stage: 'pointmaps' });
    expect(path).toBe(join(folder, 'room.pointmap'));
    await until(reloaded, 'finished');
    expect((await reloaded.request('project.state', {}))!.photos.every(({ placed }) => placed)).toBe(true);
    await reloaded.close();
  });

  test(
    'an engine that is killed in the middle of a run is started again, with the project open and the run to be resumed',
    { timeout: 60_000 },
    async () => {
      const page = await running();
      const stopped = new Promise<string>((resolve) => page.on('engine.stopped', ({ reason }) => resolve(reason)));
      const inFlight = page
        .request('log.read', {})
        .then(() => page.request('export.estimate', { formats: ['ply'] }))
        .catch((error: Error) => error.message);
      processes[0]!.kill();
      expect(await stopped).toMatch(
        /^the engine stopped \(SIGTERM\) and was started again; every pair computed so far is kept/,
      );
      // Asked at once, answered when the project is open again: never "no project".
      const state = (await page.request('project.state', {}))!;
      expect(state.path).toBe(join(folder, 'room.pointmap'));
      expect(state.job).toMatchObject({
        state: 'failed',
        error: expect.stringMatching(/interrupted.*start it again to go on/) as string,
      });
      expect(processes).toHaveLength(2);
      expect(await inFlight).toBeDefined();

      const kept = state.pairs.filter((pair) => pair.state === 'observed').length;
      expect(kept).toBeGreaterThan(0);
      await page.request('run.resume', {});
      await until(page, 'finished');
      const end = (await page.request('project.state', {}))!;
      expect(end.pairs.filter((pair) => pair.state === 'observed')).toHaveLength(10);
      // The mark is gone: opened again, it is a finished project.
      expect((await page.request('project.open', { path: end.path })).job).toEqual({ state: 'idle' });
      await page.close();
    },
  );
});

describe('the host', () => {
  /** A process made of nothing, to be driven by hand. */
  interface Fake extends EngineChannel {
    sent: { id: number; name?: string; params?: unknown }[];
    tell(message: unknown): void;
    exit(how: string): void;
    killed: boolean;
  }
  function fake(): Fake {
    const exits: ((how: string) => void)[] = [];
    let tell: (message: unknown) => void = () => undefined;
    const channel: Fake = {
      sent: [],
      killed: false,
      send: (message) => channel.sent.push(message as Fake['sent'][number]),
      onMessage: (listener) => {
        tell = listener;
      },
      onExit: (listener) => exits.push(listener),
      kill: () => {
        channel.killed = true;
        channel.exit('SIGTERM');
      },
      tell: (message) => tell(message),
      exit: (how) => exits.forEach((listener) => listener(how)),
    };
    return channel;
  }
  const make = (): { host: EngineHost; started: Fake[]; events: [string, unknown][] } => {
    const started: Fake[] = [];
    const events: [string, unknown][] = [];
    const host = new EngineHost(() => {
      const channel = fake();
      started.push(channel);
      return channel;
    });
    host.on((event, payload) => events.push([event, payload]));
    return { host, started, events };
  };

  test('fails what was asked of a process that ended, and asks the next one', async () => {
    const { host, started } = make();
    const lost = host.ask('app.info', {});
    await new Promise(setImmediate);
    started[0]!.exit('code 134');
    await expect(lost).rejects.toThrow('the engine stopped (code 134) before it answered; try again');
    const next = host.ask('app.info', {});
    await new Promise(setImmediate);
    started[1]!.tell({ id: started[1]!.sent[0]!.id, result: 7 });
    expect(await next).toBe(7);
  });

  test('opens the project again before anything else is answered, and says when that fails', async () => {
    const { host, started, events } = make();
    started[0]!.tell({ event: 'project.changed', payload: { path: '/p.pointmap', photos: [] } });
    started[0]!.exit('SIGSEGV');
    const asked = host.ask('project.state', {});
    await new Promise(setImmediate);
    expect(started[1]!.sent).toMatchObject([{ name: 'project.open', params: { path: '/p.pointmap' } }]);
    started[1]!.tell({ id: started[1]!.sent[0]!.id, error: { code: 'damaged', message: 'broken' } });
    await new Promise(setImmediate);
    expect(started[1]!.sent).toHaveLength(2);
    started[1]!.tell({ id: started[1]!.sent[1]!.id, result: null });
    expect(await asked).toBeNull();
    expect(events.map(([name]) => name)).toEqual(['project.changed', 'engine.stopped', 'engine.stopped']);
    expect(events[2]![1]).toEqual({ reason: 'the project could not be opened again: broken' });
  });

  test('a project that ends the engine as it is opened again stays closed, and blocks nothing', async () => {
    const { host, started, events } = make();
    started[0]!.tell({ event: 'project.changed', payload: { path: '/p.pointmap', photos: [] } });
    started[0]!.exit('SIGSEGV');
    const asked = host.ask('app.info', {});
    started[1]!.exit('SIGSEGV');
    expect(events.at(-1)![1]).toMatchObject({
      reason: expect.stringMatching(/while it opened the project again.*pointmap recover.*: \/p\.pointmap$/) as string,
    });
    await new Promise(setImmediate);
    expect(started).toHaveLength(3);
    expect(started[2]!.sent).toMatchObject([{ name: 'app.info' }]);
    started[2]!.tell({ id: started[2]!.sent[0]!.id, result: 7 });
    expect(await asked).toBe(7);
  });

  test('does not start a process for ever that always crashes, but again when asked', async () => {
    const { host, started, events } = make();
    for (let k = 0; k < 10; k++) started.at(-1)!.exit('code 1');
    expect(started).toHaveLength(4);
    expect(events.at(-1)![1]).toMatchObject({ reason: expect.stringMatching(/4 times within a minute/) as string });
    void host.ask('app.info', {}).catch(() => undefined);
    await new Promise(setImmediate);
    expect(started).toHaveLength(5);
    expect(started[4]!.sent).toHaveLength(1);
  });

  test('a process that sends what is no message is ended and replaced', () => {
    const { started, events } = make();
    started[0]!.tell({ nonsense: true });
    expect(started[0]!.killed).toBe(true);
    expect(started).toHaveLength(2);
    expect(events.map(([name]) => name)).toEqual(['engine.stopped']);
    started[1]!.tell({ event: 'made.up', payload: 1 });
    expect(events).toHaveLength(1);
  });

  test('closing closes the project first, and starts nothing again', async () => {
    const { host, started, events } = make();
    const closed = host.close();
    expect(started[0]!.sent).toMatchObject([{ name: 'project.close' }]);
    started[0]!.tell({ id: started[0]!.sent[0]!.id, result: null });
    await closed;
    expect(started).toHaveLength(1);
    expect(events).toEqual([]);
    await expect(host.ask('app.info', {})).rejects.toThrow('the studio is closing');
  });
});

describe('the answering side', () => {
  test('refuses what is no message of the protocol, and goes on', async () => {
    const sent: { id: number; error?: unknown; result?: unknown }[] = [];
    let hear: (message: unknown) => void = () => undefined;
    answerShell(
      new Engine({ threads: 1 }),
      {
        send: (message) => sent.push(message as (typeof sent)[number]),
        listen: (listener) => {
          hear = listener;
        },
      },
      pino({ enabled: false }),
    );
    for (const message of [{ id: 1, binary: 'x'.repeat(5000) }, { id: 2 }, null, 'text', { id: -1, name: 7 }, []])
      hear(message);
    hear({ id: 3, name: 'project.state', params: {} });
    await expect.poll(() => sent.length).toBe(3);
    expect(sent).toMatchObject([
      { id: 1, error: { code: 'usage' } },
      { id: 2, error: { code: 'usage' } },
      { id: 3, result: null },
    ]);
  });
});

describe('the log', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pointmap-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const lines = (file: string): { msg: string; err?: { stack: string } }[] =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });

  test(
    'tells of the start, of questions that were refused, and of every line of the project',
    { timeout: 30_000 },
    async () => {
      const host = new EngineHost(() => forkEngine({ dataFolder: folder, threads: 1 }));
      expect(await host.ask('app.info', {})).toMatchObject({ threads: 1, desktop: false });
      await expect(host.ask('project.open', { path: join(folder, 'none.pointmap') })).rejects.toThrow(
        'there is no such project',
      );
      await host.ask('project.create', {});
      await host.ask('photos.add', { paths: [folder] });
      await host.close();
      const told = lines(logFile(folder)).map(({ msg }) => msg);
      expect(told[0]).toBe('engine started');
      expect(told[1]).toBe('project.open');
      expect(told[2]).toMatch(/^left out: no photos in this folder/);
    },
  );

  test("starts anew when it is long, and does without when it can't be written", () => {
    openLog(folder).info('first');
    expect(lines(logFile(folder))).toMatchObject([{ msg: 'first' }]);
    writeFileSync(logFile(folder), 'x'.repeat(6 * 2 ** 20));
    openLog(folder).error({ err: new Error('broken') }, 'second');
    expect(lines(logFile(folder))[0]!.err!.stack).toContain('broken');
    expect(statSync(`${logFile(folder)}.1`).size).toBe(6 * 2 ** 20);
    writeFileSync(join(folder, 'file'), '');
    openLog(join(folder, 'file')).info('nowhere');
  });
});

test('by hand, without a shell, the engine process says what it is', () => {
  let output = '';
  try {
    execFileSync(process.execPath, [join(dirname(program), 'engine-process.js')], { stdio: 'pipe' });
  } catch (error) {
    output = String((error as { stderr: Buffer }).stderr);
  }
  expect(output).toContain('is started by a shell');
});

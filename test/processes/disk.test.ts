import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine as EngineOf } from '../../electron/engine/engine.js';
import { Engine } from '../../electron/engine/engine.js';
import { program } from '../fixtures/program.js';
import { roomEstimator, roomPhotos } from '../fixtures/room-estimator.js';
import { smallDisk } from '../fixtures/small-disk.js';

const disk = smallDisk(24);
let folder: string;
let photos: string;
let project: string;
let cameras: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-places-'));
  photos = await roomPhotos(folder, 4);
  project = join(folder, 'whole.pointmap');
  const engine = engineFor();
  await prepare(engine, project);
  await engine.request('run.start', {});
  expect(await engine.settled()).toMatchObject({ state: 'finished' });
  cameras = camerasOf(engine);
  await engine.close();
});
afterAll(() => {
  disk?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const calls = { observed: 0 };
const engineFor = (dataFolder = join(folder, 'data')): EngineOf =>
  new Engine({ dataFolder, threads: 1, estimators: [() => [roomEstimator(calls)]] });
const camerasOf = (engine: EngineOf): string => JSON.stringify(engine.open.alignment?.components[0]?.cameras);
async function prepare(engine: EngineOf, path: string): Promise<void> {
  await engine.request('project.create', { path });
  await engine.request('photos.add', { paths: [photos] });
  const settings = { estimator: 'room', graph: 'complete' };
  await engine.request('edit.apply', { edit: { kind: 'settings', settings } });
}
const stray = (of: string): string[] => readdirSync(of).filter((name) => /partial|-journal|\.new$/.test(name));

describe.skipIf(!disk)('a disk that is full', () => {
  // From nothing to what all pairs take: the end comes at another statement of another stage each time.
  test.each([0, 8, 40, 100, 200, 300, 400, 600].map((kilobytes) => kilobytes * 1024))(
    'with %i bytes left, a run fails in one line, and goes on where it was when there is room',
    async (left) => {
      const path = join(disk!.folder, `run-${left}.pointmap`);
      disk!.free();
      let engine = engineFor(join(disk!.folder, 'data'));
      await prepare(engine, path);
      disk!.fill(left);
      const [first] = await Promise.allSettled([engine.request('run.start', {})]);
      const { state, error } = await engine.settled();
      // All pairs take a quarter of a megabyte.
      if (left < 100_000) expect(state).not.toBe('finished');
      if (first.status === 'rejected' || state !== 'finished') {
        const told = first.status === 'rejected' ? (first.reason as Error).message : error;
        expect(told).toMatch(/^the disk is full; [^\n]*: \/[^\n]*$/);
      }
      await engine.close();
      disk!.free();
      engine = engineFor(join(disk!.folder, 'data'));
      const before = (calls.observed = 0);
      await engine.request('project.open', { path });
      await engine.request('run.start', {});
      expect(await engine.settled()).toMatchObject({ state: 'finished' });
      expect(camerasOf(engine)).toBe(cameras);
      expect(calls.observed - before).toBeLessThanOrEqual(6);
      await engine.close();
      expect(stray(disk!.folder)).toEqual([]);
      rmSync(path);
    },
  );

  test('keeps the project, and what has the name, when one is saved to it', async () => {
    const target = join(disk!.folder, 'saved.pointmap');
    disk!.free();
    const engine = engineFor();
    const own = join(folder, 'saving.pointmap');
    copyFileSync(project, own);
    await engine.request('project.open', { path: own });
    for (const left of [0, 4096, 65_536, 200_000]) {
      disk!.fill(left);
      await expect(engine.request('project.saveAs', { path: target })).rejects.toMatchObject({ code: 'disk-full' });
      expect(existsSync(target)).toBe(false);
    }
    disk!.free();
    await engine.request('project.saveAs', { path: target });
    await engine.request('project.open', { path: own });
    const before = readFileSync(target);
    disk!.fill(4096);
    await expect(engine.request('project.saveAs', { path: target })).rejects.toMatchObject({ code: 'disk-full' });
    expect(readFileSync(target).equals(before)).toBe(true);
    expect(stray(disk!.folder)).toEqual([]);
    expect(engine.open.path).toBe(own);
    await engine.close();
  });

  test('leaves what an export would replace, and nothing else', async () => {
    const out = join(disk!.folder, 'out');
    const formats = ['ply', 'glb', 'colmap-bin', 'nerfstudio', 'depth-png'] as const;
    disk!.free();
    const engine = engineFor();
    await engine.request('project.open', { path: project });
    for (const left of [0, 20_000, 200_000]) {
      disk!.fill(left);
      await expect(engine.request('export.write', { folder: out, formats: [...formats] })).rejects.toMatchObject({
        code: 'disk-full',
      });
      expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
    }
    disk!.free();
    await engine.request('export.write', { folder: out, formats: ['ply'] });
    const before = readFileSync(join(out, 'scene.ply'));
    disk!.fill(1000);
    await expect(engine.request('export.write', { folder: out, formats: ['ply'] })).rejects.toMatchObject({
      code: 'disk-full',
    });
    expect(readdirSync(out)).toEqual(['scene.ply']);
    expect(readFileSync(join(out, 'scene.ply')).equals(before)).toBe(true);
    await engine.close();
  });

  test('refuses edits and photos in one line, and a data folder on it stops nobody', async () => {
    const path = join(disk!.folder, 'edits.pointmap');
    disk!.free();
    copyFileSync(project, path);
    const engine = engineFor(join(disk!.folder, 'no', 'data'));
    disk!.fill(0);
    const opened = await engine.request('project.open', { path }).catch((error: unknown) => error);
    if (opened instanceof Error) expect(opened).toMatchObject({ code: 'disk-full' });
    else {
      const before = JSON.stringify(engine.open.project.settings());
      for (let k = 0; k < 40; k++) {
        const settings = { minConfidence: 1 + k / 40 };
        await engine.request('edit.apply', { edit: { kind: 'settings', settings } }).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'disk-full' });
        });
      }
      expect(JSON.parse(before)).toMatchObject({ estimator: 'room' });
    }
    await engine.close();
    disk!.free();
    const again = engineFor();
    await again.request('project.open', { path });
    expect((await again.request('project.state', {}))!.photos).toHaveLength(4);
    await again.close();
  });
});

/** Another person on this computer. */
const NOBODY = 65_534;
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const asNobody = (words: string[], data: string): { status: number | null; output: string; errors: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    encoding: 'utf8',
    uid: NOBODY,
    gid: NOBODY,
    cwd: '/',
    env: { PATH: process.env.PATH, HOME: '/nonexistent', POINTMAP_DATA: data },
    timeout: 120_000,
  });
  return { status, output: stdout, errors: stderr };
};
const readable = isRoot && asNobody(['--version'], '/nonexistent').status === 0;

describe.skipIf(!readable)('a folder that may only be read', () => {
  let locked: string;
  let free: string;
  let path: string;
  beforeAll(() => {
    chmodSync(folder, 0o755);
    locked = join(folder, 'locked');
    free = join(folder, 'free');
    for (const each of [locked, free]) mkdirSync(each);
    chownSync(free, NOBODY, NOBODY);
    path = join(locked, 'a.pointmap');
    copyFileSync(project, path);
    chmodSync(locked, 0o555);
  });
  const oneLine = (errors: string, words: RegExp): void => {
    const lines = errors.trim().split('\n');
    expect(lines.at(-1)).toMatch(words);
    expect(errors).not.toMatch(/\n {4}at |SQLITE_READONLY.*\n.*SQLITE/);
  };

  test('is read: its project is told of and exported, and left as it is', () => {
    const before = [readdirSync(locked), readFileSync(path)] as const;
    const { status, output, errors } = asNobody(['info', path, '--json'], join(free, 'data'));
    expect([status, errors]).toEqual([0, '']);
    expect(JSON.parse(output)).toMatchObject({ photos: 4, observed: 6 });
    const out = join(free, 'cloud.ply');
    expect(asNobody(['export', path, '--out', out], join(free, 'data'))).toMatchObject({ status: 0 });
    expect(readFileSync(out).toString('latin1', 0, 3)).toBe('ply');
    expect([readdirSync(locked), readFileSync(path)]).toEqual(before);
  });

  test('without a data folder that can be written, too', () => {
    expect(asNobody(['info', path], locked)).toMatchObject({ status: 0, errors: '' });
    const out = join(free, 'cloud2.ply');
    expect(asNobody(['export', path, '--out', out], locked)).toMatchObject({ status: 0 });
  });

  test.each([
    ['export', () => ['export', path, '--out', join(locked, 'x.ply')], /may not be written to \(EACCES\)/],
    ['scene', () => ['scene', path, '--outliers'], /can't be written here/],
    ['mesh', () => ['mesh', path], /can't be written here/],
    ['reconstruct', () => ['reconstruct', photos, '--out', join(locked, 'out')], /can't write into the output folder/],
    ['recover', () => ['recover', path, '--out', join(locked, 'b.pointmap')], /can't be written|unwritable/],
  ])('is not written to by %s, which says so', (_, words, message) => {
    const { status, errors } = asNobody(words(), join(free, 'data'));
    oneLine(errors, message);
    expect(status).not.toBe(0);
    expect(readdirSync(locked)).toEqual(['a.pointmap']);
  });

  test('a project that may not be read is told so', () => {
    const secret = join(folder, 'secret.pointmap');
    copyFileSync(project, secret);
    chmodSync(secret, 0o600);
    const { status, errors } = asNobody(['info', secret], join(free, 'data'));
    oneLine(errors, /this project can't be read \(EACCES\); check the file and its permissions/);
    expect(status).toBe(1);
  });
});

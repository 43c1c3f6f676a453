import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../../electron/engine/engine.js';
import { Project } from '../../../electron/project/project.js';

let folder: string;
let made = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-shared-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const freshPath = (): string => join(folder, `${made++}.pointmap`);

function withPhotos(path: string, count: number): Project {
  const project = Project.open(path, 'create');
  project.addPhotos(
    Array.from({ length: count }, (_, k) => ({
      photo: { id: `p${k}`, path: `/p${k}.jpg`, name: `p${k}.jpg`, width: 400, height: 300, size: 9, sharpness: 0.5 },
      thumbnail: new Uint8Array([1]),
    })),
  );
  return project;
}
const names = (): string[] => readdirSync(folder).sort();

describe('a project that is open', () => {
  test('is nobody else’s to write to, is read as it stands, and is free when its process ends, however', () => {
    const path = freshPath();
    const own = withPhotos(path, 2);
    const open = `import('./electron/project/project.ts').then(({ Project }) => { Project.open(${JSON.stringify(path)}); process.kill(process.pid, 'SIGKILL'); })`;
    const other = (): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, ['--import', 'tsx', '-e', open], { encoding: 'utf8' });
    const refused = other();
    expect(refused.signal).toBeNull();
    expect(String(refused.stderr)).toMatch(/open in another window or command, and one at a time may write to it/);

    own.log('info', 'in the journal');
    const reader = Project.openToRead(path);
    expect(reader.photos()).toHaveLength(2);
    expect(reader.readLog().at(-1)!.message).toBe('in the journal');
    expect(reader.path).toBe(path);
    reader.close();
    own.close();

    expect(other().signal).toBe('SIGKILL');
    const again = Project.open(path);
    expect(again.photos()).toHaveLength(2);
    again.close();
    expect(names()).toEqual([`${made - 1}.pointmap`]);
  });
});

describe('saving under another name', () => {
  const engineOn = async (path: string): Promise<Engine> => {
    const engine = new Engine({ dataFolder: join(folder, 'data') });
    withPhotos(path, 3).close();
    await engine.request('project.open', { path });
    return engine;
  };

  test('replaces a project of that name, its journal and all', async () => {
    const engine = await engineOn(freshPath());
    const path = freshPath();
    withPhotos(path, 1).close();
    writeFileSync(`${path}-wal`, 'of the project that was here before');
    const state = await engine.request('project.saveAs', { path });
    expect(state.path).toBe(path);
    expect(state.photos).toHaveLength(3);
    await engine.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('under its own name leaves it as it is', async () => {
    const path = freshPath();
    const engine = await engineOn(path);
    expect((await engine.request('project.saveAs', { path })).photos).toHaveLength(3);
    expect((await engine.request('project.open', { path })).photos).toHaveLength(3);
    await engine.close();
  });

  test('says what stands in the way, and leaves it alone', async () => {
    const engine = await engineOn(freshPath());
    const text = join(folder, 'letter.pointmap');
    writeFileSync(text, 'dear reader, '.repeat(20));
    const directory = join(folder, 'folder.pointmap');
    mkdirSync(directory);
    const foreign = join(folder, 'other.pointmap');
    new Database(foreign).exec('CREATE TABLE t (x)').close();
    const busy = freshPath();
    const open = withPhotos(busy, 1);
    for (const [path, reason] of [
      [text, /no project, so it is not overwritten; choose another name: .*letter/],
      [directory, /no file, so it is not overwritten/],
      [foreign, /no project, so it is not overwritten/],
      [busy, /open in another window or command/],
      [join(folder, 'absent', 'x.pointmap'), /can't be saved here|can't be written here|does not exist/],
    ] as const)
      await expect(engine.request('project.saveAs', { path })).rejects.toThrow(reason);
    expect(readFileSync(text, 'utf8')).toMatch(/^dear reader/);
    expect((await engine.request('project.state', {}))!.photos).toHaveLength(3);
    open.close();
    await engine.close();
  });
});

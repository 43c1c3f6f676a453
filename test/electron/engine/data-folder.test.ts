import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { keepUploads, pruneDataFolder } from '../../../electron/engine/data-folder.js';
import { RecentProjects } from '../../../electron/engine/recent.js';
import { Project } from '../../../electron/project/project.js';

const all: string[] = [];
let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'pointmap-data-'));
  all.push(data);
});
const open: Project[] = [];
afterEach(() => {
  for (const project of open.splice(0)) project.close();
});
afterAll(() => {
  for (const folder of all) rmSync(folder, { recursive: true, force: true });
});

const age = (path: string, days: number): void => {
  const then = new Date(Date.now() - days * 86_400_000);
  utimesSync(path, then, then);
};

function upload(name: string, days: number): string {
  const path = join(data, 'uploads', `hash-of-${name}`, `${name}.jpg`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, name);
  age(path, days);
  return path;
}

function project(path: string, days: number, photos: readonly string[] = [], stayOpen = false): string {
  mkdirSync(dirname(path), { recursive: true });
  const made = Project.open(path, 'create');
  made.addPhotos(
    photos.map((photo, k) => ({
      photo: { id: `${k}`, path: photo, name: `${k}.jpg`, width: 9, height: 9, size: 1, sharpness: 1 },
      thumbnail: new Uint8Array(1),
    })),
  );
  if (stayOpen) open.push(made);
  else made.close();
  age(path, days);
  return path;
}
const untitled = (name: string): string => join(data, 'untitled', `${name}.pointmap`);

test('projects without a name stay for a month, while they are among the last opened, and while they are open', () => {
  const fresh = project(untitled('fresh'), 29);
  const old = project(untitled('old'), 31);
  const recent = project(untitled('recent'), 31);
  const held = project(untitled('held'), 31, [], true);
  for (const ending of ['-wal', '-shm']) if (existsSync(held + ending)) age(held + ending, 31);
  mkdirSync(`${old}.frames`);
  new RecentProjects(data).add({ path: recent, name: 'recent', photos: 1 });
  expect(pruneDataFolder(data)).toEqual({ projects: 1, photos: 0 });
  expect([fresh, recent, held].every((path) => existsSync(path))).toBe(true);
  expect([old, `${old}.frames`].some((path) => existsSync(path))).toBe(false);
});

test('dropped photos stay while a project shows them, for ever once one with a name did, and for a month', () => {
  const [fresh, old, shown, named] = [
    upload('fresh', 29),
    upload('old', 31),
    upload('shown', 31),
    upload('named', 31),
  ] as const;
  project(untitled('mine'), 1, [shown]);
  keepUploads(data, [named, '/elsewhere/photo.jpg']);
  expect(pruneDataFolder(data)).toEqual({ projects: 0, photos: 1 });
  expect([fresh, shown, named].every((path) => existsSync(path))).toBe(true);
  expect(existsSync(dirname(old))).toBe(false);
  expect(existsSync('/elsewhere')).toBe(false);
});

test('no photo is removed while some project can not be read', () => {
  const old = upload('old', 31);
  writeFileSync(project(untitled('broken'), 1), 'no project at all, but perhaps it was one');
  expect(pruneDataFolder(data)).toEqual({ projects: 0, photos: 0 });
  expect(existsSync(old)).toBe(true);
});

test('an empty or missing data folder is nothing to do', () => {
  expect(pruneDataFolder(join(data, 'none'))).toEqual({ projects: 0, photos: 0 });
});

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashOf, SharedFolder } from '../../electron/execution/store.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const pathOf = (hash: string): string => join(folder, 'blobs', hash.slice(0, 2), hash);

test('bytes are read back by the hash of their content, by whoever opens the folder', async () => {
  const [here, there] = [await SharedFolder.open(folder), await SharedFolder.open(folder)];
  const hash = await here.put(text('depth'));
  expect(hash).toBe(hashOf(text('depth')));
  expect((await there.get(hash)).toString()).toBe('depth');
  expect(there.id).toBe(here.id);
  expect(readdirSync(join(folder, 'partial'))).toEqual([]);
});

test('of two that begin a store at once, both take one name', async () => {
  const opened = await Promise.all(Array.from({ length: 8 }, () => SharedFolder.open(folder)));
  expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
});

test('a file that is not what its name says is refused, and written again by whoever has the right bytes', async () => {
  const store = await SharedFolder.open(folder);
  const hash = await store.put(text('right'));
  writeFileSync(pathOf(hash), 'wrong');
  await expect(store.get(hash)).rejects.toThrow('not what its name says');
  expect(await store.has(hash)).toBe(false);
  await store.put(text('right'));
  expect((await store.get(hash)).toString()).toBe('right');
  // A worker that has computed the same looks at what lies there, though it never read it.
  writeFileSync(pathOf(hash), 'wrong');
  await (await SharedFolder.open(folder)).put(text('right'));
  expect((await store.get(hash)).toString()).toBe('right');
});

test('whoever still reads a wrong file takes the right one from nobody', async () => {
  const [slow, quick] = [await SharedFolder.open(folder), await SharedFolder.open(folder)];
  const right = text('right'.repeat(1_000_000));
  const hash = await quick.put(right);
  for (let round = 0; round < 20; round++) {
    writeFileSync(pathOf(hash), text('wrong'.repeat(1_000_000)));
    const readings = Array.from({ length: 4 }, () => slow.get(hash).catch(() => undefined));
    await quick.put(right);
    await Promise.all(readings);
    expect(existsSync(pathOf(hash))).toBe(true);
  }
});

test('one that trusts what it has seen looks again when told to', async () => {
  const store = await SharedFolder.open(folder, true);
  const hash = await store.put(text('photo'));
  rmSync(pathOf(hash));
  await store.put(text('photo'));
  expect(existsSync(pathOf(hash))).toBe(false);
  store.forget();
  await store.put(text('photo'));
  expect(readFileSync(pathOf(hash), 'utf8')).toBe('photo');
});

test('names that come from elsewhere lead nowhere but to blobs', async () => {
  const store = await SharedFolder.open(folder);
  writeFileSync(join(folder, 'secret'), 'secret');
  for (const name of ['../secret', '..', '', 'A'.repeat(64), `${'a'.repeat(64)}/../../secret`])
    await expect(store.get(name)).rejects.toThrow('missing');
});

test('what nobody has used for days is removed, what was read stays', async () => {
  const store = await SharedFolder.open(folder);
  const [old, read] = [await store.put(text('old')), await store.put(text('read'))];
  for (const hash of [old, read]) utimesSync(pathOf(hash), new Date(0), new Date(0));
  await store.get(read);
  expect(await store.prune(7)).toEqual({ blobs: 1, bytes: 3 });
  expect(await store.has(old)).toBe(false);
  expect(await store.has(read)).toBe(true);
});

test('another folder, and one of a newer program, are told in one line', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(SharedFolder.open(join(folder, 'file'))).rejects.toThrow("the store can't be used");
  const newer = join(folder, 'newer');
  mkdirSync(newer);
  writeFileSync(join(newer, 'pointmap-store.json'), '{"pointmapStore": 2}');
  await expect(SharedFolder.open(newer)).rejects.toThrow(/no store of this program, or a newer one's/);
});

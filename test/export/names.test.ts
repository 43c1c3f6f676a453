import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MARK } from '../../electron/compute/partial-file.js';
import { fileKey } from '../../electron/contract/file-names.js';
import { formats } from '../../electron/export/formats.js';
import { fileNames, withFileNames } from '../../electron/export/names.js';
import { checkNames, writeFiles } from '../../electron/export/write-files.js';
import { roomScene } from '../fixtures/scene.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-names-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hostile = [
  '../../../x.jpg',
  '/etc/x.jpg',
  '..\\..\\x.jpg',
  'C:\\x.jpg',
  '..',
  '.',
  '',
  'a/../../b.jpg',
  'x\u0000.jpg',
  `${'long'.repeat(200)}.jpg`,
  `${'写'.repeat(83)}.jpg`,
  `${'写'.repeat(400)}.heic`,
  'two\nlines.jpg',
];

describe('names of files', () => {
  test('of exported photos hold no space, at which COLMAP ends a name, and stay apart', async () => {
    const { scene } = await roomScene(3);
    const wished = ['Foto 1 ä.jpg', 'Foto_1 ä.jpg', 'Foto_1_ä.jpg'];
    const named = withFileNames({
      ...scene,
      cameras: scene.cameras.slice(0, 3).map((camera, k) => ({ ...camera, name: wished[k]! })),
    });
    for (const format of formats) {
      const names = (format.photoFiles?.(named.cameras) ?? []).map(({ name }) => name);
      expect(names.filter((name) => /\s/.test(name))).toEqual([]);
      expect(new Set(names).size).toBe(names.length);
    }
    const text = formats.find(({ id }) => id === 'colmap-text')!.write(named, { baseName: 'scene' });
    const images = text.find(({ name }) => name.endsWith('images.txt'))!;
    let lines = '';
    for await (const chunk of images.chunks) lines += new TextDecoder().decode(chunk);
    const poses = lines.split('\n').filter((line) => line.includes('Foto'));
    expect(poses.map((line) => line.split(' ').length)).toEqual([10, 10, 10]);
  });

  test('stay as they are where they are plain', () => {
    const plain = ['IMG 0001.JPG', 'été à la mer.jpg', '.hidden.png', "it's 100% #1 (2).jpg", '写真.heic'];
    expect(fileNames(plain)).toEqual(plain);
  });

  test('lead nowhere, whatever a project calls its photos', () => {
    for (const name of fileNames(hostile)) {
      expect(['/', '\\', '\u0000'].filter((mark) => name.includes(mark))).toEqual([]);
      expect(name).not.toMatch(/^\.*$/);
      // With an ending and the mark of a file that is not whole yet, at most 255.
      expect(Buffer.byteLength(name)).toBeLessThan(190);
      expect(name).not.toMatch(/\n/);
    }
  });

  test('are one file each where upper and lower case are one', () => {
    const names = fileNames(['A.jpg', 'a.jpg', 'a.JPG', 'b.heic', 'b.heic.jpg', 'c.heic.jpg', 'c.heic']);
    expect(names[0]).toBe('A.jpg');
    const keys = names.map((name) => fileKey(/\.jpg$/i.test(name) ? name : `${name}.jpg`));
    expect(new Set(keys).size).toBe(names.length);
  });
});

describe('exports of a hostile project', () => {
  test.each(formats.map((format) => [format.id, format] as const))('%s stays in its folder', async (id, format) => {
    const { scene } = await roomScene(hostile.length, 16, 12);
    const named = {
      ...scene,
      cameras: scene.cameras.map((camera, k) => ({ ...camera, name: hostile[k % hostile.length]! })),
    };
    const safe = withFileNames(named);
    const files = format.write(safe, { baseName: 'scene' });
    const photos = (format.photoFiles?.(safe.cameras) ?? []).map(({ name }) => ({ name, chunks: [new Uint8Array(1)] }));
    const out = join(folder, 'deep', 'in', id);
    const written = await writeFiles(out, [...files, ...photos]);
    for (const { path } of written) expect(path.startsWith(`${out}/`)).toBe(true);
    expect(readdirSync(folder)).toEqual(['deep']);
    expect(readdirSync(join(folder, 'deep'))).toEqual(['in']);
  });

  test.each(['../x', 'a/../../x', '/x', 'a//x', 'a\\x', 'C:x', './x', 'x\u0000', ''])(
    'the last gate refuses %j, whatever format wants it',
    (name) => expect(() => checkNames([{ name }])).toThrow(/outside its folder, so nothing was written/),
  );
  test('and two files of one name', () =>
    expect(() => checkNames([{ name: 'images/A.jpg' }, { name: 'images/a.jpg' }])).toThrow(/would have one name/));
});

test('what a killed export left behind is removed by the next, what a running one writes is not', async () => {
  const out = join(folder, 'partials');
  mkdirSync(out);
  // A process that is no more.
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(join(out, `scene.ply${MARK}${pid}`), 'half');
  writeFileSync(join(out, `scene.ply${MARK}${process.ppid}`), 'another is at it');
  writeFileSync(join(out, 'notes.partial-1'), 'not ours');
  await writeFiles(out, [{ name: 'scene.glb', chunks: [Buffer.from('whole')] }]);
  expect(readdirSync(out).sort()).toEqual(['notes.partial-1', 'scene.glb', `scene.ply${MARK}${process.ppid}`].sort());
  expect(readFileSync(join(out, 'scene.glb'), 'utf8')).toBe('whole');
  expect(existsSync(join(out, `scene.glb${MARK}${process.pid}`))).toBe(false);
});

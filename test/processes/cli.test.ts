import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { program } from '../fixtures/program.js';
import { roomPhotos } from '../fixtures/room-estimator.js';

let folder: string;
let photos: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-cli-'));
  photos = await roomPhotos(folder, 2);
  writeFileSync(join(photos, 'text.jpg'), 'no photo');
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'text.pointmap'), 'no project, just some words');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ending {
  code: number | null;
  output: string;
  errors: string;
}

function pointmap(...words: string[]): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...words], {
      env: { ...process.env, POINTMAP_DATA: join(folder, 'data') },
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.on('close', (code) => resolve({ code, output, errors }));
  });
}
const out = (): string => join(folder, 'out');

describe('wrong usage ends with 2', () => {
  test.concurrent.each([
    ['an unknown flag', () => ['reconstruct', photos, '--out', out(), '--sparkle'], /unknown option '--sparkle'/],
    ['an unknown command', () => ['reconstrct'], /unknown command/],
    ['no output folder', () => ['reconstruct', photos], /--out/],
    [
      'an unknown graph',
      () => ['reconstruct', photos, '--out', out(), '--graph', 'spider'],
      /unknown pair graph 'spider'/,
    ],
    [
      'an unknown format',
      () => ['reconstruct', photos, '--out', out(), '--formats', 'obj'],
      /no export format 'obj'.*ply/,
    ],
    [
      'a focal that is no number',
      () => ['reconstruct', photos, '--out', out(), '--focal', 'wide'],
      /--focal takes a number/,
    ],
  ])('%s', async (_, words, message) => {
    const { code, errors } = await pointmap(...words());
    expect(errors).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('failure ends with 1 and one line', () => {
  test.concurrent.each([
    [
      'an empty folder',
      () => ['reconstruct', join(folder, 'empty'), '--out', join(folder, 'a')],
      /at least two photos/,
    ],
    ['one photo', () => ['reconstruct', join(photos, '0.png'), '--out', join(folder, 'b')], /only one photo/],
    ['a project that is none', () => ['info', join(folder, 'text.pointmap')], /not a Pointmap Studio project/],
    [
      'a project that is absent',
      () => ['export', join(folder, 'absent.pointmap'), '--out', join(folder, 'x.ply')],
      /no such project/,
    ],
    [
      'an output folder that is a file',
      () => ['reconstruct', photos, '--out', join(photos, '0.png')],
      /can't write into the output folder/,
    ],
    [
      'photos that have nothing in common',
      () => ['reconstruct', photos, '--out', join(folder, 'c')],
      /no two photos could be matched/,
    ],
  ])('%s', async (_, words, message) => {
    const { code, errors } = await pointmap(...words());
    expect(errors).toMatch(message);
    expect(errors).not.toMatch(/\n {4}at /);
    expect(code).toBe(1);
  });

  test.skipIf(process.getuid?.() === 0)('an output folder that may not be written to', async () => {
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    const { code, errors } = await pointmap('reconstruct', photos, '--out', locked);
    expect(errors).toMatch(/can't write into the output folder/);
    expect(code).toBe(1);
  });
});

test('doctor says what there is, as one line of JSON', async () => {
  const { code, output } = await pointmap('doctor', '--json');
  expect(code).toBe(0);
  const facts = JSON.parse(output.trim().split('\n').at(-1)!) as { libraries: Record<string, string>; version: string };
  expect(facts.version).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
  expect(Object.values(facts.libraries).join()).not.toMatch(/not working/);
});

test('a bad photo is named and the others go on', async () => {
  const { errors } = await pointmap('reconstruct', photos, '--out', join(folder, 'd'));
  expect(errors).toMatch(/left out: this is not an image.*text\.jpg/);
  expect(errors).toMatch(/2 photos, 1 pairs/);
});

test('the report names the files that could not be used, and why', async () => {
  const given = join(folder, 'some');
  mkdirSync(given);
  for (const name of ['courtyard-01.jpg', 'courtyard-02.jpg'])
    await sharp(join('resources/samples/courtyard', name)).resize(400).jpeg().toFile(join(given, name));
  writeFileSync(join(given, 'text.jpg'), 'no picture');
  const out = join(folder, 'e');
  const { code, errors } = await pointmap('reconstruct', given, '--out', out, '--quality', 'draft');
  expect(code, errors).toBe(0);
  const { registered, leftOut } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Record<string, unknown>;
  expect(registered).toBe(2);
  expect(leftOut).toEqual([
    { path: resolve(given, 'text.jpg'), reason: expect.stringMatching(/^this is not an image/) as string },
  ]);
});

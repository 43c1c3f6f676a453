import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importPhotos } from '../../../electron/photos/import.js';

let folder: string;
let jpeg: Buffer;
const greys = (seed: number): Promise<Buffer> =>
  sharp({ create: { width: 120, height: 80, channels: 3, background: { r: seed, g: 90, b: 60 } } })
    .jpeg()
    .toBuffer();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-hostile-'));
  jpeg = await greys(200);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What became of one file. */
async function outcome(name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const { imported, refused } = await importPhotos([path]);
  rmSync(path);
  return imported.length === 1 ? 'read' : refused[0]!.reason;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
function png(width: number, height: number, data: Buffer): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** A TIFF of one directory; entries are tag, type, count, value. */
function tiff(entries: readonly (readonly [number, number, number, number])[]): Buffer {
  const bytes = Buffer.alloc(10 + 12 * entries.length + 100);
  bytes.write('II*\0', 0, 'latin1');
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, count, value], k) => {
    bytes.writeUInt16LE(tag, 10 + 12 * k);
    bytes.writeUInt16LE(type, 12 + 12 * k);
    bytes.writeUInt32LE(count, 14 + 12 * k);
    bytes.writeUInt32LE(value, 18 + 12 * k);
  });
  return bytes;
}
function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}
/** A JPEG with segments before its own. */
const withSegments = (...segments: Buffer[]): Buffer =>
  Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);

describe('a small file that claims to be a large picture', () => {
  const short = deflateSync(Buffer.alloc(10_000));
  const strips = (count: number): Buffer =>
    tiff([
      [256, 4, 1, 200],
      [257, 4, 1, 150],
      [258, 3, 1, 8],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      [273, 4, count, 8],
      [277, 3, 1, 1],
      [278, 4, 1, 1],
      [279, 4, count, 8],
    ]);
  const vast = tiff([
    [256, 4, 1, 0x7fffffff],
    [257, 4, 1, 0x7fffffff],
    [258, 3, 1, 8],
    [259, 3, 1, 5],
    [262, 3, 1, 1],
    [273, 4, 1, 8],
    [277, 3, 1, 1],
    [278, 4, 1, 0xffffffff],
    [279, 4, 1, 40],
  ]);
  test.each([
    [
      'PNG of 60,000 by 60,000',
      'a.png',
      () => png(60_000, 60_000, short),
      /too large: more than a thousand megapixels/,
    ],
    ['PNG of 30,000 by 30,000 that ends', 'a.png', () => png(30_000, 30_000, short), /damaged or cut off/],
    ['PNG of no width', 'a.png', () => png(0, 5, short), /not an image/],
    ['TIFF of 4 thousand million strips', 'a.tif', () => strips(0xffffffff), /not an image|damaged/],
    ['TIFF of 2 thousand million columns', 'a.tif', () => vast, /not an image|too large/],
  ])('is refused: a %s', async (_, name, bytes, reason) => {
    const before = process.resourceUsage().maxRSS;
    expect(await outcome(name, bytes())).toMatch(reason);
    // In kilobytes: nothing of the size that it claims was made room for.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(2 ** 20);
  });
});

describe('metadata without an end', () => {
  test('of 130 MB is passed over', async () => {
    const filler = segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), Buffer.alloc(65_000, 0x41)]));
    expect(await outcome('a.jpg', withSegments(...Array<Buffer>(2000).fill(filler)))).toBe('read');
  });
  test('that leads to itself is passed over', async () => {
    const pointer = (tag: number): readonly [number, number, number, number] => [tag, 4, 1, 8];
    const loop = tiff([pointer(0x8769), pointer(0x8825), pointer(0xa005)]);
    expect(await outcome('a.jpg', withSegments(segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), loop]))))).toBe(
      'read',
    );
  });
  test('with a value of 4 thousand million parts is passed over', async () => {
    const vast = tiff([
      [0x010f, 2, 0xffffffff, 8],
      [0x0110, 2, 0xfffffff0, 0xfffffff0],
      [0x9286, 7, 0xffffffff, 8],
    ]);
    expect(await outcome('a.jpg', withSegments(segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), vast]))))).toBe(
      'read',
    );
  });
});

describe.skipIf(process.platform === 'win32')('names', () => {
  test('of any text are read; those that are no text, and links that lead to themselves, are told so', async () => {
    const odd = join(folder, 'names');
    mkdirSync(odd);
    const names = [
      'two\nlines.jpg',
      'a\u202Egpj.exe.jpg',
      `${'x'.repeat(251)}.jpg`,
      `${'写'.repeat(83)}.jpg`,
      ' .jpg',
      '-rf.jpg',
      '$(touch x).jpg',
      '%2e%2e.jpg',
      "'; DROP TABLE photos;--.jpg",
      'é.jpg',
      'e\u0301.jpg',
    ];
    for (const [k, name] of names.entries()) writeFileSync(join(odd, name), await greys(10 * k));
    symlinkSync(join(odd, 'loop.jpg'), join(odd, 'loop.jpg'));
    symlinkSync(odd, join(odd, 'itself'));
    const bad = Buffer.concat([Buffer.from(`${odd}/bad`), Buffer.from([0xff, 0x80]), Buffer.from('.jpg')]);
    // Some file systems take text only.
    let taken = true;
    try {
      writeFileSync(bad, jpeg);
    } catch {
      taken = false;
    }
    const { imported, refused } = await importPhotos([odd]);
    expect(imported.map(({ photo }) => photo.name).sort()).toEqual([...names].sort());
    expect(refused.map(({ reason }) => reason).sort()).toEqual([
      ...(taken ? ['its name holds bytes that are no text (UTF-8); rename it'] : []),
      'this link leads to itself; remove it',
    ]);
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importPhoto, importPhotos } from '../../../electron/photos/import.js';
import { readPixels, readUpright } from '../../../electron/photos/reader.js';
import { sensorWidth } from '../../../electron/photos/sensors.js';
import { heic } from '../../fixtures/heic.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-odd-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function picture(seed: number): Sharp {
  const pixels = Uint8Array.from({ length: 200 * 150 * 3 }, (_, i) => (i * i * (seed + 3) + i * 7) % 253);
  return sharp(pixels, { raw: { width: 200, height: 150, channels: 3 } });
}

describe.skipIf(process.platform === 'win32')('what is no file', () => {
  test('a pipe that nobody writes to, and a device without an end, are refused at once', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    symlinkSync('/dev/zero', join(folder, 'zero.jpg'));
    const { imported, refused } = await importPhotos([join(folder, 'pipe.jpg'), join(folder, 'zero.jpg')]);
    expect(imported).toEqual([]);
    expect(refused.map(({ reason }) => reason)).toEqual(
      Array(2).fill('this is not a regular file; copy the photo to a folder'),
    );
  });
});

test('a file larger than any photo is not read', async () => {
  const path = join(folder, 'huge.jpg');
  writeFileSync(path, '');
  // Sparse: it takes no room.
  truncateSync(path, 2 ** 30 + 1);
  await expect(importPhoto(path)).rejects.toThrow(/too large \(1024 MB\)/);
  rmSync(path);
});

test('a photo that was overwritten is not taken for the one that was added', async () => {
  const path = join(folder, 'photo.png');
  await picture(1).png().toFile(path);
  const { photo } = await importPhoto(path);
  expect((await readPixels(photo, { longSide: 100 })).width).toBe(100);
  await picture(2).png().toFile(path);
  await expect(readPixels(photo, { longSide: 100 })).rejects.toThrow(
    /the photo photo\.png has changed since it was added; put the former file back.*: .*photo\.png$/,
  );
  await expect(readUpright(photo, 'png')).rejects.toThrow(/has changed since it was added/);
});

describe('a TIFF that is cut off', () => {
  test.each([
    ['strips', {}],
    ['deflate', { compression: 'deflate' }],
    ['lzw', { compression: 'lzw' }],
    ['jpeg', { compression: 'jpeg' }],
    ['tiles', { tile: true, tileWidth: 64, tileHeight: 64 }],
  ] as const)('in %s is refused', async (name, options) => {
    const whole = join(folder, `${name}.tif`);
    await picture(5).tiff(options).toFile(whole);
    expect((await importPhoto(whole)).photo.width).toBe(200);
    const bytes = await picture(5).tiff(options).toBuffer();
    const cut = join(folder, `${name}-cut.tif`);
    // The directory stands before or after the pixels; where it is kept, half of the pixels are gone.
    const directory = bytes.readUInt32LE(4);
    if (directory > bytes.length / 2) {
      const half = Buffer.concat([bytes.subarray(0, 8), bytes.subarray(directory)]);
      half.writeUInt32LE(8, 4);
      writeFileSync(cut, half);
    } else writeFileSync(cut, bytes.subarray(0, bytes.length >> 1));
    await expect(importPhoto(cut)).rejects.toThrow(/damaged or cut off|not an image/);
  });
});

test.each([
  ['NIKON D300', 23.5],
  ['NIKON D300S', 23.5],
  ['NIKON D500', 23.5],
  ['NIKON D90', 23.5],
  ['NIKON D3500', 23.5],
  ['NIKON D5600', 23.5],
  ['NIKON D3', 35.9],
  ['NIKON D3S', 35.9],
  ['NIKON D5', 35.9],
  ['NIKON D610', 35.9],
  ['NIKON D750', 35.9],
  ['NIKON D780', 35.9],
  ['NIKON D800E', 35.9],
  ['NIKON D850', 35.9],
  ['NIKON Z 50', 23.5],
  ['NIKON Z50_2', 23.5],
  ['NIKON Z 30', 23.5],
  ['NIKON Z fc', 23.5],
  ['NIKON Z 5', 35.9],
  ['NIKON Z 6_2', 35.9],
  ['NIKON Z 7', 35.9],
  ['NIKON Z 9', 35.9],
  ['NIKON Z f', 35.9],
  ['Canon EOS R50', 22.3],
  ['Canon EOS R10', 22.3],
  ['Canon EOS R7', 22.3],
  ['Canon EOS 60D', 22.3],
  ['Canon EOS 550D', 22.3],
  ['Canon EOS M50', 22.3],
  ['Canon EOS R5', 36],
  ['Canon EOS R5m2', 36],
  ['Canon EOS R6 Mark II', 36],
  ['Canon EOS R', 36],
  ['Canon EOS RP', 36],
  ['Canon EOS 5D Mark III', 36],
  ['Canon EOS 5DS R', 36],
  ['Canon EOS 6D', 36],
  ['Canon EOS-1D X', 36],
  ['Canon EOS-1D X Mark II', 36],
  ['Canon EOS-1Ds Mark III', 36],
  ['Canon EOS-1D Mark IV', 28.1],
  ['SONY ILCE-7M3', 35.8],
  ['SONY ILCE-6400', 23.5],
  ['SONY DSC-RX1RM2', 35.8],
  ['SONY DSC-RX100M5', 13.2],
])('the sensor of a %s is %f mm wide', (camera, width) => expect(sensorWidth(camera)).toBe(width));

/** With another size in its container than its pixels have. */
function heicOf(width: number, height: number): Buffer {
  const bytes = Buffer.from(heic);
  for (let at = bytes.indexOf('ispe'); at >= 0; at = bytes.indexOf('ispe', at + 1)) {
    bytes.writeUInt32BE(width, at + 8);
    bytes.writeUInt32BE(height, at + 12);
  }
  return bytes;
}

test('a small HEIC file that declares a huge picture is refused before room is made for it', async () => {
  const path = join(folder, 'bomb.heic');
  writeFileSync(path, heicOf(30_000, 30_000));
  await expect(importPhoto(path)).rejects.toThrow(/^too large \(30000 x 30000 px\)/);
});

// A header that libheif takes, and nothing behind it, and a picture of another size than its header says: it complains.
test.each([
  [
    'header',
    Buffer.concat([
      Buffer.from([0, 0, 0, 24]),
      Buffer.from('ftypheic'),
      Buffer.from([0, 0, 0, 0]),
      Buffer.from('mif1heic'),
      Buffer.from([0, 0, 0, 16]),
      Buffer.from('meta'),
      Buffer.alloc(8),
    ]),
  ],
  ['pixels', heicOf(4000, 4000)],
])(
  'reading HEIC with a broken %s says nothing on standard output, where the answer of a command stands',
  (_, bytes) => {
    const path = join(folder, 'broken.heic');
    writeFileSync(path, bytes);
    const code = `import('./electron/photos/heif.ts').then(async ({ decodeHeif }) => { const { readFileSync } = await import('node:fs'); try { decodeHeif(readFileSync(${JSON.stringify(path)})); } catch {} })`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', '-e', code], {
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  },
);

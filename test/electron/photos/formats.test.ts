import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import encodeJxl, { init } from '@jsquash/jxl/encode.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importPhoto } from '../../../electron/photos/import.js';
import { readPixels, readWhole } from '../../../electron/photos/reader.js';
import { encodeExr } from '../../fixtures/exr.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointmap-formats-'));
  const wasm = readFileSync(createRequire(import.meta.url).resolve('@jsquash/jxl/codec/enc/jxl_enc.wasm'));
  await init(new WebAssembly.Module(wasm));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [width, height] = [96, 72];
/** Red grows to the right, green downwards; blue marks the upper left corner. */
const colour = (x: number, y: number): [number, number, number] => [
  x / (width - 1),
  y / (height - 1),
  x < 20 && y < 20 ? 1 : 0,
];

async function save(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function jxl(alphaOf: (x: number) => number): Promise<Buffer> {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let k = 0; k < width * height; k++) {
    const [x, y] = [k % width, Math.floor(k / width)];
    data.set([...colour(x, y).map((value) => 255 * value), alphaOf(x)], 4 * k);
  }
  return Buffer.from(await encodeJxl({ data, width, height, colorSpace: 'srgb' } as ImageData, { lossless: true }));
}

describe('a photo in JPEG XL', () => {
  test('is read as it was written', async () => {
    const { photo } = await importPhoto(await save('photo.jxl', await jxl(() => 255)));
    expect([photo.width, photo.height, photo.mask]).toEqual([width, height, undefined]);
    const { pixels } = await readPixels(photo, {});
    for (const [x, y] of [
      [0, 0],
      [95, 0],
      [40, 71],
    ] as const)
      expect([...pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)]).toEqual(
        colour(x, y).map((value) => Math.round(255 * value)),
      );
  });

  test('hides what is transparent in it', async () => {
    const { photo } = await importPhoto(await save('cut.jxl', await jxl((x) => (x < 48 ? 0 : 255))));
    const { keep } = await readPixels(photo, {});
    expect([keep![10], keep![80]]).toEqual([0, 1]);
  });

  test('that is cut off is refused', async () => {
    const whole = await jxl(() => 255);
    await expect(importPhoto(await save('half.jxl', whole.subarray(0, whole.length / 2)))).rejects.toThrow(
      /not an image|damaged/,
    );
  });
});

describe('a picture in OpenEXR', () => {
  const linear = (x: number, y: number): number[] => colour(x, y).map((value) => 2 * value ** 2.2);

  test('goes through the curve of sRGB, upright, with 16 bits, and what is brighter than white is white', async () => {
    const { photo } = await importPhoto(await save('render.exr', encodeExr(width, height, linear)));
    expect([photo.width, photo.height]).toEqual([width, height]);
    const { pixels } = await readWhole(photo, 16);
    const at = (x: number, y: number): number[] => [...pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
    expect(at(0, 0)[2]).toBe(65535);
    expect(at(95, 0)[0]).toBe(65535);
    // A quarter of white in linear light, by the published curve.
    const x = 37;
    const [value] = linear(x, 0);
    expect(at(x, 0)[0]! / 65535).toBeCloseTo(1.055 * value! ** (1 / 2.4) - 0.055, 3);
    expect(at(x, 71)[1]).toBe(65535);
    expect(at(x, 0)[1]).toBe(0);
  });

  test('that is cut off is refused', async () => {
    const whole = encodeExr(width, height, linear);
    await expect(importPhoto(await save('half.exr', whole.subarray(0, whole.length / 2)))).rejects.toThrow(
      /not an image|damaged/,
    );
  });
});

describe('a photo in PGM or PPM', () => {
  const header = (kind: string, most: number): Buffer =>
    Buffer.from(`${kind}\n# made here\n${width} ${height}\n${most}\n`);

  test('is read, of 8 and of 16 bits, grey and in colour', async () => {
    const grey = Buffer.from(Array.from({ length: width * height }, (_, k) => (2 * (k % width)) % 100));
    const { photo } = await importPhoto(await save('grey.pgm', Buffer.concat([header('P5', 100), grey])));
    expect([photo.width, photo.height]).toEqual([width, height]);
    const { pixels } = await readPixels(photo, { longSide: width });
    // 2 of 100 each step: the value that counts as white is not always 255.
    expect([...pixels.subarray(3 * 40, 3 * 40 + 3)]).toEqual([204, 204, 204]);

    const deep = Buffer.alloc(2 * 3 * width * height);
    for (let k = 0; k < width * height; k++)
      colour(k % width, Math.floor(k / width)).forEach((value, c) =>
        deep.writeUInt16BE(Math.round(65535 * value), 2 * (3 * k + c)),
      );
    const { photo: wide } = await importPhoto(await save('deep.ppm', Buffer.concat([header('P6', 65535), deep])));
    const read = await readPixels(wide, { longSide: width });
    expect([...read.pixels.subarray(0, 3)]).toEqual([0, 0, 255]);
    expect([...read.pixels.subarray(-3)]).toEqual([255, 255, 0]);
  });

  test('that is cut off is refused', async () => {
    const path = await save('cut.pgm', Buffer.concat([header('P5', 255), Buffer.alloc(100)]));
    await expect(importPhoto(path)).rejects.toThrow(/not an image in a format that can be read/);
  });
});

test('a TIFF of floating-point numbers is refused, not taken for a black photo', async () => {
  // One strip of 32-bit floats, SampleFormat 3 (TIFF 6.0, section 19).
  const tags = [
    ...[256, 4, width, 257, 4, height, 258, 3, 32, 259, 3, 1, 262, 3, 1, 273, 4, 134],
    ...[277, 3, 1, 278, 4, height, 279, 4, 4 * width * height, 339, 3, 3],
  ];
  const bytes = Buffer.alloc(134 + 4 * width * height);
  bytes.write('II*\0\b\0\0\0\n\0', 'latin1');
  for (let k = 0; k < tags.length; k += 3) {
    bytes.writeUInt16LE(tags[k]!, 10 + 4 * k);
    bytes.writeUInt16LE(tags[k + 1]!, 12 + 4 * k);
    bytes.writeUInt32LE(1, 14 + 4 * k);
    bytes.writeUInt32LE(tags[k + 2]!, 18 + 4 * k);
  }
  for (let k = 0; k < width * height; k++) bytes.writeFloatLE((k % 97) / 97, 134 + 4 * k);
  await expect(importPhoto(await save('float.tif', bytes))).rejects.toThrow(/floating-point numbers/);
});

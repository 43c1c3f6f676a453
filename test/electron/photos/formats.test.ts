import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import encodeJxl, { init } from '@jsquash/jxl/encode.js';
import sharp from 'sharp';
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

/** A BMP of these pixels: [bits] of a pixel, what each has, rows from the bottom up or from the top down. */
function bmp(bits: 8 | 16 | 24 | 32, topDown: boolean): Buffer {
  const stride = 4 * Math.ceil((width * bits) / 32);
  const palette = bits === 8 ? 1024 : 0;
  const masks = bits === 16 ? 12 : 0;
  const head = Buffer.alloc(54 + palette + masks);
  head.write('BM');
  head.writeUInt32LE(head.length, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(topDown ? -height : height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(bits, 28);
  if (masks > 0) {
    head.writeUInt32LE(3, 30);
    // Five, six and five bits, as graphics cards have it.
    for (const [k, mask] of [0xf800, 0x7e0, 0x1f].entries()) head.writeUInt32LE(mask, 54 + 4 * k);
  }
  // A palette that runs against the numbers.
  for (let k = 0; k < palette / 4; k++) head.set([255 - k, 255 - k, 255 - k, 0], 54 + 4 * k);
  const rows = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [r, g, b] = colour(x, y).map((value) => Math.round(255 * value)) as [number, number, number];
      const at = stride * (topDown ? y : height - 1 - y) + (x * bits) / 8;
      if (bits === 8) rows[at] = 255 - r;
      else if (bits === 16) rows.writeUInt16LE(((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3), at);
      else rows.set(bits === 24 ? [b, g, r] : [b, g, r, 0], at);
    }
  return Buffer.concat([head, rows]);
}

describe('a photo in BMP', () => {
  test.each([
    [8, false],
    [16, true],
    [24, false],
    [24, true],
    [32, false],
  ] as const)('of %d bits is read upright and in its colours', async (bits, topDown) => {
    const { photo } = await importPhoto(await save(`photo-${bits}-${topDown}.bmp`, bmp(bits, topDown)));
    expect([photo.width, photo.height, photo.mask]).toEqual([width, height, undefined]);
    const { pixels } = await readPixels(photo, {});
    for (const [x, y] of [
      [0, 0],
      [95, 0],
      [1, 71],
    ] as const) {
      const [r, ...rest] = colour(x, y).map((value) => Math.round(255 * value));
      const found = [...pixels.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
      const wanted = bits === 8 ? [r!, r!, r!] : [r!, ...rest];
      for (const [c, value] of wanted.entries())
        expect(Math.abs(found[c]! - value)).toBeLessThanOrEqual(bits === 16 ? 8 : 0);
    }
  });

  test('is refused when it is cut off or compressed', async () => {
    const whole = bmp(24, false);
    await expect(importPhoto(await save('cut.bmp', whole.subarray(0, 3000)))).rejects.toThrow(/not an image/);
    whole.writeUInt32LE(1, 30);
    await expect(importPhoto(await save('packed.bmp', whole))).rejects.toThrow(/compressed.*save it as PNG/);
  });
});

test('a photo in GIF is read', async () => {
  const grey = sharp({ create: { width, height, channels: 3, background: '#506070' } });
  const { photo } = await importPhoto(await save('photo.gif', await grey.gif().toBuffer()));
  const { pixels } = await readPixels(photo, {});
  expect([...pixels.subarray(0, 3)]).toEqual([0x50, 0x60, 0x70]);
});

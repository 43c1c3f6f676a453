import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import type { Photo } from '../../../electron/geometry/types.js';
import { readPixels } from '../../../electron/photos/reader.js';

const folder = mkdtempSync(join(tmpdir(), 'reader-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A JPEG with one soft dot in each of 3 x 3 fields. @returns the dots, in pixels as stored */
async function dots(path: string, width: number, height: number, orientation: number): Promise<[number, number][]> {
  const pixels = Buffer.alloc(width * height * 3, 20);
  const sigma = width / 60;
  const centres = [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map((column): [number, number] => [((column + 0.5) * width) / 3, ((row + 0.5) * height) / 3]),
  );
  for (const [cx, cy] of centres) {
    for (let y = Math.floor(cy - 4 * sigma); y < cy + 4 * sigma; y++)
      for (let x = Math.floor(cx - 4 * sigma); x < cx + 4 * sigma; x++) {
        const value = 20 + 200 * Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma * sigma));
        pixels.fill(value, 3 * (y * width + x), 3 * (y * width + x) + 3);
      }
  }
  const image = sharp(pixels, { raw: { width, height, channels: 3 } }).withMetadata({ orientation });
  writeFileSync(path, await image.jpeg({ quality: 95 }).toBuffer());
  return centres;
}

function centroid(image: { width: number; height: number; pixels: Uint8Array }, x: number, y: number) {
  const reach = image.width / 10;
  let [sx, sy, sum] = [0, 0, 0];
  for (let j = Math.ceil(y - reach); j <= y + reach; j++)
    for (let i = Math.ceil(x - reach); i <= x + reach; i++) {
      const weight = image.pixels[3 * (j * image.width + i)]! - 22;
      if (weight <= 0) continue;
      sx += weight * i;
      sy += weight * j;
      sum += weight;
    }
  return [sx / sum, sy / sum] as const;
}

describe('readPixels', () => {
  it.each([
    [1920, 1443, 1],
    [1920, 1443, 6],
    [2001, 1503, 1],
  ])(
    'puts what is at a place of a %d x %d JPEG (orientation %d) where it belongs',
    async (width, height, orientation) => {
      const path = join(folder, `${width}-${orientation}.jpg`);
      const stored = await dots(path, width, height, orientation);
      const turned = orientation === 6;
      const [w, h] = turned ? [height, width] : [width, height];
      const photo = { path, name: 'dots.jpg', width: w, height: h } as Photo;
      const image = await readPixels(photo, { longSide: 512 });
      expect(Math.max(image.width, image.height)).toBe(512);
      for (const [sx, sy] of stored) {
        // Orientation 6: the stored picture's bottom left becomes the top left.
        const [x, y] = turned ? [height - 1 - sy, sx] : [sx, sy];
        const expected = [((x + 0.5) * image.width) / w - 0.5, ((y + 0.5) * image.height) / h - 0.5] as const;
        const found = centroid(image, ...expected);
        expect(Math.hypot(found[0] - expected[0], found[1] - expected[1])).toBeLessThan(0.03);
      }
    },
  );

  it('enlarges only when asked to', async () => {
    const path = join(folder, 'small.jpg');
    await dots(path, 120, 90, 1);
    const photo = { path, name: 'small.jpg', width: 120, height: 90 } as Photo;
    expect(await readPixels(photo, { longSide: 240 })).toMatchObject({ width: 120, height: 90 });
    expect(await readPixels(photo, { longSide: 240, enlarge: true })).toMatchObject({ width: 240, height: 180 });
    expect(await readPixels(photo, { width: 33, height: 44 })).toMatchObject({ width: 33, height: 44 });
  });
});

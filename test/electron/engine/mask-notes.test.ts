import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../../electron/engine/engine.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointmap-mask-notes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [width, height] = [96, 72];
const isMiddle = (k: number): boolean => {
  const [x, y] = [k % width, Math.floor(k / width)];
  return x > 12 && x < width - 12 && y > 10 && y < height - 10;
};

test('masks that lie beside photos or in them are told of, and when they look inverted', async () => {
  const noise = (seed: number) => Buffer.from(Array.from({ length: width * height * 3 }, (_, k) => (k * seed) % 251));
  for (const k of [0, 1]) {
    const photo = sharp(noise(7919 + 2 * k), { raw: { width, height, channels: 3 } });
    await photo.jpeg().toFile(join(folder, `photo-${k}.jpg`));
    const mask = Buffer.from(Array.from({ length: width * height }, (_, at) => (isMiddle(at) ? 0 : 255)));
    await sharp(mask, { raw: { width, height, channels: 1 } })
      .png()
      .toFile(join(folder, `photo-${k}.jpg.png`));
  }
  const rgba = Buffer.from(
    Array.from({ length: width * height * 4 }, (_, k) => (k % 4 < 3 ? (k * 31) % 251 : isMiddle(k >> 2) ? 255 : 0)),
  );
  await sharp(rgba, { raw: { width, height, channels: 4 } })
    .png()
    .toFile(join(folder, 'clear.png'));
  const engine = new Engine({ dataFolder: join(folder, 'data'), threads: 1 });
  await engine.request('project.create', { path: join(folder, 'a.pointmap') });
  const lines: string[] = [];
  engine.on('log.line', ({ message }) => lines.push(message));
  await engine.request('photos.add', {
    paths: ['photo-0.jpg', 'photo-1.jpg', 'clear.png'].map((name) => join(folder, name)),
  });
  await engine.close();
  const told = lines.filter((line) => line.includes('mask'));
  expect(told).toEqual([
    expect.stringMatching(/^masks beside the photos: 2 of 3 photos, white is kept, \d\d % of the pixels$/),
    expect.stringMatching(/^the masks keep the border .* if white marks what is to be left out, .* --invert-masks$/),
    expect.stringMatching(
      /^masks in the photos \(transparency\): 1 of 3 photos, what is opaque is kept, \d\d % of the pixels$/,
    ),
  ]);
});

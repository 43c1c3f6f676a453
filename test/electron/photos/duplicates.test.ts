import sharp from 'sharp';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Photo } from '../../../electron/geometry/types.js';
import { Engine } from '../../../electron/engine/engine.js';
import { Duplicates } from '../../../electron/photos/duplicates.js';
import { importPhoto } from '../../../electron/photos/import.js';
import { lookAt, Room } from '../../fixtures/room.js';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pointmap-duplicates-'));
  const room = new Room(5);
  const picture = async (x: number) => {
    const { pixels, width, height } = room.render(lookAt([x, 0, -1], [0, 0, 3], 0), 120, 160, 120);
    // Of a photo's size: cells of a few pixels would hold different ones in each copy.
    return sharp(
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .resize(800, 600)
        .png()
        .toBuffer(),
    );
  };
  const first = await picture(0);
  await first.clone().png().toFile(join(folder, '1-first.png'));
  await (await picture(0.02)).png().toFile(join(folder, '2-a-step-aside.png'));
  await first.clone().jpeg({ quality: 60 }).toFile(join(folder, '3-copy.jpg'));
  await first.clone().resize(500, 375).webp({ quality: 75 }).toFile(join(folder, '4-smaller.webp'));
  await first.clone().extract({ left: 0, top: 0, width: 800, height: 480 }).png().toFile(join(folder, '5-cropped.png'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = ['1-first.png', '2-a-step-aside.png', '3-copy.jpg', '4-smaller.webp', '5-cropped.png'];

test('copies in another size and quality are told, a step aside and a crop are not', async () => {
  const photos: Photo[] = [];
  for (const name of names) photos.push((await importPhoto(join(folder, name))).photo);
  const duplicates = new Duplicates();
  const expected = new Map([
    [photos[2]!.id, photos[0]!.id],
    [photos[3]!.id, photos[0]!.id],
  ]);
  // One after another as they are read, all at once, and in another order.
  for (let k = 1; k < photos.length; k++) duplicates.of(photos.slice(0, k));
  expect(duplicates.of(photos)).toEqual(expected);
  expect(new Duplicates().of(photos)).toEqual(expected);
  expect(duplicates.of([photos[3]!, photos[0]!])).toEqual(new Map([[photos[0]!.id, photos[3]!.id]]));
});

test('the project says of a photo which one it is a copy of', async () => {
  const engine = new Engine({ dataFolder: join(folder, 'data') });
  await engine.request('project.create', {});
  await engine.request('photos.add', { paths: names.map((name) => join(folder, name)) });
  const { photos } = (await engine.request('project.state', {}))!;
  const first = photos.find(({ name }) => name === names[0])!.id;
  expect(photos.filter(({ duplicateOf }) => duplicateOf === first).map(({ name }) => name)).toEqual(names.slice(2, 4));
  expect(photos.filter(({ duplicateOf }) => duplicateOf !== undefined)).toHaveLength(2);
  await engine.close();
});

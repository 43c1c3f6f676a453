import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Engine } from '../../../electron/engine/engine.js';
import { readMask } from '../../../electron/photos/masks.js';

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointmap-faces-'));
  engine = new Engine({ dataFolder: join(folder, 'data') });
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const [width, height] = [512, 256];

/** A picture of 360 degrees, told by its metadata, and a mask that hides its lower half. */
async function place(): Promise<{ picture: string; mask: string }> {
  const noise = Buffer.from(Array.from({ length: width * height * 3 }, (_, k) => (k * 7919) % 251));
  const xmp =
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description ' +
    'xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:ProjectionType="equirectangular"/></rdf:RDF></x:xmpmeta>';
  const picture = join(folder, 'photos', 'round.jpg');
  const mask = join(folder, 'masks', 'round.jpg.png');
  for (const path of [picture, mask]) await mkdir(dirname(path), { recursive: true });
  await writeFile(
    picture,
    await sharp(noise, { raw: { width, height, channels: 3 } })
      .withXmp(xmp)
      .jpeg()
      .toBuffer(),
  );
  const upper = Buffer.from(Array.from({ length: width * height }, (_, k) => (k < (width * height) / 2 ? 255 : 0)));
  await writeFile(
    mask,
    await sharp(upper, { raw: { width, height, channels: 1 } })
      .png()
      .toBuffer(),
  );
  return { picture, mask };
}

/** Of each view by the word in its name: the share of its upper and of its lower half that is used. */
async function halves(): Promise<Map<string, [number, number]>> {
  const found = new Map<string, [number, number]>();
  for (const photo of engine.open.project.photos()) {
    const keep = photo.mask ? (await readMask(photo, 64, 64))!.keep : new Uint8Array(64 * 64).fill(1);
    const share = (part: Uint8Array): number => part.reduce((sum, flag) => sum + flag, 0) / part.length;
    const name = /round\.(\w+)/.exec(basename(photo.path))![1]!;
    found.set(name, [share(keep.subarray(0, 2048)), share(keep.subarray(2048))]);
  }
  return found;
}

test('a mask of a 360-degree picture is cut as the picture is, and can be taken off', async () => {
  const { picture, mask } = await place();
  await engine.request('project.create', {});
  await engine.request('photos.add', { paths: [picture] });
  const { found, without } = await engine.request('photos.masks', { folder: dirname(mask) });
  expect([found, without]).toEqual([6, []]);
  const masked = await halves();
  for (const view of ['front', 'left', 'right', 'back']) {
    expect(masked.get(view)![0]).toBeGreaterThan(0.95);
    expect(masked.get(view)![1]).toBeLessThan(0.05);
  }
  expect(masked.get('up')).toEqual([1, 1]);
  expect(masked.get('down')).toEqual([0, 0]);
  await engine.request('photos.masks', { folder: null });
  expect([...(await halves()).values()]).toEqual(Array.from({ length: 6 }, () => [1, 1]));
});

test('a mask that lies beside a 360-degree picture holds from the start', async () => {
  const { picture, mask } = await place();
  await sharp(mask).toFile(`${picture}.png`);
  await engine.request('project.create', {});
  await engine.request('photos.add', { paths: [picture] });
  const masked = await halves();
  expect(masked.size).toBe(6);
  expect(masked.get('front')![0]).toBeGreaterThan(0.95);
  expect(masked.get('front')![1]).toBeLessThan(0.05);
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importPhoto, importPhotos } from '../../../electron/photos/import.js';
import { findMasks, readMask } from '../../../electron/photos/masks.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointmap-masks-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Grey noise. */
const photo = (width: number, height: number) =>
  sharp(Buffer.from(Array.from({ length: width * height * 3 }, (_, k) => (k * 7919) % 251)), {
    raw: { width, height, channels: 3 },
  });

/** White in the left half, black in the right. */
const leftHalf = (width: number, height: number) =>
  sharp(Buffer.from(Array.from({ length: width * height }, (_, k) => (k % width < width / 2 ? 255 : 0))), {
    raw: { width, height, channels: 1 },
  }).png();

async function place(name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

describe('masks', () => {
  test.each(['a.jpg.png', 'a_mask.png', 'a.png', 'A.PNG'])('are found by the name %s', async (name) => {
    const { photo: given } = await importPhoto(
      await place(`names-${name}/photos/a.jpg`, await photo(96, 64).jpeg().toBuffer()),
    );
    await place(`names-${name}/masks/${name}`, await leftHalf(48, 32).toBuffer());
    const { masks, without } = await findMasks([given], join(folder, `names-${name}/masks`));
    expect(without).toEqual([]);
    const { keep } = (await readMask({ ...given, mask: masks.get(given.id)! }, 12, 8))!;
    expect([...keep.subarray(0, 12)]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  test('may be inverted, which makes them other masks', async () => {
    const { photo: given } = await importPhoto(await place('inverted/a.jpg', await photo(90, 64).jpeg().toBuffer()));
    const beside = (await place('inverted/masks/a.png', await leftHalf(90, 64).toBuffer())).replace(/a\.png$/, '');
    const plain = (await findMasks([given], beside)).masks.get(given.id)!;
    const inverted = (await findMasks([given], beside, { inverted: true })).masks.get(given.id)!;
    expect(plain.id).not.toBe(inverted.id);
    const keep = async (mask: typeof plain) => [...(await readMask({ ...given, mask }, 2, 1))!.keep];
    expect([await keep(plain), await keep(inverted)]).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test('drawn on the stored picture of a turned photo are turned with it', async () => {
    // Orientation 6: shown turned clockwise by 90 degrees, so that the stored left half is the upper half.
    const path = await place('turned/a.jpg', await photo(96, 64).withMetadata({ orientation: 6 }).jpeg().toBuffer());
    const { photo: given } = await importPhoto(path);
    await place('turned/masks/a.jpg.png', await leftHalf(96, 64).toBuffer());
    const mask = (await findMasks([given], join(folder, 'turned/masks'))).masks.get(given.id)!;
    expect([...(await readMask({ ...given, mask }, 1, 2))!.keep]).toEqual([1, 0]);
  });

  test('of another shape are refused', async () => {
    const { photo: given } = await importPhoto(await place('shape/a.jpg', await photo(96, 64).jpeg().toBuffer()));
    await place('shape/masks/a.png', await leftHalf(64, 64).toBuffer());
    await expect(findMasks([given], join(folder, 'shape/masks'))).rejects.toThrow(
      /another shape than its photo \(64x64 where the photo is 96x64\)/,
    );
    await expect(findMasks([given], join(folder, 'nowhere'))).rejects.toThrow(/there is no such file or folder/);
  });

  test('beside the photos are masks, not photos, and a transparent background is one', async () => {
    await place('beside/a.jpg', await photo(96, 64).jpeg().toBuffer());
    await place('beside/a.jpg.png', await leftHalf(96, 64).toBuffer());
    await place('beside/b.jpg', await photo(96, 65).jpeg().toBuffer());
    await place('beside/b_mask.png', await leftHalf(96, 65).toBuffer());
    const hole = Buffer.alloc(80 * 64 * 4, 200).map((value, k) => (k % 4 === 3 && (k >> 2) % 80 < 20 ? 0 : value));
    await place(
      'beside/c.png',
      await sharp(hole, { raw: { width: 80, height: 64, channels: 4 } })
        .png()
        .toBuffer(),
    );
    const { imported } = await importPhotos([join(folder, 'beside')]);
    expect(imported.map(({ photo: { name, mask } }) => [name, mask?.channel])).toEqual([
      ['a.jpg', 'brightness'],
      ['b.jpg', 'brightness'],
      ['c.png', 'alpha'],
    ]);
    expect([...(await readMask(imported[2]!.photo, 4, 1))!.keep]).toEqual([0, 1, 1, 1]);
  });
});

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importPhotos, importPhoto } from '../../../electron/photos/import.js';
import { readPixels, readUpright, readWhole } from '../../../electron/photos/reader.js';
import { blurredFlags } from '../../../electron/photos/sharpness.js';
import { makeDng } from '../../fixtures/dng.js';
import { heic } from '../../fixtures/heic.js';
import { roomPhotos } from '../../fixtures/room-estimator.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointmap-photos-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Noise in blocks, so that there is detail at every scale; the top left quarter is red. */
function picture(width: number, height: number, seed = 1): Sharp {
  const pixels = new Uint8Array(width * height * 3);
  let state = seed;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const pixel = Math.floor(i / 3);
    const red = pixel % width < width / 2 && pixel < (width * height) / 2;
    pixels[i] = red ? (i % 3 === 0 ? 220 : 10) + (state >>> 28) : state >>> 24;
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}
const save = async (name: string, bytes: Uint8Array | string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
};
const exif = (tags: Record<string, string>) => ({ IFD2: tags });

describe('a photo', () => {
  test('is upright whatever its EXIF orientation says', async () => {
    const path = await save('portrait.jpg', await picture(320, 200).withMetadata({ orientation: 6 }).jpeg().toBuffer());
    const { photo } = await importPhoto(path);
    expect([photo.width, photo.height]).toEqual([200, 320]);
    const { width, height, pixels } = await readPixels(photo, { longSide: 64 });
    expect([width, height]).toEqual([40, 64]);
    // Orientation 6 turns the stored picture clockwise: its top left comes to the top right.
    const at = (x: number, y: number) => [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
    expect(at(35, 5)[0]! - at(35, 5)[1]!).toBeGreaterThan(150);
    expect(at(5, 5)[0]! - at(5, 5)[1]!).toBeLessThan(100);
  });

  test('goes to other programs upright: its own bytes where they are so, turned and as JPEG otherwise', async () => {
    const plain = await save('plain.jpg', await picture(320, 200).jpeg().toBuffer());
    expect(
      Buffer.compare(Buffer.from(await readUpright((await importPhoto(plain)).photo, 'jpg')), await readFile(plain)),
    ).toBe(0);
    const turned = await readUpright(
      (
        await importPhoto(
          await save('turned.jpg', await picture(320, 200).withMetadata({ orientation: 6 }).jpeg().toBuffer()),
        )
      ).photo,
      'jpg',
    );
    const { format, width, height, orientation } = await sharp(turned).metadata();
    expect([format, width, height, orientation ?? 1]).toEqual(['jpeg', 200, 320, 1]);
    const [red, green] = await sharp(turned).extract({ left: 175, top: 25, width: 1, height: 1 }).raw().toBuffer();
    expect(red! - green!).toBeGreaterThan(150);
    const other = await readUpright(
      (await importPhoto(await save('other.webp', await picture(320, 200).webp().toBuffer()))).photo,
      'jpg',
    );
    expect((await sharp(other).metadata()).format).toBe('jpeg');
  });

  test('has the focal of its 35 mm equivalent, by the diagonal', async () => {
    const path = await save(
      'focal.jpg',
      await picture(400, 300)
        .withExif(exif({ FocalLengthIn35mmFilm: '28' }))
        .jpeg()
        .toBuffer(),
    );
    const { photo } = await importPhoto(path);
    expect(photo.focal!.source).toBe('exif-35mm');
    expect(photo.focal!.pixels).toBeCloseTo((28 / 43.2666) * 500, 1);
  });

  test('has the focal of its focal plane resolution', async () => {
    const tags = { FocalLength: '5/1', FocalPlaneXResolution: '4000/1', FocalPlaneResolutionUnit: '3' };
    const path = await save('plane.jpg', await picture(400, 300).withExif(exif(tags)).jpeg().toBuffer());
    const { photo } = await importPhoto(path);
    expect(photo.focal!.source).toBe('exif-sensor');
    expect(photo.focal!.pixels).toBeCloseTo(5 * 400, 0);
  });

  test('has its place from GPS and its lens; a receiver without a fix has no place', async () => {
    const gps = (latitude: string, longitude: string) => ({
      IFD3: {
        GPSLatitudeRef: 'S',
        GPSLatitude: latitude,
        GPSLongitudeRef: 'E',
        GPSLongitude: longitude,
        GPSAltitudeRef: '0',
        GPSAltitude: '1234/10',
      },
      IFD2: { LensModel: 'Test 24mm' },
    });
    const there = await save(
      'there.jpg',
      await picture(80, 80).withExif(gps('33/1 30/1 3600/100', '151/1 0/1 0/1')).jpeg().toBuffer(),
    );
    const { photo } = await importPhoto(there);
    expect(photo.lens).toBe('Test 24mm');
    expect(photo.position!.latitude).toBeCloseTo(-33.51, 6);
    expect(photo.position!.longitude).toBeCloseTo(151, 6);
    expect(photo.position!.altitude).toBeCloseTo(123.4, 3);
    const nowhere = await picture(80, 80).withExif(gps('0/1 0/1 0/1', '0/1 0/1 0/1')).jpeg().toBuffer();
    const { photo: lost, notes } = await importPhoto(await save('nowhere.jpg', nowhere));
    expect(lost.position).toBeUndefined();
    expect(notes).toEqual(['has the GPS place 0, 0, which receivers without a fix write; it is not used']);
  });

  test("has a drone's gimbal angles", async () => {
    const packet = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/" drone-dji:GimbalYawDegree="-12.50"
      drone-dji:GimbalPitchDegree="-90.00" drone-dji:GimbalRollDegree="+0.00"/></rdf:RDF></x:xmpmeta>`;
    const path = await save('drone.jpg', await picture(80, 80).withXmp(packet).jpeg().toBuffer());
    expect((await importPhoto(path)).photo.orientation).toEqual({ yaw: -12.5, pitch: -90, roll: 0 });
  });

  test('that is RAW is developed once for all that looks at it reduced, and larger from the file', async () => {
    const bytes = makeDng(96, 64, (x, y) => [x / 100, 0.3, y / 70]);
    const path = await save('once.dng', bytes);
    // Under a name of its own the photo's bytes may change without a word.
    const photo = { ...(await importPhoto(path)).photo, id: 'once' };
    const first = await readPixels(photo, { longSide: 48 });
    expect([first.width, first.height]).toEqual([48, 32]);
    // What is left of the file can't be developed, and need not be.
    await save('once.dng', bytes.subarray(0, bytes.length >> 1));
    expect(await readPixels(photo, { longSide: 48 })).toEqual(first);
    expect((await readPixels(photo, { width: 30, height: 30 })).pixels.length).toBe(2700);
    await expect(readPixels(photo, { longSide: 4000 })).rejects.toThrow(/can't read the photo once\.dng/);
  });

  test('as camera RAW keeps more than 8 bits for those who ask for them', async () => {
    const dng = makeDng(256, 64, (x) => [0.05 + x / 2000, 0.05 + x / 2000, 0.05 + x / 2000]);
    const { photo } = await importPhoto(await save('ramp.dng', dng));
    const { pixels } = await readWhole(photo, 16);
    // A slow ramp: 8 bits would leave it a few dozen steps, each a multiple of 257 (or 256).
    const greens = new Set(Array.from(pixels).filter((_, k) => k % 3 === 1));
    expect(greens.size).toBeGreaterThan(120);
    expect([...greens].filter((value) => value % 257 === 0 || value % 256 === 0).length).toBeLessThan(greens.size / 4);
  });

  test('as camera RAW is developed, and turned as the camera was held', async () => {
    const dng = makeDng(
      160,
      120,
      (x, y) => (x >= 80 ? [0.1, 0.1, 0.8] : y < 60 ? [0.8, 0.1, 0.1] : [0.1, 0.8, 0.1]),
      6,
    );
    const { photo } = await importPhoto(await save('raw.dng', dng));
    expect(photo).toMatchObject({ width: 120, height: 160, camera: 'Test Raw One' });
    const { width, pixels } = await readPixels(photo, {});
    const strongest = (x: number, y: number) => {
      const at = [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
      return at.indexOf(Math.max(...at));
    };
    // Turned clockwise: green over blue on the left, red on the right.
    expect([strongest(30, 30), strongest(90, 30), strongest(30, 130), strongest(90, 130)]).toEqual([1, 0, 2, 2]);
    await expect(importPhoto(await save('cut.dng', dng.subarray(0, 9000)))).rejects.toThrow(/LibRaw|image/);
  });

  test('without EXIF has no focal, and nonsense is not believed', async () => {
    const plain = await importPhoto(await save('plain.png', await picture(80, 80).png().toBuffer()));
    expect(plain.photo.focal).toBeUndefined();
    const silly = await importPhoto(
      await save(
        'silly.jpg',
        await picture(80, 80)
          .withExif(exif({ FocalLengthIn35mmFilm: '65535' }))
          .jpeg()
          .toBuffer(),
      ),
    );
    expect(silly.photo.focal).toBeUndefined();
  });

  test('in HEIC is turned as its container says, and has the focal of its EXIF', async () => {
    const { photo } = await importPhoto(await save('phone.heic', heic));
    expect(photo).toMatchObject({ width: 96, height: 160, camera: 'Test Phone' });
    expect(photo.focal!.source).toBe('exif-35mm');
    expect(photo.focal!.pixels).toBeCloseTo((26 / 43.2666) * Math.hypot(96, 160), 1);
    const { width, pixels } = await readPixels(photo, {});
    // Stored red, green over blue, white.
    const at = (x: number, y: number) =>
      [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)].map((value) => Math.round(value / 100));
    expect([at(5, 5), at(90, 5), at(5, 154), at(90, 154)]).toEqual([
      [0, 0, 2],
      [2, 0, 0],
      [2, 2, 2],
      [0, 2, 0],
    ]);
  });

  test('scores lower when blurred', async () => {
    const sharpOne = await importPhoto(await save('sharp.png', await picture(400, 300).png().toBuffer()));
    const soft = await importPhoto(await save('soft.png', await picture(400, 300).blur(4).png().toBuffer()));
    expect(soft.photo.sharpness).toBeLessThan(0.5 * sharpOne.photo.sharpness);
    expect(blurredFlags([0.5, 0.6, 0.55, 0.1])).toEqual([false, false, false, true]);
  });
});

describe('every kind of image', () => {
  test.each([
    ['jpeg', () => picture(96, 64).jpeg()],
    ['png', () => picture(96, 64).png()],
    ['webp', () => picture(96, 64).webp()],
    ['tiff', () => picture(96, 64).tiff()],
    ['avif', () => picture(96, 64).avif({ effort: 0 })],
    ['16-bit png', () => picture(96, 64).toColourspace('rgb16').png()],
    ['grey', () => picture(96, 64).greyscale().png()],
    ['16-bit grey', () => picture(96, 64).toColourspace('grey16').png()],
    ['alpha', () => picture(96, 64).ensureAlpha(0.5).png()],
    ['CMYK', () => picture(96, 64).toColourspace('cmyk').jpeg()],
  ])('%s is read as 8-bit sRGB', async (kind, make) => {
    const path = await save(`kind-${kind}`, await make().toBuffer());
    const { photo } = await importPhoto(path);
    const { width, height, pixels } = await readPixels(photo, { longSide: 96 });
    expect([width, height, pixels.length]).toEqual([96, 64, 96 * 64 * 3]);
    expect(Math.max(...pixels)).toBeGreaterThan(100);
  });

  test('an animation gives its first frame, and says so', async () => {
    const frames = await Promise.all([1, 2].map((seed) => picture(96, 64, seed).png().toBuffer()));
    const path = await save(
      'animated.webp',
      await sharp(frames, { join: { animated: true } })
        .webp({ loop: 0, delay: [100, 100] })
        .toBuffer(),
    );
    const { photo, notes } = await importPhoto(path);
    expect([photo.width, photo.height]).toEqual([96, 64]);
    expect(notes.join()).toMatch(/first/);
  });
});

test('one bad photo never stops the others, and each gets its reason', async () => {
  const jpeg = await picture(640, 480).jpeg().toBuffer();
  const panorama = sharp({ create: { width: 30_000, height: 200, channels: 3, background: '#448' } });
  const paths = [
    await save('text.jpg', 'not an image at all'),
    await save('truncated.jpg', jpeg.subarray(0, jpeg.length >> 1)),
    await save('nothing.jpg', ''),
    await save('dot.png', await picture(1, 1).png().toBuffer()),
    await save('panorama.jpg', await panorama.jpeg().toBuffer()),
    await save('good.jpg', jpeg),
    await save('again.jpg', jpeg),
    join(folder, 'absent.jpg'),
    await save(
      'broken.heic',
      Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(200)]),
    ),
  ];
  const { imported, refused } = await importPhotos(paths);
  expect(imported.map(({ photo }) => photo.name)).toEqual(['good.jpg']);
  const reasons = Object.fromEntries(refused.map(({ path, reason }) => [path.slice(folder.length + 1), reason]));
  expect(reasons['text.jpg']).toMatch(/not an image/);
  expect(reasons['truncated.jpg']).toMatch(/damaged or cut off/);
  expect(reasons['nothing.jpg']).toMatch(/0 bytes/);
  expect(reasons['dot.png']).toMatch(/too small/);
  expect(reasons['panorama.jpg']).toMatch(/panorama/);
  expect(reasons['again.jpg']).toMatch(/the same photo as good.jpg/);
  expect(reasons['absent.jpg']).toMatch(/no such file/);
  expect(reasons['broken.heic']).toMatch(/not an image|damaged/);
});

test('a folder gives its photos in the order of their numbers; an empty one says so', async () => {
  const inner = await mkdtemp(join(folder, 'set-'));
  for (const [k, name] of ['p10.png', 'p9.png', 'notes.txt'].entries())
    await writeFile(
      join(inner, name),
      await picture(80, 80, k + 5)
        .png()
        .toBuffer(),
    );
  const { imported } = await importPhotos([inner]);
  expect(imported.map(({ photo }) => photo.name)).toEqual(['p9.png', 'p10.png']);
  const empty = await mkdtemp(join(folder, 'empty-'));
  expect((await importPhotos([empty])).refused[0]!.reason).toMatch(/no photos in this folder/);
});

test('what a folder holds besides, and people take for photos, is named in a line', async () => {
  const inner = await mkdtemp(join(folder, 'mixed-'));
  await writeFile(join(inner, 'good.png'), await picture(80, 80, 31).png().toBuffer());
  for (const name of ['map.JP2', 'old.tga', 'sensor.pef', 'walk.mp4', 'notes.txt', '.hidden.tga'])
    await writeFile(join(inner, name), 'x');
  const { imported, refused } = await importPhotos([inner]);
  expect(imported.length).toBe(1);
  expect(refused).toEqual([
    { path: inner, reason: 'map.JP2, old.tga: not a format that is read; convert to PNG' },
    { path: inner, reason: 'sensor.pef: not a format that is read; convert to DNG' },
    { path: inner, reason: 'walk.mp4: videos beside photos; name them to have their frames used' },
  ]);
});

test('a folder whose photos all lie in folders within it names them', async () => {
  const outer = await mkdtemp(join(folder, 'outer-'));
  await mkdir(join(outer, 'day 1'));
  await writeFile(join(outer, 'day 1', 'good.png'), await picture(80, 80, 32).png().toBuffer());
  expect((await importPhotos([outer])).refused[0]!.reason).toMatch(
    /in this folder itself; add those within it: day 1$/,
  );
});

test('photos are handed over while others are being read, each once and in order, and a failure there ends the reading', async () => {
  const photos = await roomPhotos(join(folder, 'many'), 12);
  const batches: string[][] = [];
  const { imported } = await importPhotos([photos], new Map(), (batch) =>
    batches.push(batch.map(({ photo }) => photo.name)),
  );
  expect(batches.length).toBeGreaterThan(3);
  expect(batches.flat()).toEqual(imported.map(({ photo }) => photo.name));
  expect(imported).toHaveLength(12);
  let calls = 0;
  await expect(
    importPhotos([photos], new Map(), () => {
      calls++;
      throw new Error('full');
    }),
  ).rejects.toThrow('full');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(calls).toBeLessThanOrEqual(2);
});

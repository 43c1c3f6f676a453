import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { presetIds, presetSettings } from '../../electron/contract/presets.js';
import { exrBytes } from '../../electron/export/exr.js';
import { ExportPool } from '../../electron/export/pool.js';
import { madeAhead } from '../../electron/export/ahead.js';
import { presets } from '../../electron/export/presets/index.js';
import type { PresetInput } from '../../electron/export/presets/types.js';
import { trackPoints } from '../../electron/export/tracks.js';
import { writeFiles } from '../../electron/export/write-files.js';
import { presetInput, rayColor } from '../fixtures/preset-input.js';

let input: PresetInput;
beforeAll(async () => {
  input = await presetInput();
});

async function written(id: (typeof presetIds)[number], change: Partial<PresetInput> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-preset-'));
  const options = presetSettings.parse({ preset: id });
  const preset = presets.find((each) => each.id === id)!;
  await writeFiles(folder, await preset.write({ ...input, ...change }, options));
  return folder;
}

const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

test('every preset of the contract is there, and no other', () => {
  expect(presets.map(({ id }) => id)).toEqual([...presetIds]);
});

test('blender: what the script names is there, the mesh too where there is one', async () => {
  const mesh = { name: 'mesh.glb', chunks: [new Uint8Array([1, 2, 3])] };
  const folder = await written('blender', { mesh });
  expect(readdirSync(folder).sort()).toEqual(
    ['mesh.glb', 'open_in_blender.py', 'photos', 'points-as-faces.ply', 'points.ply', 'scene.glb'].sort(),
  );
  const script = readFileSync(join(folder, 'open_in_blender.py'), 'utf8');
  const data = JSON.parse(JSON.parse(/^DATA = json\.loads\((.*)\)$/m.exec(script)![1]!) as string);
  expect(data.mesh).toBe('mesh.glb');
  for (const { image, width, height, focal, photo } of data.cameras) {
    const size = await sharp(join(folder, image)).metadata();
    expect([size.width, size.height]).toEqual([width, height]);
    expect(focal).toBe(input.scene.cameras.find(({ name }) => name === photo)!.fx);
  }
  expect([...readFileSync(join(folder, 'mesh.glb'))]).toEqual([1, 2, 3]);
});

test('splatting: pictures, cameras without lens, transforms.json of the same cameras', async () => {
  const folder = await written('splatting');
  const { frames, ply_file_path: points } = json(folder, 'transforms.json');
  expect(readdirSync(join(folder, 'sparse/0')).sort()).toEqual(
    ['cameras.bin', 'images.bin', 'points3D.bin', 'points3D.ply'].sort(),
  );
  expect(points).toBe('sparse/0/points3D.ply');
  for (const { file_path: file, w, h, k1 } of frames) {
    const { width, height } = await sharp(join(folder, file)).metadata();
    expect([width, height, 0]).toEqual([w, h, k1]);
  }
});

test('splatting: masks are undistorted with their photos', async () => {
  const mask =
    ({ width, height }: { width: number; height: number }) =>
    async () => ({
      width,
      height,
      channels: 1,
      samples: Uint8Array.from({ length: width * height }, (_, k) => (k % width < width / 2 ? 255 : 0)),
    });
  const folder = await written('splatting', { photos: { ...input.photos, mask } });
  const [frame] = json(folder, 'transforms.json').frames;
  const { data, info } = await sharp(join(folder, frame.mask_path)).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([frame.w, frame.h]);
  const row = data.subarray(Math.floor(info.height / 2) * info.width * info.channels);
  expect(row[info.channels * 3]).toBe(255);
  expect(row[info.channels * (info.width - 4)]).toBe(0);
});

describe('true tracks', () => {
  test('points are found again, with the error that their sightings have', () => {
    const { scene } = input;
    const points = trackPoints(scene.cameras, scene.sparse!);
    expect(points.length).toBeGreaterThan(150);
    const mean = points.reduce((sum, { error }) => sum + error, 0) / points.length;
    // Sightings are off by 0.3 px; solving takes up a part of it, two sightings the more.
    expect(mean).toBeGreaterThan(0.1);
    expect(mean).toBeLessThan(0.3);
  });

  test('a wrong sighting is left out, and a point with no other two is left out whole', () => {
    const { scene } = input;
    const wrong = structuredClone({ ...scene.sparse! }) as NonNullable<PresetInput['scene']['sparse']>;
    for (let s = 0; s < wrong.points.trackAt.length / 2; s += 7)
      wrong.points.trackAt[2 * s] = wrong.points.trackAt[2 * s]! + 0.2;
    const points = trackPoints(scene.cameras, wrong);
    expect(points.length).toBeGreaterThan(50);
    for (const { error, sightings } of points) {
      expect(sightings.length).toBeGreaterThanOrEqual(2);
      expect(error).toBeLessThan(4);
    }
  });
});

describe('survey', () => {
  test('LAS 1.4: header, bounds and points agree with the cloud and its offset', async () => {
    const bytes = readFileSync(join(await written('survey'), 'scene.las'));
    const { cloud } = input.scene;
    const { offset } = input.facts;
    expect(bytes.subarray(0, 4).toString()).toBe('LASF');
    expect([bytes[24], bytes[25], bytes[104], bytes.readUInt16LE(94)]).toEqual([1, 4, 7, 375]);
    expect([bytes.readUInt16LE(90), bytes.readUInt16LE(92)]).toEqual([31, 2026]);
    const count = cloud.confidence.length;
    expect(Number(bytes.readBigUInt64LE(247))).toBe(count);
    const start = bytes.readUInt32LE(96);
    const size = bytes.readUInt16LE(105);
    expect(bytes.length).toBe(start + count * size);
    for (const k of [0, 17, count - 1])
      for (let i = 0; i < 3; i++) {
        const step = bytes.readDoubleLE(131 + 8 * i);
        const value = bytes.readInt32LE(start + k * size + 4 * i) * step + bytes.readDoubleLE(155 + 8 * i);
        expect(value - offset[i]!).toBeCloseTo(cloud.positions[3 * k + i]!, 2);
        expect(value).toBeLessThanOrEqual(bytes.readDoubleLE(179 + 16 * i) + 1e-9);
        expect(value).toBeGreaterThanOrEqual(bytes.readDoubleLE(187 + 16 * i) - 1e-9);
        expect(bytes.readUInt16LE(start + k * size + 30 + 2 * i)).toBe(257 * cloud.colors[3 * k + i]!);
      }
    expect(bytes.readFloatLE(start + size * 17 + 36)).toBe(cloud.confidence[17]);
  });

  test('the report tells scale, residuals and what was not placed, and nothing in it is taken for markup', async () => {
    const report = readFileSync(join(await written('survey'), 'report.html'), 'utf8');
    expect(report).toContain('Room &#60;1&#62;');
    expect(report).not.toContain('<1>');
    expect(report).toContain('4.0 mm');
    expect(report).toContain('not placed: shares too little');
    expect(report).not.toContain('scale of this scene is not known');
    expect(report).toMatch(/P2<.*<td>3\.0<\/td><td>4\.0<\/td><td>0\.0<\/td><td>5\.0</);
    expect(report).toMatch(/1 check points<\/td><td>RMS<\/td>.*5\.0/);
    expect(report).toMatch(/=sill<\/td><td>height<\/td><td>0\.912 m<\/td><td>0\.004 m<\/td><td>0\.40 px/);
    expect(report).toMatch(/a\.jpg<\/td><td>1\.25<\/td><td>-0\.50/);
  });

  test('without a scale the report says so', async () => {
    const report = readFileSync(join(await written('survey', { unit: 'scene unit' }), 'report.html'), 'utf8');
    expect(report).toContain('scale of this scene is not known');
  });
});

/** Channels of an EXR that `exrBytes` wrote, decoded as the format describes it. */
function exrRow(bytes: Buffer, row: number, width: number, channels: number): Float32Array[] {
  let at = 8;
  while (bytes[at] !== 0) {
    at = bytes.indexOf(0, at) + 1;
    at = bytes.indexOf(0, at) + 1;
    at += 4 + bytes.readInt32LE(at);
  }
  const place = Number(bytes.readBigUInt64LE(at + 1 + 8 * Math.floor(row / 16)));
  const size = bytes.readInt32LE(place + 4);
  const packed = inflateSync(bytes.subarray(place + 8, place + 8 + size));
  for (let k = 1; k < packed.length; k++) packed[k] = (packed[k - 1]! + packed[k]! - 128) & 255;
  const half = (packed.length + 1) >> 1;
  const raw = Uint8Array.from(packed, (_, k) => packed[(k & 1 ? half : 0) + (k >> 1)]!);
  const floats = new Float32Array(raw.buffer);
  return Array.from({ length: channels }, (_, c) => {
    const first = ((row % 16) * channels + c) * width;
    return floats.subarray(first, first + width);
  });
}

describe('compositing', () => {
  test('plates of photos whose lens was aside lie over the scene through cameras that know the middle only', async () => {
    const folder = await written('compositing', await presetInput({ k1: -0.12, cx: 150.3, cy: 71 }));
    const { plates } = json(folder, 'plates.json');
    const lines = readFileSync(join(folder, 'cameras.chan'), 'utf8').split('\n');
    for (const [k, { plate, depth, undistort }] of plates.slice(0, 2).entries()) {
      const { data, info } = await sharp(join(folder, plate)).raw().toBuffer({ resolveWithObject: true });
      const focal = info.height / 2 / Math.tan((Number(lines[k]!.split('\t')[7]) * Math.PI) / 360);
      const off: number[] = [];
      for (let y = 4; y < info.height; y += 9)
        for (let x = 4; x < info.width; x += 9) {
          const pixel = data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3);
          if (pixel[0]! + pixel[1]! + pixel[2]! < 30) continue;
          const ray = rayColor((x + 0.5 - info.width / 2) / focal, (y + 0.5 - info.height / 2) / focal);
          off.push(Math.max(...ray.map((value, c) => Math.abs(value - pixel[c]!))));
        }
      // The rest are the borders, and the picture's dark places.
      expect(off.length).toBeGreaterThan(0.25 * (info.width / 9) * (info.height / 9));
      expect(off.sort((a, b) => a - b)[Math.floor(0.9 * off.length)]!).toBeLessThan(6);
      for (const file of [depth, undistort])
        expect(exrRow(readFileSync(join(folder, file)), 0, info.width, 2)[0]!.length).toBe(info.width);
    }
  });

  test('depth at the size of the plate, ST-maps that undo each other, cameras that look the right way', async () => {
    const folder = await written('compositing');
    const { plates } = json(folder, 'plates.json');
    const plate = plates[0];
    const { width, height } = await sharp(join(folder, plate.plate)).metadata();
    expect([width, height]).toEqual([plate.width, plate.height]);
    const depth = readFileSync(join(folder, plate.depth));
    const map = input.scene.depthMaps[0]!;
    const y = Math.round(plate.principalPoint[1] - 0.5);
    const x = Math.round(plate.principalPoint[0] - 0.5);
    const middle = map.depth[Math.round(map.centreY) * map.width + Math.round(map.centreX)]!;
    for (const channel of exrRow(depth, y, plate.width, 2)) expect(channel[x]! / middle).toBeCloseTo(1, 1);

    const photo = input.scene.cameras[0]!;
    const undo = readFileSync(join(folder, plate.undistort));
    const redo = readFileSync(join(folder, plate.distort));
    for (const [px, py] of [
      [10, 12],
      [60, 40],
    ] as const) {
      // Channels are stored by name: G before R.
      const [g, r] = exrRow(undo, py, plate.width, 2).map((row) => row[px]!);
      const at = [r! * photo.width - 0.5, (1 - g!) * photo.height - 0.5];
      const [G, R] = exrRow(redo, Math.round(at[1]!), photo.width, 2).map((row) => row[Math.round(at[0]!)]!);
      expect(Math.abs(R! * plate.width - 0.5 - px)).toBeLessThan(0.8);
      expect(Math.abs((1 - G!) * plate.height - 0.5 - py)).toBeLessThan(0.8);
    }

    const [line] = readFileSync(join(folder, 'cameras.chan'), 'utf8').split('\n');
    const [frame, tx, ty, tz, rx, ry, , vfov] = line!.split('\t').map(Number) as number[];
    const M = photo.worldFromCamera;
    expect([frame, tx, ty, tz]).toEqual([
      1,
      expect.closeTo(M[3]!, 5),
      expect.closeTo(M[11]!, 5),
      expect.closeTo(-M[7]!, 5),
    ]);
    const radians = Math.PI / 180;
    // Forward of a camera that looks along -z after turns about x and then y.
    const forward = [
      -Math.sin(ry! * radians) * Math.cos(rx! * radians),
      Math.sin(rx! * radians),
      -Math.cos(ry! * radians) * Math.cos(rx! * radians),
    ];
    [M[2]!, M[10]!, -M[6]!].forEach((value, i) => expect(forward[i]).toBeCloseTo(value, 5));
    expect(vfov).toBeCloseTo((2 * Math.atan(plate.height / 2 / plate.focalPixels)) / radians, 4);
  });

  test('EXR: every row of every channel comes back', async () => {
    const noise = Float32Array.from({ length: 37 * 21 }, (_, k) => Math.sin(k * k * 1e3) * 10 ** (k % 9));
    const channels = {
      Z: (first: number, rows: number) => new Float32Array(rows * 37).fill(first),
      noise: (first: number, rows: number) => noise.slice(first * 37, (first + rows) * 37),
    };
    const bytes = Buffer.from(await exrBytes({ width: 37, height: 21, channels }));
    for (const row of [0, 15, 16, 20]) {
      const [Z, same] = exrRow(bytes, row, 37, 2);
      expect([...Z!]).toEqual(new Array(37).fill(row < 16 ? 0 : 16));
      expect([...same!]).toEqual([...noise.subarray(row * 37, (row + 1) * 37)]);
    }
  });
});

describe('writing', () => {
  test('files are made a few ahead of their turn, and what fails is told at its own', async () => {
    const begun: number[] = [];
    const late = [0, 1, 2, 3, 4].map((k) => ({
      name: `${k}`,
      make: async () => {
        begun.push(k);
        if (k === 2) throw new Error('third');
        return Uint8Array.of(k);
      },
    }));
    const files = madeAhead(late, 2);
    expect(begun).toEqual([]);
    const folder = join(mkdtempSync(join(tmpdir(), 'pointmap-ahead-')), 'out');
    await expect(writeFiles(folder, files)).rejects.toThrow('third');
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  test('threads write what this thread writes', async () => {
    const pool = new ExportPool(2);
    try {
      for (const [name, id] of [
        ['plates', 'compositing'],
        ['images', 'splatting'],
      ] as const) {
        const [here, there] = [await written(id), await written(id, { work: pool })];
        for (const file of readdirSync(join(here, name)))
          expect(readFileSync(join(there, name, file)).equals(readFileSync(join(here, name, file)))).toBe(true);
      }
    } finally {
      await pool.close();
    }
  }, 60_000);

  test('a photo that fails at the last file leaves nothing, also no folder', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'pointmap-preset-')), 'out');
    const pixels = async () => {
      throw new Error('gone');
    };
    const preset = presets.find(({ id }) => id === 'blender')!;
    const files = await preset.write(
      { ...input, photos: { ...input.photos, pixels } },
      presetSettings.parse({ preset: 'blender' }),
    );
    await expect(writeFiles(folder, files)).rejects.toThrow('gone');
    expect(() => readdirSync(folder)).toThrow();
  });

  test('a cancel ends it with its reason; progress names the files', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'pointmap-preset-')), 'out');
    const stopping = new AbortController();
    const seen: (string | undefined)[] = [];
    const files = await presets[0]!.write(input, presetSettings.parse({ preset: 'blender' }));
    const writing = writeFiles(folder, files, {
      signal: stopping.signal,
      onProgress: ({ done, file }) => {
        seen.push(file);
        if (done === 2) stopping.abort(new Error('enough'));
      },
    });
    await expect(writing).rejects.toThrow('enough');
    expect(seen).toEqual(['scene.glb', 'points.ply', 'points-as-faces.ply']);
    expect(() => readdirSync(folder)).toThrow();
  });
});

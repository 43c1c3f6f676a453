import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeIO } from '@gltf-transform/core';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportFormats } from '../../electron/contract/api.js';
import { colmapModel, quaternionOf } from '../../electron/export/colmap.js';
import { unitsPerStep } from '../../electron/export/depth.js';
import { formatById, formats } from '../../electron/export/formats.js';
import { patchesOf } from '../../electron/export/patches.js';
import type { ExportFile } from '../../electron/export/types.js';
import { writeFiles } from '../../electron/export/write-files.js';
import { multiply4, rotationFromVector, rigid } from '../../electron/numerics/linear.js';
import type { Scene } from '../../electron/geometry/types.js';
import { roomScene } from '../fixtures/scene.js';

let scene: Scene;
beforeAll(async () => {
  ({ scene } = await roomScene());
});

async function bytesOf({ chunks }: ExportFile): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of chunks) pieces.push(piece);
  return Buffer.concat(pieces);
}

const first = async (id: string) => bytesOf(formatById(id)!.write(scene)[0]!);

test('every format of the contract is there, and no other', () => {
  expect(formats.map(({ id }) => id).sort()).toEqual([...exportFormats].sort());
});

test('size estimates are near the truth', async () => {
  for (const format of formats) {
    let bytes = 0;
    for (const file of format.write(scene)) bytes += (await bytesOf(file)).length;
    expect(format.estimateBytes(scene) / bytes, format.id).toBeGreaterThan(0.4);
    expect(format.estimateBytes(scene) / bytes, format.id).toBeLessThan(4);
  }
});

test('PLY: header, count and the last point', async () => {
  const bytes = await first('ply');
  const end = bytes.indexOf('end_header\n') + 11;
  const count = scene.cloud.confidence.length;
  expect(bytes.subarray(0, end).toString()).toContain(`element vertex ${count}\n`);
  expect(bytes.length - end).toBe(count * 32);
  const at = end + (count - 1) * 32;
  for (let i = 0; i < 3; i++) expect(bytes.readFloatLE(at + 4 * i)).toBe(scene.cloud.positions[3 * (count - 1) + i]);
  expect(bytes[at + 24]).toBe(scene.cloud.colors[3 * (count - 1)]);
  expect(bytes.readFloatLE(at + 27)).toBe(scene.cloud.confidence[count - 1]);
});

test('GLB: y up, z backward, a coloured triangle around each point, and a camera node per photo that sees its own points ahead', async () => {
  const document = await new NodeIO().readBinary(await first('glb'));
  const primitive = document.getRoot().listMeshes()[0]!.listPrimitives()[0]!;
  expect(primitive.getMode()).toBe(4);
  const positions = primitive.getAttribute('POSITION')!;
  const count = scene.cloud.confidence.length;
  expect(positions.getCount()).toBe(3 * count);
  const corner = (k: number) => positions.getElement(k, []);
  for (const k of [0, 7, count - 1]) {
    const middle = [0, 1, 2].map((i) => (corner(3 * k)[i]! + corner(3 * k + 1)[i]! + corner(3 * k + 2)[i]!) / 3);
    const [x, y, z] = scene.cloud.positions.subarray(3 * k, 3 * k + 3);
    // The scene frame is z up.
    [x!, z!, -y!].forEach((value, i) => expect(middle[i]).toBeCloseTo(value, 4));
  }
  for (let i = 0; i < 3; i++) {
    const along = Array.from({ length: positions.getCount() }, (_, k) => positions.getElement(k, [0, 0, 0])[i]!);
    expect([positions.getMin([0, 0, 0])[i], positions.getMax([0, 0, 0])[i]]).toEqual([
      along.reduce((a, b) => Math.min(a, b)),
      along.reduce((a, b) => Math.max(a, b)),
    ]);
  }
  const red = scene.cloud.colors[3 * (count - 1)]! / 255;
  expect(primitive.getAttribute('COLOR_0')!.getElement(3 * count - 1, [0, 0, 0, 0])[0]).toBeCloseTo(
    ((red + 0.055) / 1.055) ** 2.4,
    4,
  );
  expect(document.getRoot().listScenes()[0]!.listChildren()).toHaveLength(1);
  const nodes = document
    .getRoot()
    .listNodes()
    .filter((node) => node.getCamera());
  expect(nodes.map((node) => node.getName())).toEqual(scene.cameras.map(({ name }) => name));
  nodes.forEach((node, k) => {
    const camera = scene.cameras[k]!;
    const M = node.getWorldMatrix();
    expect([M[12], -M[14]!, M[13]!]).toEqual([3, 7, 11].map((i) => expect.closeTo(camera.worldFromCamera[i]!, 5)));
    // A glTF camera looks along its -z: that axis must be the camera's forward, turned to glTF's world.
    expect([-M[8]!, M[10]!, -M[9]!]).toEqual([2, 6, 10].map((i) => expect.closeTo(camera.worldFromCamera[i]!, 5)));
    const lens = node.getCamera()!;
    expect(lens.getYFov()).toBeCloseTo(2 * Math.atan(camera.height / 2 / camera.fy), 6);
  });
});

test('patches: in the plane of the normal, counter-clockwise from the camera, larger where the cloud was thinned', () => {
  const whole = patchesOf(scene);
  const { cloud } = scene;
  const corners = new Float32Array(9);
  const sides: number[] = [];
  let facing = 0;
  for (let k = 0; k < whole.count; k += 11) {
    whole.corners(k, corners, 0);
    const edge = (to: number) => [0, 1, 2].map((i) => corners[3 * to + i]! - corners[i]!);
    const [a, b] = [edge(1), edge(2)] as [number[], number[]];
    const n = [a[1]! * b[2]! - a[2]! * b[1]!, a[2]! * b[0]! - a[0]! * b[2]!, a[0]! * b[1]! - a[1]! * b[0]!];
    const length = Math.hypot(...n);
    const cosine = n.reduce((sum, value, i) => sum + (value / length) * cloud.normals![3 * k + i]!, 0);
    if (cosine > 0.999) facing++;
    const M = scene.cameras[cloud.source[k]!]!.worldFromCamera;
    const back = [0, 1, 2].reduce((sum, i) => sum + n[i]! * (M[4 * i + 3]! - cloud.positions[3 * k + i]!), 0);
    expect(back).toBeGreaterThan(0);
    sides.push(Math.hypot(...a));
  }
  expect(facing / sides.length).toBeGreaterThan(0.8);
  const fewer = patchesOf(scene, { mostPoints: whole.count / 16 });
  expect(fewer.count).toBe(whole.count / 16);
  fewer.corners(0, corners, 0);
  const thinned = Math.hypot(...[0, 1, 2].map((i) => corners[3 + i]! - corners[i]!));
  whole.corners(0, corners, 0);
  const side = Math.hypot(...[0, 1, 2].map((i) => corners[3 + i]! - corners[i]!));
  expect(thinned / side).toBeGreaterThan(1.5);
  expect(thinned / side).toBeLessThan(5);
});

test('GLB: the validator of the format has nothing to say', async () => {
  // Khronos's own; it comes without types.
  const validator = createRequire(import.meta.url)('gltf-validator') as {
    validateBytes(bytes: Uint8Array): Promise<{ issues: { messages: unknown[] } }>;
  };
  const { issues } = await validator.validateBytes(new Uint8Array(await first('glb')));
  expect(issues.messages).toEqual([]);
});

test('GLB: a cloud that its thresholds have emptied leaves the cameras', async () => {
  const none = new Float32Array(0);
  const [file] = formatById('glb')!.write({
    ...scene,
    cloud: { positions: none, colors: new Uint8Array(0), normals: none, confidence: none, source: new Uint16Array(0) },
  });
  const document = await new NodeIO().readBinary(await bytesOf(file!));
  expect(document.getRoot().listMeshes()).toEqual([]);
  expect(document.getRoot().listCameras()).toHaveLength(scene.cameras.length);
});

test('cameras.json: original pixels, one entry per photo', async () => {
  const { photos } = JSON.parse((await first('cameras')).toString());
  expect(photos).toHaveLength(scene.cameras.length);
  expect(photos[1]).toMatchObject({
    name: 'photo-1.jpg',
    width: 96,
    height: 128,
    fx: scene.cameras[1]!.fx,
    cx: scene.cameras[1]!.cx,
  });
  expect(photos[1].worldFromCamera).toEqual([...scene.cameras[1]!.worldFromCamera]);
});

describe('depth maps', () => {
  test('16-bit PNG comes back within half a step', async () => {
    const { data, info } = await sharp(await first('depth-png'))
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    const map = scene.depthMaps[0]!;
    expect([info.width, info.height, info.channels]).toEqual([map.width, map.height, 1]);
    const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    const scale = unitsPerStep(map);
    for (let k = 0; k < values.length; k += 97)
      expect(Math.abs(values[k]! * scale - map.depth[k]!)).toBeLessThanOrEqual(scale * 0.51);
  });

  test('PFM has the bottom row first', async () => {
    const bytes = await first('depth-pfm');
    const map = scene.depthMaps[0]!;
    const header = `Pf\n${map.width} ${map.height}\n-1.0\n`;
    expect(bytes.subarray(0, header.length).toString()).toBe(header);
    expect(bytes.readFloatLE(header.length)).toBe(map.depth[(map.height - 1) * map.width]);
  });
});

describe('inferred points', () => {
  const half = (length: number): Uint8Array => new Uint8Array(length).fill(1, 0, length >> 1);
  const partly = (): Scene => {
    const [map, ...rest] = scene.depthMaps as [Scene['depthMaps'][0], ...Scene['depthMaps']];
    return {
      ...scene,
      cloud: { ...scene.cloud, inferred: half(scene.cloud.confidence.length) },
      depthMaps: [{ ...map, inferred: half(map.depth.length) }, ...rest],
    };
  };

  test.each(['png', 'pfm'])(
    'have a mask beside the %s of a depth map that has some, named in its list',
    async (ending) => {
      const files = formatById(`depth-${ending}`)!.write(partly());
      const list = JSON.parse((await bytesOf(files.at(-1)!)).toString());
      const [named, none] = list.maps;
      expect(none.inferred).toBeUndefined();
      const mask = files.filter(({ name }) => name.includes('inferred'));
      expect(mask.map(({ name }) => name)).toEqual([`depth/${named.inferred}`]);
      const { data, info } = await sharp(await bytesOf(mask[0]!))
        .toColourspace('b-w')
        .raw()
        .toBuffer({ resolveWithObject: true });
      const { confidence, width, height } = scene.depthMaps[0]!;
      expect([info.width, info.height, info.channels]).toEqual([width, height, 1]);
      const told = Array.from(confidence, (value, k) => (value > 1 && k < confidence.length >> 1 ? 255 : 0));
      expect(Array.from(data)).toEqual(told);
    },
  );

  test('are an attribute of the GLB, valid, and none where all is measured', async () => {
    const [file] = formatById('glb')!.write(partly());
    const bytes = new Uint8Array(await bytesOf(file!));
    const { issues } = await createRequire(import.meta.url)('gltf-validator').validateBytes(bytes);
    expect(issues.messages).toEqual([]);
    const attributeOf = async (glb: Uint8Array) =>
      (await new NodeIO().readBinary(glb)).getRoot().listMeshes()[0]!.listPrimitives()[0]!.getAttribute('_INFERRED');
    const flags = (await attributeOf(bytes))!.getArray()!;
    const count = scene.cloud.confidence.length;
    expect(flags).toHaveLength(3 * count);
    expect([flags[0], flags[3 * (count >> 1) - 1], flags[3 * (count >> 1)], flags.at(-1)]).toEqual([1, 1, 0, 0]);
    expect(await attributeOf(await first('glb'))).toBeNull();
  });
});

describe('COLMAP', () => {
  test('a point projects onto its sighting, half a pixel on from ours', () => {
    const { images, points } = colmapModel(scene, { mostPoints: 200 });
    expect(points.length).toBeGreaterThan(150);
    expect(points.filter(({ track }) => track.length > 1).length).toBeGreaterThan(50);
    for (const { position, track } of points)
      for (const { image, sighting } of track) {
        const {
          camera,
          quaternion: [w, x, y, z],
          translation: t,
          sightings,
        } = images[image - 1]!;
        const R = [
          1 - 2 * (y * y + z * z),
          2 * (x * y - w * z),
          2 * (x * z + w * y),
          2 * (x * y + w * z),
          1 - 2 * (x * x + z * z),
          2 * (y * z - w * x),
          2 * (x * z - w * y),
          2 * (y * z + w * x),
          1 - 2 * (x * x + y * y),
        ];
        const p = [0, 1, 2].map(
          (i) => R[3 * i]! * position[0] + R[3 * i + 1]! * position[1] + R[3 * i + 2]! * position[2] + t[i]!,
        );
        expect((camera.fx * p[0]!) / p[2]! + camera.cx + 0.5).toBeCloseTo(sightings[sighting]!.x, 3);
        expect((camera.fy * p[1]!) / p[2]! + camera.cy + 0.5).toBeCloseTo(sightings[sighting]!.y, 3);
      }
  });

  test.each([
    [0.3, -0.2, 0.9],
    [3.1, 0.2, 0],
    [0, 3.1, 0.1],
    [0.1, 0.2, -3.1],
  ])('quaternion of a turn by (%f, %f, %f)', (x, y, z) => {
    const R = rotationFromVector(x, y, z);
    const [w, a, b, c] = quaternionOf(multiply4(rigid(R, [1, 2, 3]), rigid([1, 0, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0])));
    expect(w * w + a * a + b * b + c * c).toBeCloseTo(1, 9);
    expect(1 - 2 * (b * b + c * c)).toBeCloseTo(R[0]!, 9);
    expect(2 * (a * b - w * c)).toBeCloseTo(R[1]!, 9);
    expect(2 * (a * c + w * b)).toBeCloseTo(R[2]!, 9);
  });

  test('binary sizes are what the counts say', async () => {
    const [cameras, images, points] = await Promise.all(
      formatById('colmap-bin')!.write(scene, { mostSparsePoints: 100 }).map(bytesOf),
    );
    const model = colmapModel(scene, { mostPoints: 100 });
    // Photos of one size share their camera; the one in portrait has its own.
    expect(cameras!.length).toBe(8 + 2 * 56);
    expect(points!.length).toBe(8 + model.points.reduce((sum, { track }) => sum + 51 + 8 * track.length, 0));
    expect(images!.length).toBe(
      8 +
        model.images.reduce(
          (sum, { camera, sightings }) => sum + 64 + camera.name.length + 1 + 8 + 24 * sightings.length,
          0,
        ),
    );
  });
});

test('nerfstudio: OpenGL cameras', async () => {
  const { frames } = JSON.parse((await first('nerfstudio')).toString());
  const M = scene.cameras[0]!.worldFromCamera;
  expect(frames[0].transform_matrix[0]).toEqual([M[0], -M[1]!, -M[2]!, M[3]]);
  expect(frames[0].cx).toBe(scene.cameras[0]!.cx + 0.5);
});

describe('writing', () => {
  test('a failure half-way leaves what was there and no scrap', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pointmap-'));
    writeFileSync(join(folder, 'scene.ply'), 'before');
    const broken: ExportFile = {
      name: 'scene.ply',
      chunks: (function* () {
        yield new Uint8Array(10);
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      })(),
    };
    await expect(writeFiles(folder, [broken])).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringContaining(join(folder, 'scene.ply')),
    });
    expect(readFileSync(join(folder, 'scene.ply'), 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['scene.ply']);
  });

  test('a file in place of the folder is named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pointmap-'));
    writeFileSync(join(folder, 'taken'), '');
    await expect(writeFiles(join(folder, 'taken'), formatById('cameras')!.write(scene))).rejects.toMatchObject({
      code: 'unwritable',
    });
  });
});

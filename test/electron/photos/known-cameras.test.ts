import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { colmapBinary } from '../../../electron/export/colmap-bin.js';
import { colmapText } from '../../../electron/export/colmap-text.js';
import { camerasJson } from '../../../electron/export/cameras.js';
import { nerfstudio } from '../../../electron/export/nerfstudio.js';
import { matchCameras, readKnownCameras, type KnownCamera } from '../../../electron/photos/known-cameras/index.js';
import type { ExportFile } from '../../../electron/export/types.js';
import { roomScene } from '../../fixtures/scene.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointmap-cameras-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const { scene } = await roomScene();

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  return path;
}

async function writeAll(into: string, files: readonly ExportFile[]): Promise<string[]> {
  const paths: string[] = [];
  for (const { name, chunks } of files) {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    paths.push(await write(join(into, name), Buffer.concat(parts)));
  }
  return paths;
}

/** Turns by 90 degrees about z, moves, looks along world x. */
const pose = [0, 0, 1, 2, -1, 0, 0, 3, 0, -1, 0, 4, 0, 0, 0, 1];

function expectScene(cameras: readonly KnownCamera[]): void {
  expect(cameras.length).toBe(scene.cameras.length);
  cameras.forEach((camera, k) => {
    const truth = scene.cameras[k]!;
    expect(camera.worldFromCamera!.length).toBe(16);
    camera.worldFromCamera!.forEach((value, i) => expect(value).toBeCloseTo(truth.worldFromCamera[i]!, 5));
    expect(camera.intrinsics!.fx).toBeCloseTo(truth.fx, 3);
    expect(camera.intrinsics!.cx).toBeCloseTo(truth.cx, 3);
    expect(camera.intrinsics!.cy).toBeCloseTo(truth.cy, 3);
    expect(camera.intrinsics!.k1).toBeCloseTo(truth.k1, 6);
  });
}

describe('known cameras', () => {
  test.each([
    ['own', camerasJson, 'cameras.json'],
    ['nerfstudio', nerfstudio, 'transforms.json'],
    ['text', colmapText, 'cameras.txt'],
    ['binary', colmapBinary, 'cameras.bin'],
  ])('are read back as written: %s', async (into, format, main) => {
    const paths = await writeAll(into, format.write(scene));
    const path = paths.find((each) => each.endsWith(main))!;
    expectScene((await readKnownCameras(path)).cameras);
    if (main.startsWith('cameras.') && main !== 'cameras.json') {
      expectScene((await readKnownCameras(join(path, '..'))).cameras);
    }
  });

  test("of Metashape: offsets from the centre, p1 and p2 in the other order, the group's cameras too", async () => {
    const path = await write(
      'metashape.xml',
      `<?xml version="1.0" encoding="UTF-8"?><document version="2.0.0"><chunk label="Chunk 1"><sensors>
      <sensor id="0" type="frame"><resolution width="640" height="480"/>
        <calibration type="frame" class="adjusted"><resolution width="640" height="480"/>
        <f>500</f><cx>1.5</cx><cy>-2</cy><k1>-0.1</k1><k2>0.02</k2><p1>0.001</p1><p2>0.002</p2></calibration></sensor></sensors>
      <cameras><camera id="0" sensor_id="0" label="a.jpg"><transform>${pose.join(' ')}</transform></camera>
      <group id="1"><camera id="1" sensor_id="0" label="b"/></group></cameras></chunk></document>`,
    );
    const { cameras } = await readKnownCameras(path);
    expect(cameras.map(({ name }) => name)).toEqual(['a.jpg', 'b']);
    expect([...cameras[0]!.worldFromCamera!]).toEqual(pose);
    expect(cameras[1]!.worldFromCamera).toBeUndefined();
    expect(cameras[1]!.intrinsics).toEqual({
      ...{ width: 640, height: 480, fx: 500, fy: 500, cx: 321, cy: 237.5 },
      ...{ k1: -0.1, k2: 0.02, k3: 0, p1: 0.002, p2: 0.001 },
    });
  });

  test('of Bundler look along -z', async () => {
    // A camera at (0, 0, 5) that looks along -z onto the origin, y up: R = 1, t = (0, 0, -5).
    await write('bundler/list.txt', 'a.jpg 0 500\nb.jpg\n');
    const path = await write(
      'bundler/bundle.out',
      '# Bundle file v0.3\n2 0\n500 0 0\n1 0 0\n0 1 0\n0 0 1\n0 0 -5\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n',
    );
    const { cameras } = await readKnownCameras(path);
    expect([...cameras[0]!.worldFromCamera!].map((value) => value + 0)).toEqual([
      ...[1, 0, 0, 0],
      ...[0, -1, 0, 0],
      ...[0, 0, -1, 5],
      ...[0, 0, 0, 1],
    ]);
    expect(cameras[1]).toEqual({ name: 'b.jpg' });
  });

  test('as positions: metres as they are, degrees as metres east and north', async () => {
    const metres = await write('metres.csv', 'Label;X;Y;Z\na.jpg;1;2;3\nb.jpg;4;5;six\n');
    const { cameras, notes } = await readKnownCameras(metres);
    expect(cameras).toEqual([{ name: 'a.jpg', position: Float64Array.of(1, 2, 3) }]);
    expect(notes).toEqual(['1 rows without a name or three numbers were passed over']);
    const degrees = await write('degrees.csv', 'image,latitude,longitude,altitude\na,60,10,100\nb,60.001,10.001,110\n');
    const [, second] = (await readKnownCameras(degrees)).cameras;
    expect(second!.position![0]).toBeCloseTo(55.6, 1);
    expect(second!.position![1]).toBeCloseTo(111.2, 1);
    expect(second!.position![2]).toBe(10);
  });

  test('that are none are refused in one line with the path last', async () => {
    const cases: [string, string | Uint8Array, RegExp][] = [
      ['text.txt', 'hello', /no cameras in a form that can be read.*text\.txt$/],
      ['empty.json', '{"photos": []}', /names no camera.*empty\.json$/],
      ['other.xml', '<html></html>', /no cameras in a form.*other\.xml$/],
      ['cut/cameras.bin', new Uint8Array(12).fill(1), /no cameras in a form.*cameras\.bin$/],
    ];
    for (const [name, content, message] of cases)
      await expect(readKnownCameras(await write(name, content))).rejects.toThrow(message);
    await write('short/cameras.bin', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 1));
    await write('short/images.bin', new Uint8Array(8));
    await expect(readKnownCameras(join(folder, 'short'))).rejects.toThrow(/damaged or cut off.*short$/);
    await expect(readKnownCameras(join(folder, 'nothing'))).rejects.toThrow(/no such file or folder.*nothing$/);
  });

  test('belong to photos by file name, whatever folder or ending they have', () => {
    const { byPhoto, unmatched } = matchCameras(
      [{ name: 'images/B.JPG' }, { name: './a.png' }, { name: 'c.jpg' }, { name: 'b.jpg' }],
      ['a.jpg', 'b.jpg'],
    );
    expect([...byPhoto].map(([index, { name }]) => [index, name])).toEqual([
      [1, 'images/B.JPG'],
      [0, './a.png'],
    ]);
    expect(unmatched).toEqual(['c.jpg', 'b.jpg']);
  });

  test('belong to photos as our own exports name them: without spaces, and as JPEGs', () => {
    const { byPhoto, unmatched } = matchCameras(
      [{ name: 'Foto_1.jpg' }, { name: 'IMG_2.HEIC.jpg' }, { name: 'a_b.heic.jpg' }],
      ['Foto 1.jpg', 'IMG_2.HEIC', 'a b.heic'],
    );
    expect([...byPhoto.keys()]).toEqual([0, 1, 2]);
    expect(unmatched).toEqual([]);
  });
});

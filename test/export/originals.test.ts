import { describe, expect, test } from 'vitest';
import { colmapBinary } from '../../electron/export/colmap-bin.js';
import { colmapModels } from '../../electron/export/colmap.js';
import { colmapText } from '../../electron/export/colmap-text.js';
import { nerfstudio } from '../../electron/export/nerfstudio.js';
import type { ExportFile } from '../../electron/export/types.js';
import type { Camera, DepthMap, Scene } from '../../electron/geometry/types.js';
import type { FisheyeProjection, Projection } from '../../electron/geometry/projection.js';
import { multiply3, rigid, rotationFromVector, rotationOf, transpose3 } from '../../electron/numerics/linear.js';
import { facesOf } from '../../electron/photos/wide/faces.js';

const FISHEYE: FisheyeProjection = {
  ...{ kind: 'fisheye', width: 1600, height: 1200, fx: 420, fy: 430, cx: 810, cy: 590 },
  ...{ k1: 0.03, k2: -0.01, k3: 0.002, k4: -0.0003 },
};

const poses = [0, 1].map((k) => rigid(rotationFromVector(0.05 * k, -0.2 * k, 0.03), [1.5 * k, 0.1, -0.2 * k]));

/** The views of two pictures of one lens, and points of a cloud of which each view sees those before it. */
function scene(projection: Projection): Scene {
  const cameras = poses.flatMap((pose, k) =>
    facesOf(projection).map((view): Camera => {
      const { faceFromPicture: R, focal, width, height } = view;
      const name = `walk-${k + 1}.${view.name}.jpg`;
      const face = { picture: `walk-${k + 1}.jpg`, path: `/walk-${k + 1}.jpg`, pictureId: `p${k}` };
      return {
        ...{ photo: name, name, width, height, fx: focal, fy: focal, cx: (width - 1) / 2, cy: (height - 1) / 2 },
        ...{ k1: 0, focalSource: 'user' },
        worldFromCamera: rigid(multiply3(rotationOf(pose), transpose3(R)), [pose[3]!, pose[7]!, pose[11]!]),
        face: { ...face, projection, focal, faceFromPicture: R },
      };
    }),
  );
  const points = Array.from({ length: 60 }, (_, i) => [3 * Math.sin(i), 2 * Math.cos(2.3 * i), 4 + Math.sin(5 * i)]);
  const cloud = {
    positions: Float32Array.from(points.flat()),
    colors: new Uint8Array(180).fill(200),
    confidence: new Float32Array(60).fill(5),
    source: new Uint16Array(60),
    normals: new Float32Array(180),
  };
  const empty = (camera: Camera): DepthMap => ({
    ...{ photo: camera.photo, width: 1, height: 1, depth: new Float32Array(1), confidence: new Float32Array([1]) },
    ...{ originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 }, focal: 1, centreX: 0, centreY: 0 },
  });
  return { cameras, cloud, depthMaps: cameras.map(empty) } as unknown as Scene;
}

/** COLMAP's OPENCV_FISHEYE, by the page of its camera models. */
function colmapFisheye([fx, fy, cx, cy, k1, k2, k3, k4]: number[], u: number, v: number): [number, number] {
  const r = Math.hypot(u, v);
  const t = Math.atan(r);
  const scale = (t * (1 + k1! * t ** 2 + k2! * t ** 4 + k3! * t ** 6 + k4! * t ** 8)) / r;
  return [fx! * scale * u + cx!, fy! * scale * v + cy!];
}

async function text(files: readonly ExportFile[], name: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of files.find((file) => file.name === name)!.chunks) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

describe('pictures that views were cut from', () => {
  test('are a COLMAP model of OPENCV_FISHEYE cameras, whose sightings lie where the picture shows them', () => {
    const given = scene(FISHEYE);
    const { views, originals } = colmapModels(given);
    expect(views.images).toHaveLength(given.cameras.length);
    expect(originals!.cameras).toEqual([
      {
        ...{ id: 1, model: 'OPENCV_FISHEYE', width: 1600, height: 1200 },
        parameters: [420, 430, 810.5, 590.5, 0.03, -0.01, 0.002, -0.0003],
      },
    ]);
    expect(originals!.images.map(({ camera }) => camera.name)).toEqual(['walk-1.jpg', 'walk-2.jpg']);
    // Each pose in COLMAP's form, from the picture's own.
    const R = transpose3(rotationOf(poses[1]!));
    const t = [0, 3, 6].map((k) => -(R[k]! * poses[1]![3]! + R[k + 1]! * poses[1]![7]! + R[k + 2]! * poses[1]![11]!));
    originals!.images[1]!.translation.forEach((value, i) => expect(value).toBeCloseTo(t[i]!, 9));
    let seen = 0;
    for (const { position, track } of originals!.points)
      for (const { image, sighting } of track) {
        const pose = poses[image - 1]!;
        const Q = rotationOf(pose);
        const d = position.map((value, i) => value - pose[4 * i + 3]!);
        const [x, y, z] = [0, 1, 2].map((k) => Q[k]! * d[0]! + Q[3 + k]! * d[1]! + Q[6 + k]! * d[2]!);
        const at = colmapFisheye(originals!.cameras[0]!.parameters, x! / z!, y! / z!);
        const told = originals!.images[image - 1]!.sightings[sighting]!;
        expect(Math.hypot(told.x - at[0], told.y - at[1])).toBeLessThan(0.01);
        seen++;
      }
    expect(seen).toBeGreaterThan(20);
  });

  test('come with both COLMAP formats and with nerfstudio, as files of their own', async () => {
    const given = scene(FISHEYE);
    for (const format of [colmapBinary, colmapText, nerfstudio]) {
      const names = format.photoFiles!(given.cameras);
      const folder = format === nerfstudio ? 'nerfstudio/originals' : 'colmap/originals/images';
      expect(names.filter(({ name }) => name.includes('originals'))).toEqual([
        { photo: 'p0', name: `${folder}/walk-1.jpg` },
        { photo: 'p1', name: `${folder}/walk-2.jpg` },
      ]);
    }
    const lines = await text(colmapText.write(given), 'colmap/originals/cameras.txt');
    expect(lines).toMatch(/^1 OPENCV_FISHEYE 1600 1200 420 430 810\.5 590\.5 0\.03/m);
    const document = JSON.parse(await text(nerfstudio.write(given), 'nerfstudio/transforms-fisheye.json')) as {
      camera_model: string;
      frames: Record<string, unknown>[];
    };
    expect(document.camera_model).toBe('OPENCV_FISHEYE');
    expect(document.frames).toHaveLength(2);
    expect(document.frames[0]).toMatchObject({ file_path: 'originals/walk-1.jpg', w: 1600, k1: 0.03, k4: -0.0003 });
  });

  test('of lenses with tangential terms are OPENCV cameras; those of 360 degrees stay views', () => {
    const lens = { width: 1600, height: 1200, fx: 1300, fy: 1300, cx: 800, cy: 600, k1: -0.1, k2: 0.02, k3: 0 };
    const { originals } = colmapModels(scene({ kind: 'brown', ...lens, p1: 0.001, p2: -0.002 }));
    expect(originals!.cameras.map(({ model, parameters }) => [model, parameters])).toEqual([
      ['OPENCV', [1300, 1300, 800.5, 600.5, -0.1, 0.02, 0.001, -0.002]],
    ]);
    const round = scene({ kind: 'equirectangular', width: 800, height: 400 });
    expect(colmapModels(round).originals).toBeUndefined();
    expect(colmapBinary.photoFiles!(round.cameras)).toHaveLength(12);
  });
});

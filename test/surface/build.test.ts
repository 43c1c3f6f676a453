import { createRequire } from 'node:module';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { meshFiles } from '../../electron/export/mesh-files.js';
import { meshGlb } from '../../electron/export/mesh-glb.js';
import type { Camera, DepthMap } from '../../electron/geometry/types.js';
import { invertRigid } from '../../electron/numerics/linear.js';
import { buildMesh, type BuildInput, type Built } from '../../electron/surface/build.js';
import { eraseFrom } from '../../electron/surface/erasing.js';
import { decodeMesh, encodeMesh } from '../../electron/surface/layer.js';
import { sphereViews } from './sphere.js';

const { validateBytes } = createRequire(import.meta.url)('gltf-validator') as {
  validateBytes(bytes: Uint8Array): Promise<{ issues: { messages: { severity: number; message: string }[] } }>;
};

/** A ball whose colour says where one is on it; photos of it, and one that shows something else. */
const COUNT = 5;
const SIZE = 64;

function ball(): BuildInput & { cameras: Camera[]; maps: DepthMap[] } {
  const views = sphereViews(COUNT, SIZE);
  const cameras = views.map(({ focal, centreX, centreY, cameraFromWorld }, k): Camera => ({
    photo: `photo-${k}`,
    name: `photo-${k}.jpg`,
    width: SIZE,
    height: SIZE,
    fx: focal,
    fy: focal,
    cx: centreX,
    cy: centreY,
    k1: 0,
    focalSource: 'calibrated',
    worldFromCamera: invertRigid(cameraFromWorld),
  }));
  const maps = views.map(({ width, height, depth, confidence, focal, centreX, centreY }, k): DepthMap => ({
    ...{ photo: `photo-${k}`, width, height, depth, confidence, focal, centreX, centreY },
    originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
  }));
  const picture = async (index: number) => {
    const pixels = new Uint8Array(3 * SIZE * SIZE).fill(30);
    const view = views[index]!;
    const W = cameras[index]!.worldFromCamera;
    for (let k = 0; k < SIZE * SIZE; k++) {
      const z = view.depth[k]!;
      if (z === 0) continue;
      const p = [((k % SIZE) - view.centreX) / view.focal, (Math.floor(k / SIZE) - view.centreY) / view.focal, 1];
      for (let i = 0; i < 3; i++) {
        const at = z * (W[4 * i]! * p[0]! + W[4 * i + 1]! * p[1]! + W[4 * i + 2]!) + W[4 * i + 3]!;
        pixels[3 * k + i] = colour(at);
      }
    }
    return { width: SIZE, height: SIZE, pixels };
  };
  const encode = (pixels: Uint8Array, size: number) =>
    sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
      .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
      .toBuffer();
  return { cameras, maps, sharpness: cameras.map(() => 1), picture, encode };
}

const colour = (at: number): number => Math.round(128 + 90 * at);
const options = { faces: 3000, textureSize: 256, threads: 2 };

describe('a textured mesh', () => {
  const input = ball();
  let built: Built;
  beforeAll(async () => {
    built = await buildMesh(input, options);
  }, 120_000);

  it('has as many faces as asked for, and the colours of the photos at their places', async () => {
    const { mesh } = built;
    expect(mesh.photo.length).toBeGreaterThan(1500);
    expect(mesh.photo.length).toBeLessThan(3300);
    const page = await sharp(mesh.pages[0]!.picture).raw().toBuffer();
    const errors: number[] = [];
    for (let t = 0; t < mesh.photo.length; t++) {
      if (mesh.photo[t]! < 0) continue;
      const corners = [0, 1, 2].map((c) => mesh.indices[3 * t + c]!);
      const mean = (values: Float32Array, n: number, i: number): number =>
        corners.reduce((sum, v) => sum + values[n * v + i]! / 3, 0);
      const x = Math.round(mean(mesh.uvs, 2, 0) * mesh.pageSize - 0.5);
      const y = Math.round(mean(mesh.uvs, 2, 1) * mesh.pageSize - 0.5);
      for (let i = 0; i < 3; i++)
        errors.push(Math.abs(page[3 * (y * mesh.pageSize + x) + i]! - colour(mean(mesh.positions, 3, i))));
    }
    errors.sort((a, b) => a - b);
    expect(errors.length).toBeGreaterThan(3 * 1500);
    // A texel is 3 steps of colour wide.
    expect(errors[errors.length >> 1]!).toBeLessThan(4);
    expect(errors[Math.floor(errors.length * 0.98)]!).toBeLessThan(20);
  });

  it('is read back from the project as it was stored', () => {
    const back = decodeMesh<Built['facts']>(encodeMesh(built.mesh, built.facts))!;
    expect(back.facts).toEqual(built.facts);
    expect(back.mesh.positions).toEqual(built.mesh.positions);
    expect(back.mesh.photo).toEqual(built.mesh.photo);
    expect(Buffer.compare(back.mesh.pages[0]!.picture, built.mesh.pages[0]!.picture)).toBe(0);
    expect(decodeMesh(new Uint8Array(3))).toBeUndefined();
  });

  it('is a GLB without a remark of the validator, lit and unlit', async () => {
    for (const unlit of [true, false]) {
      const bytes = Buffer.concat([...meshGlb(built.mesh, input.cameras, { unlit })]);
      const report = await validateBytes(new Uint8Array(bytes));
      expect(report.issues.messages.filter(({ severity }) => severity < 3)).toEqual([]);
    }
  });

  it('goes into OBJ, PLY and USDZ', async () => {
    for (const ending of ['obj', 'ply', 'usdz'] as const) {
      const [file] = await meshFiles(built.mesh, input.cameras, ending, 'ball');
      const pieces: Uint8Array[] = [];
      for await (const chunk of file!.chunks) pieces.push(chunk);
      const bytes = Buffer.concat(pieces);
      if (ending === 'obj') expect(bytes.toString().match(/^f \d+\/\d+\/\d+ /gm)!.length).toBe(built.mesh.photo.length);
      if (ending === 'ply') {
        const header = bytes.subarray(0, bytes.indexOf('end_header\n') + 11);
        expect(bytes.length - header.length).toBe(
          31 * (built.mesh.positions.length / 3) + 16 * built.mesh.photo.length,
        );
      }
      // The texture lies in the package at a multiple of 64 bytes, as it is.
      if (ending === 'usdz') expect(bytes.indexOf(built.mesh.pages[0]!.picture) % 64).toBe(0);
    }
  });

  it('loses the faces of deleted pixels and what lies outside the region, and keeps the rest as it was', async () => {
    const { cameras, maps } = input;
    const all = maps.map(() => undefined);
    // In all photos the pixels of the upper half of the ball (y is down).
    const upper = maps.map((map, k) => {
      const bits = new Uint8Array((map.depth.length + 7) >> 3);
      const W = cameras[k]!.worldFromCamera;
      for (let p = 0; p < map.depth.length; p++) {
        const z = map.depth[p]!;
        const ray = [((p % SIZE) - map.centreX) / map.focal, (Math.floor(p / SIZE) - map.centreY) / map.focal, 1];
        const y = z * (W[4]! * ray[0]! + W[5]! * ray[1]! + W[6]!) + W[7]!;
        if (z > 0 && y < 0) bits[p >> 3]! |= 1 << (p & 7);
      }
      return bits;
    });
    const heights = (mesh: Built['mesh']): number[] => [...mesh.positions].filter((_, k) => k % 3 === 1);
    const cut = await eraseFrom(built.mesh, { cameras, maps, deleted: upper });
    expect(cut.photo.length).toBeGreaterThan(built.mesh.photo.length * 0.35);
    expect(heights(cut).filter((y) => y < -0.15).length).toBeLessThan(heights(cut).length * 0.02);
    const region = { centre: [0, 0, 0], size: [4, 1, 4], rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
    const band = await eraseFrom(built.mesh, { cameras, maps, deleted: all, region: structuredClone(region) as never });
    expect(Math.max(...heights(band).map(Math.abs))).toBeLessThan(0.62);
    expect(Math.max(...heights(band).map(Math.abs))).toBeGreaterThan(0.4);
    expect((await eraseFrom(built.mesh, { cameras, maps, deleted: all })).indices).toHaveLength(
      built.mesh.indices.length,
    );
  });

  it('takes the next photo where one is missing, and says so once', async () => {
    const notes: string[] = [];
    const picture = async (index: number) => (index === 0 ? undefined : input.picture(index, SIZE));
    const { mesh } = await buildMesh({ ...input, picture }, options, { onNote: (note) => notes.push(note) });
    expect(notes).toEqual(['a photo is missing; the mesh is coloured from the others']);
    expect([...mesh.photo].some((photo) => photo === 0)).toBe(false);
    expect([...mesh.photo].filter((photo) => photo > 0).length).toBeGreaterThan(mesh.photo.length * 0.6);
  });

  it('is made from two photos', async () => {
    const two = { cameras: input.cameras.slice(0, 2), maps: input.maps.slice(0, 2), sharpness: [1, 1] };
    const { mesh, facts } = await buildMesh({ ...input, ...two }, options);
    expect(facts.faces).toBeGreaterThan(500);
    for (const photo of [0, 1])
      expect([...mesh.photo].filter((each) => each === photo).length).toBeGreaterThan(facts.faces * 0.2);
  });

  it('says what is wrong where nothing is confident, and stops when cancelled', async () => {
    const maps = input.maps.map((map) => ({ ...map, confidence: new Float32Array(SIZE * SIZE).fill(1) }));
    await expect(buildMesh({ ...input, maps }, options)).rejects.toMatchObject({ code: 'bad-input' });
    const abort = new AbortController();
    const going = buildMesh(input, options, {
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('enough')),
    });
    await expect(going).rejects.toThrow('enough');
  });
});

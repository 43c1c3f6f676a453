import { createRequire } from 'node:module';
import { MeshoptDecoder } from 'meshoptimizer/decoder';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { meshFiles } from '../../electron/export/mesh-files.js';
import { meshGlb } from '../../electron/export/mesh-glb.js';
import { collisionMesh, levelsOfDetail, welded } from '../../electron/surface/levels.js';
import { flatArea } from './flat-area.js';
import { vertexNormals, type TexturedMesh } from '../../electron/surface/textured.js';

const { validateBytes } = createRequire(import.meta.url)('gltf-validator') as {
  validateBytes(bytes: Uint8Array): Promise<{ issues: { messages: { severity: number; message: string }[] } }>;
};

const SIDE = 32;

/** A wavy sheet on two pages, two charts: the seam's vertices are there twice. The texture shows x and y. */
function sheet(picture: Uint8Array): TexturedMesh {
  const places: number[] = [];
  const uvs: number[] = [];
  const indices: number[] = [];
  const half = SIDE / 2;
  for (const chart of [0, 1]) {
    const first = places.length / 3;
    for (let y = 0; y <= SIDE; y++) {
      for (let x = 0; x <= half; x++) {
        const at = x + chart * half;
        places.push(at, y, Math.sin(at / 5) + Math.cos(y / 7));
        uvs.push(0.05 + (0.9 * x) / half, 0.05 + (0.9 * y) / SIDE);
      }
    }
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < half; x++) {
        const v = first + y * (half + 1) + x;
        indices.push(v, v + half + 1, v + 1, v + 1, v + half + 1, v + half + 2);
      }
    }
  }
  const faces = indices.length / 3;
  const shape = { positions: Float32Array.from(places), indices: Uint32Array.from(indices) };
  return {
    ...shape,
    normals: vertexNormals(shape),
    uvs: Float32Array.from(uvs),
    colours: Uint8Array.from(places, (_, k) => (k * 37) % 256),
    confidence: new Float32Array(places.length / 3).fill(4),
    photo: Int16Array.from({ length: faces }, (_, t) => (t < faces / 2 ? 3 : 5)),
    inferred: Uint8Array.from({ length: faces }, (_, t) => (t < faces / 2 ? 0 : 1)),
    pages: [0, 1].map((page) => ({ picture, type: 'image/jpeg', firstFace: (page * faces) / 2, faces: faces / 2 })),
    pageSize: 16,
  };
}

const bytesOf = (chunks: Iterable<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat([...chunks]));

interface Gltf {
  materials?: unknown[];
  images?: unknown[];
  meshes: { primitives: { attributes: Record<'POSITION' | 'TEXCOORD_0' | 'COLOR_0', number>; indices: number }[] }[];
  accessors: { bufferView: number; min: number[]; max: number[] }[];
  bufferViews: {
    byteOffset: number;
    byteLength: number;
    extensions: {
      EXT_meshopt_compression: {
        byteOffset: number;
        byteLength: number;
        byteStride: number;
        count: number;
        mode: string;
        filter?: string;
      };
    };
  }[];
}

function jsonOf(glb: Uint8Array): { json: Gltf; bin: Uint8Array } {
  const length = new DataView(glb.buffer).getUint32(12, true);
  const json = JSON.parse(new TextDecoder().decode(glb.subarray(20, 20 + length))) as Gltf;
  return { json, bin: glb.subarray(28 + length) };
}

describe('Beside the mesh', () => {
  let mesh: TexturedMesh;
  beforeAll(async () => {
    const grey = { create: { width: 16, height: 16, channels: 3, background: '#888' } } as const;
    mesh = sheet(await sharp(grey).jpeg().toBuffer());
  });

  it('levels of detail have a quarter of the faces each, on the same texture, with nothing torn at the seam', async () => {
    const levels = await levelsOfDetail(mesh, { levels: 2 });
    const before = mesh.photo.length;
    expect(levels).toHaveLength(2);
    expect(levels[0]!.photo.length / before).toBeGreaterThan(0.2);
    expect(levels[0]!.photo.length / before).toBeLessThan(0.35);
    expect(levels[1]!.photo.length).toBeLessThan(levels[0]!.photo.length * 0.5);
    for (const level of levels) {
      for (const { firstFace, faces } of level.pages) {
        const chart = firstFace === 0 ? 0 : 1;
        for (let t = firstFace; t < firstFace + faces; t++) {
          // Each face is still of its chart's photo, and its corners show what they showed.
          expect(level.photo[t]).toBe(chart === 0 ? 3 : 5);
          expect(level.inferred[t]).toBe(chart);
          for (let c = 0; c < 3; c++) {
            const v = level.indices[3 * t + c]!;
            const x = level.positions[3 * v]! - (chart * SIDE) / 2;
            expect(level.uvs[2 * v]!).toBeCloseTo(0.05 + (0.9 * x) / (SIDE / 2), 5);
          }
        }
      }
      // Joined at the seam again, the only border is the sheet's own: its area is whole.
      expect(flatArea(level)).toBeCloseTo(SIDE * SIDE, 0);
    }
  });

  it('the collision mesh is one shape without doubled vertices', async () => {
    const shape = await collisionMesh(mesh, { faces: 100 });
    expect(shape.photo.length).toBeLessThanOrEqual(110);
    expect(welded(shape).positions).toHaveLength(shape.positions.length);
    const files = await meshFiles(mesh, [], 'glb', 'm', { beside: { collision: shape, levels: [mesh] } });
    expect(files.map(({ name }) => name)).toEqual(['m.glb', 'm-lod1.glb', 'm-collision.glb']);
    const glb = bytesOf(files[2]!.chunks as Iterable<Uint8Array>);
    expect((await validateBytes(glb)).issues.messages.filter(({ severity }) => severity < 3)).toEqual([]);
    expect(jsonOf(glb).json.materials).toBeUndefined();
  });

  it('colours in the vertices need no texture, and are linear as glTF wants them', async () => {
    const glb = bytesOf(meshGlb(mesh, [], { colours: 'vertices', unlit: false, confidence: true }));
    expect((await validateBytes(glb)).issues.messages.filter(({ severity }) => severity < 2)).toEqual([]);
    const { json, bin } = jsonOf(glb);
    expect(json.images).toBeUndefined();
    const accessor = json.accessors[json.meshes[0]!.primitives[0]!.attributes.COLOR_0]!;
    const view = json.bufferViews[accessor.bufferView]!;
    const colours = new Uint16Array(bin.slice(view.byteOffset, view.byteOffset + view.byteLength).buffer);
    // sRGB 188 is half of the light.
    const k = mesh.colours.indexOf(188);
    expect(colours[4 * Math.floor(k / 3) + (k % 3)]! / 65535).toBeCloseTo(0.5, 1);
  });

  it('packed, it is a fraction of the size and unpacks to the same within what is said', async () => {
    await MeshoptDecoder.ready;
    const [file] = await meshFiles(mesh, [], 'glb', 'm', { compressed: true });
    const glb = bytesOf(file!.chunks as Iterable<Uint8Array>);
    expect(glb.length).toBeLessThan(bytesOf(meshGlb(mesh, [])).length * 0.6);
    expect((await validateBytes(glb)).issues.messages.filter(({ severity }) => severity === 0)).toEqual([]);
    const { json, bin } = jsonOf(glb);
    const read = (accessor: { bufferView: number }): Uint8Array => {
      const view = json.bufferViews[accessor.bufferView]!;
      const { byteOffset, byteLength, byteStride, count, mode, filter } = view.extensions.EXT_meshopt_compression;
      const out = new Uint8Array(count * byteStride);
      const source = bin.subarray(byteOffset, byteOffset + byteLength);
      MeshoptDecoder.decodeGltfBuffer(out, count, byteStride, source, mode, filter);
      return out;
    };
    const { attributes, indices } = json.meshes[0]!.primitives[0]!;
    const positions = new Float32Array(read(json.accessors[attributes.POSITION]!).buffer);
    for (let v = 0; v < mesh.positions.length / 3; v += 7) {
      expect(positions[3 * v]!).toBeCloseTo(mesh.positions[3 * v]!, 2);
      expect(positions[3 * v + 1]!).toBeCloseTo(mesh.positions[3 * v + 2]!, 2);
    }
    const { min, max } = json.accessors[attributes.POSITION]!;
    const xs = positions.filter((_, k) => k % 3 === 0);
    expect([Math.min(...xs), Math.max(...xs)]).toEqual([min[0], max[0]]);
    const uvs = new Uint16Array(read(json.accessors[attributes.TEXCOORD_0]!).buffer);
    expect(uvs[20]! / 65535).toBeCloseTo(mesh.uvs[20]!, 4);
    const faces = new Uint32Array(read(json.accessors[indices]!).buffer);
    expect([...faces.slice(0, 3)].sort()).toEqual([...mesh.indices.slice(0, 3)].sort());
  });
});

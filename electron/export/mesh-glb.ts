import { multiply4 } from '../numerics/linear.js';
import type { Camera } from '../geometry/types.js';
import type { TexturedMesh } from '../surface/textured.js';

/** glTF (y up) from the scene frame (z up): (x, y, z) becomes (x, z, -y). */
const GLTF_FROM_SCENE = Float64Array.of(1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1);
/** A camera of glTF looks along -z, its y up. */
const CAMERA_TURN = Float64Array.of(1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1);

export interface MeshGlbOptions {
  name: string;
  /** Shows the photos' own colours without any lamp; otherwise a rough material under the scene's lamps. */
  unlit: boolean;
}

export const MESH_GLB_DEFAULTS: MeshGlbOptions = { name: 'scene', unlit: true };

const FLOAT = 5126;
const UNSIGNED_INT = 5125;
const ARRAY = 34962;
const ELEMENTS = 34963;

interface Part {
  bytes: Uint8Array;
  target?: number;
}

/**
 * A textured mesh (one primitive per texture page) and a camera per photo, all under one parent (glTF 2.0, section
 * 4.4.3: header, JSON chunk, BIN chunk).
 *
 * @param mesh, cameras in the scene frame
 */
export function* meshGlb(
  mesh: TexturedMesh,
  cameras: readonly Camera[],
  options: Partial<MeshGlbOptions> = {},
): Generator<Uint8Array> {
  const { name, unlit } = { ...MESH_GLB_DEFAULTS, ...options };
  const count = mesh.positions.length / 3;
  const positions = yUp(mesh.positions);
  const parts: Part[] = [
    { bytes: bytesOf(positions), target: ARRAY },
    { bytes: bytesOf(yUp(mesh.normals)), target: ARRAY },
    { bytes: bytesOf(mesh.uvs), target: ARRAY },
    { bytes: bytesOf(mesh.indices), target: ELEMENTS },
    ...mesh.pages.map(({ picture }) => ({ bytes: picture })),
  ];
  const offsets: number[] = [];
  let length = 0;
  for (const { bytes } of parts) {
    offsets.push(length);
    length += Math.ceil(bytes.byteLength / 4) * 4;
  }
  const json = {
    asset: { version: '2.0', generator: 'Pointmap Studio' },
    scene: 0,
    scenes: [{ name, nodes: [0] }],
    nodes: [
      { name, children: [1, ...cameras.map((_, k) => 2 + k)] },
      { name: 'mesh', mesh: 0 },
      ...cameras.map((camera, k) => cameraNode(camera, k)),
    ],
    ...(cameras.length > 0 ? { cameras: cameras.map(lens) } : {}),
    meshes: [{ name: 'mesh', primitives: mesh.pages.map((_, k) => primitive(k, mesh.pages.length)) }],
    materials: mesh.pages.map((_, k) => material(k, unlit)),
    textures: mesh.pages.map((_, k) => ({ sampler: 0, source: k })),
    samplers: [{ magFilter: 9729, minFilter: 9987, wrapS: 33071, wrapT: 33071 }],
    images: mesh.pages.map(({ type }, k) => ({ name: `texture ${k + 1}`, mimeType: type, bufferView: 4 + k })),
    ...(unlit ? { extensionsUsed: ['KHR_materials_unlit'] } : {}),
    accessors: [
      { bufferView: 0, componentType: FLOAT, count, type: 'VEC3', ...bounds(positions) },
      { bufferView: 1, componentType: FLOAT, count, type: 'VEC3' },
      { bufferView: 2, componentType: FLOAT, count, type: 'VEC2' },
      ...mesh.pages.map(({ firstFace, faces }) => ({
        bufferView: 3,
        byteOffset: 12 * firstFace,
        componentType: UNSIGNED_INT,
        count: 3 * faces,
        type: 'SCALAR',
      })),
    ],
    bufferViews: parts.map(({ bytes, target }, k) => ({
      buffer: 0,
      byteOffset: offsets[k],
      byteLength: bytes.byteLength,
      ...(target ? { target } : {}),
    })),
    buffers: [{ byteLength: length }],
  };
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = new Uint8Array(Math.ceil(text.length / 4) * 4).fill(0x20);
  padded.set(text);
  yield words(0x46546c67, 2, 12 + 8 + padded.length + 8 + length, padded.length, 0x4e4f534a);
  yield padded;
  yield words(length, 0x004e4942);
  for (const { bytes } of parts) {
    yield bytes;
    if (bytes.byteLength % 4 !== 0) yield new Uint8Array(4 - (bytes.byteLength % 4));
  }
}

const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

function bytesOf(values: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Vectors [n, 3] of the scene frame with y up. */
export function yUp(vectors: Float32Array): Float32Array {
  const out = new Float32Array(vectors.length);
  for (let k = 0; k < vectors.length; k += 3) {
    out[k] = vectors[k]!;
    out[k + 1] = vectors[k + 2]!;
    out[k + 2] = -vectors[k + 1]!;
  }
  return out;
}

function bounds(positions: Float32Array): { min: number[]; max: number[] } {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let k = 0; k < positions.length; k++) {
    const value = positions[k]!;
    if (value < min[k % 3]!) min[k % 3] = value;
    if (value > max[k % 3]!) max[k % 3] = value;
  }
  return { min, max };
}

function primitive(page: number, pages: number): object {
  return {
    attributes: { POSITION: 0, NORMAL: 1, TEXCOORD_0: 2 },
    indices: 3 + page,
    material: page,
    mode: 4,
    ...(pages > 1 ? { extras: { page } } : {}),
  };
}

function material(page: number, unlit: boolean): object {
  return {
    name: `photos ${page + 1}`,
    // A viewer that leaves out backs would show a wall as missing from behind; the studio says what was seen.
    doubleSided: true,
    pbrMetallicRoughness: { baseColorTexture: { index: page }, metallicFactor: 0, roughnessFactor: 1 },
    ...(unlit ? { extensions: { KHR_materials_unlit: {} } } : {}),
  };
}

function lens({ name, width, height, fy }: Camera): object {
  const perspective = { yfov: 2 * Math.atan(height / (2 * fy)), aspectRatio: width / height, znear: 0.01 };
  return { name, type: 'perspective', perspective };
}

function cameraNode({ name, worldFromCamera, width, height, fx, fy, cx, cy, k1 }: Camera, index: number): object {
  const M = multiply4(multiply4(GLTF_FROM_SCENE, worldFromCamera), CAMERA_TURN);
  // glTF matrices are column-major.
  const matrix = Array.from({ length: 16 }, (_, k) => M[4 * (k % 4) + Math.floor(k / 4)]!);
  return { name, camera: index, matrix, extras: { photo: name, width, height, fx, fy, cx, cy, k1 } };
}

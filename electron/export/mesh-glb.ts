import { multiply4 } from '../numerics/linear.js';
import type { Camera } from '../geometry/types.js';
import type { TexturedMesh } from '../surface/textured.js';
import { GlbParts, type Packed } from './glb-parts.js';
import type { MeshPacking } from './mesh-packing.js';

/** glTF (y up) from the scene frame (z up): (x, y, z) becomes (x, z, -y). */
const GLTF_FROM_SCENE = Float64Array.of(1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1);
/** A camera of glTF looks along -z, its y up. */
const CAMERA_TURN = Float64Array.of(1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1);

export interface MeshGlbOptions {
  name: string;
  /** Shows the photos' own colours without any lamp; otherwise a rough material under the scene's lamps. */
  unlit: boolean;
  /** Where colours come from: the texture, the vertices (COLOR_0), or nowhere. */
  colours: 'texture' | 'vertices' | 'none';
  /** The vertices' confidence too, as the attribute _CONFIDENCE. */
  confidence: boolean;
  /** Packs vertices and faces, where given (EXT_meshopt_compression): see mesh-packing.ts. */
  packing?: MeshPacking | undefined;
}

export const MESH_GLB_DEFAULTS: MeshGlbOptions = {
  name: 'scene',
  unlit: true,
  colours: 'texture',
  confidence: false,
};

const FLOAT = 5126;
const UNSIGNED_INT = 5125;
const UNSIGNED_SHORT = 5123;
const BYTE = 5120;
const ARRAY = 34962;
const ELEMENTS = 34963;

/**
 * A textured mesh (one primitive per texture page) and a camera per photo, all under one parent.
 *
 * @param mesh, cameras in the scene frame
 */
export function meshGlb(
  mesh: TexturedMesh,
  cameras: readonly Camera[],
  options: Partial<MeshGlbOptions> = {},
): Generator<Uint8Array> {
  const settings = { ...MESH_GLB_DEFAULTS, ...options };
  const { name, unlit, colours, packing } = settings;
  const parts = new GlbParts();
  const attributes = vertexAttributes(parts, mesh, settings);
  // Without a texture pages mean nothing.
  const pages = colours === 'texture' ? mesh.pages : [{ firstFace: 0, faces: mesh.indices.length / 3 }];
  const primitives = pages.map(({ firstFace, faces }, page) => ({
    attributes,
    indices: facesOf(parts, mesh.indices.subarray(3 * firstFace, 3 * (firstFace + faces)), packing),
    ...(colours === 'none' ? {} : { material: page }),
    mode: 4,
    ...(pages.length > 1 ? { extras: { page } } : {}),
  }));
  const extensions = [
    ...(unlit && colours !== 'none' ? ['KHR_materials_unlit'] : []),
    ...(packing ? ['EXT_meshopt_compression', 'KHR_mesh_quantization'] : []),
  ];
  return parts.file({
    asset: { version: '2.0', generator: 'Pointmap Studio' },
    scene: 0,
    scenes: [{ name, nodes: [0] }],
    nodes: [
      { name, children: [1, ...cameras.map((_, k) => 2 + k)] },
      { name: 'mesh', mesh: 0 },
      ...cameras.map((camera, k) => cameraNode(camera, k)),
    ],
    ...(cameras.length > 0 ? { cameras: cameras.map(lens) } : {}),
    meshes: [{ name: 'mesh', primitives }],
    ...(colours === 'none' ? {} : { materials: pages.map((_, k) => material(k, unlit, colours === 'texture')) }),
    ...(colours === 'texture' ? textures(parts, mesh) : {}),
    ...(extensions.length > 0 ? { extensionsUsed: extensions } : {}),
    ...(packing ? { extensionsRequired: extensions.filter((each) => each !== 'KHR_materials_unlit') } : {}),
  });
}

/** Numbers of the accessors, by glTF's names. */
function vertexAttributes(
  parts: GlbParts,
  mesh: TexturedMesh,
  { colours, confidence, packing }: MeshGlbOptions,
): Record<string, number> {
  const count = mesh.positions.length / 3;
  const floats = (values: Float32Array, type: string, width: number, packed?: Packed): number => {
    const view = parts.view({ bytes: bytesOf(values), target: ARRAY, size: 4 * width, packed });
    return parts.accessor({ bufferView: view, componentType: FLOAT, count, type });
  };
  const attributes: Record<string, number> = {};
  const places = yUp(mesh.positions);
  const packedPlaces = packing?.positions(places);
  const view = parts.view({
    bytes: bytesOf(packedPlaces?.values ?? places),
    target: ARRAY,
    size: 12,
    packed: packedPlaces?.packed,
  });
  const range = bounds(packedPlaces?.values ?? places);
  attributes['POSITION'] = parts.accessor({ bufferView: view, componentType: FLOAT, count, type: 'VEC3', ...range });
  const normals = yUp(mesh.normals);
  attributes['NORMAL'] = packing ? packedNormals(parts, normals, packing) : floats(normals, 'VEC3', 3);
  if (colours === 'texture')
    attributes['TEXCOORD_0'] = packing ? packedUvs(parts, mesh.uvs, packing) : floats(mesh.uvs, 'VEC2', 2);
  if (colours === 'vertices') {
    const linear = linearColours(mesh.colours);
    const bytes = new Uint8Array(linear.buffer);
    const packed = packing?.attributes(bytes, count, 8);
    const view = parts.view({ bytes, target: ARRAY, size: 8, stride: 8, packed });
    const accessor = { bufferView: view, componentType: UNSIGNED_SHORT, normalized: true, count, type: 'VEC4' };
    attributes['COLOR_0'] = parts.accessor(accessor);
  }
  if (confidence) attributes['_CONFIDENCE'] = floats(mesh.confidence, 'SCALAR', 1);
  return attributes;
}

function packedNormals(parts: GlbParts, normals: Float32Array, packing: MeshPacking): number {
  const { bytes, packed } = packing.normals(normals);
  const view = parts.view({ bytes, target: ARRAY, size: 4, stride: 4, packed });
  const count = normals.length / 3;
  return parts.accessor({ bufferView: view, componentType: BYTE, normalized: true, count, type: 'VEC3' });
}

/** Steps of 1/65535 of the page: an eighth of a texel at 8,192. */
function packedUvs(parts: GlbParts, uvs: Float32Array, packing: MeshPacking): number {
  const shorts = Uint16Array.from(uvs, (value) => Math.round(65535 * Math.min(1, Math.max(0, value))));
  const bytes = new Uint8Array(shorts.buffer);
  const count = uvs.length / 2;
  const packed = packing.attributes(bytes, count, 4);
  const view = parts.view({ bytes, target: ARRAY, size: 4, stride: 4, packed });
  return parts.accessor({ bufferView: view, componentType: UNSIGNED_SHORT, normalized: true, count, type: 'VEC2' });
}

function facesOf(parts: GlbParts, indices: Uint32Array, packing: MeshPacking | undefined): number {
  const view = parts.view({ bytes: bytesOf(indices), target: ELEMENTS, size: 4, packed: packing?.faces(indices) });
  return parts.accessor({ bufferView: view, componentType: UNSIGNED_INT, count: indices.length, type: 'SCALAR' });
}

function textures(parts: GlbParts, { pages }: TexturedMesh): object {
  return {
    textures: pages.map((_, k) => ({ sampler: 0, source: k })),
    samplers: [{ magFilter: 9729, minFilter: 9987, wrapS: 33071, wrapT: 33071 }],
    images: pages.map(({ picture, type }, k) => {
      return { name: `texture ${k + 1}`, mimeType: type, bufferView: parts.view({ bytes: picture }) };
    }),
  };
}

/** sRGB [n, 3] as COLOR_0 has it: linear [n, 4], 65535 the whole. */
function linearColours(colours: Uint8Array): Uint16Array {
  const linear = Uint16Array.from({ length: 256 }, (_, value) => {
    const share = value / 255;
    return Math.round(65535 * (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
  });
  const out = new Uint16Array((colours.length / 3) * 4).fill(65535);
  for (let k = 0; k < colours.length; k++) out[4 * ((k / 3) | 0) + (k % 3)] = linear[colours[k]!]!;
  return out;
}

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

function material(page: number, unlit: boolean, textured: boolean): object {
  return {
    name: `photos ${page + 1}`,
    // A viewer that leaves out backs would show a wall as missing from behind; the studio says what was seen.
    doubleSided: true,
    pbrMetallicRoughness: {
      ...(textured ? { baseColorTexture: { index: page } } : {}),
      metallicFactor: 0,
      roughnessFactor: 1,
    },
    ...(unlit ? { extensions: { KHR_materials_unlit: {} } } : {}),
  };
}

function lens({ name, width, height, fy }: Camera): object {
  const perspective = { yfov: 2 * Math.atan(height / (2 * fy)), aspectRatio: width / height, znear: 0.01 };
  return { name, type: 'perspective', perspective };
}

function cameraNode({ name, worldFromCamera, width, height, fx, fy, cx, cy, k1, k2 }: Camera, index: number): object {
  const M = multiply4(multiply4(GLTF_FROM_SCENE, worldFromCamera), CAMERA_TURN);
  // glTF matrices are column-major.
  const matrix = Array.from({ length: 16 }, (_, k) => M[4 * (k % 4) + Math.floor(k / 4)]!);
  return { name, camera: index, matrix, extras: { photo: name, width, height, fx, fy, cx, cy, k1, ...(k2 && { k2 }) } };
}

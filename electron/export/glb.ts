import { Document, NodeIO, type GLTF } from '@gltf-transform/core';
import type { Camera, Scene } from '../geometry/types.js';
import { gltfCamera, turnToGltf } from './axes.js';
import { PATCH_DEFAULTS, patchesOf, type Patches } from './patches.js';
import type { ExportFormat } from './types.js';

/** A small coloured triangle per point (see patches.ts), and a camera node per photo, all under one parent. */
export const glb: ExportFormat = {
  id: 'glb',
  ending: 'glb',
  description: 'Coloured cloud and a camera per photo, for Blender, three.js and game engines',
  estimateBytes: ({ cloud, cameras }) =>
    2000 + Math.min(PATCH_DEFAULTS.mostPoints, cloud.confidence.length) * 3 * STRIDE + cameras.length * 600,
  write: (scene, { baseName = 'scene' } = {}) => [{ name: `${baseName}.glb`, chunks: glbChunks(scene, baseName) }],
};

/** Of a vertex: three floats and four 16-bit numbers; a fourth float where points are inferred. */
const STRIDE = 20;
const STRIDE_INFERRED = 24;
const POINTS_PER_CHUNK = 1 << 14;
const FLOAT = 5126;
const UNSIGNED_SHORT = 5123;

/**
 * The library writes cameras and nodes; the triangles go past it, straight from the cloud (glTF 2.0, section 4.4.3:
 * header, JSON chunk, BIN chunk, all little-endian), vertex by vertex.
 *
 * Points would be half as large, but Blender shows them grey. Triangles are unlit, so that they have the photos' own
 * colours without any lamp; normals are left out, as unlit surfaces need none and Blender would keep three for each.
 */
async function* glbChunks(scene: Scene, name: string): AsyncGenerator<Uint8Array> {
  const { json } = await new NodeIO().writeJSON(sceneDocument(scene.cameras, name));
  const patches = patchesOf(scene);
  const { colors, inferred } = scene.cloud;
  const marked = inferred?.includes(1) ? inferred : undefined;
  const stride = marked ? STRIDE_INFERRED : STRIDE;
  const length = patches.count * 3 * stride;
  if (patches.count > 0) addPatches(json, patches, stride);
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = new Uint8Array(Math.ceil(text.length / 4) * 4).fill(0x20);
  padded.set(text);
  const total = 12 + 8 + padded.length + (length > 0 ? 8 + length : 0);
  yield words(0x46546c67, 2, total, padded.length, 0x4e4f534a);
  yield padded;
  if (length === 0) return;
  yield words(length, 0x004e4942);
  for (let first = 0; first < patches.count; first += POINTS_PER_CHUNK)
    yield vertices(patches, { colors, inferred: marked }, first, Math.min(POINTS_PER_CHUNK, patches.count - first));
}

const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

/** @param stride tells whether vertices say that they are inferred: attribute _INFERRED, 0 or 1 */
function addPatches(json: GLTF.IGLTF, patches: Patches, stride: number): void {
  const count = 3 * patches.count;
  const [min, max] = turnedBounds(patches);
  json.buffers = [{ byteLength: count * stride }];
  json.bufferViews = [{ buffer: 0, byteOffset: 0, byteLength: count * stride, byteStride: stride, target: 34962 }];
  json.accessors = [
    { type: 'VEC3', componentType: FLOAT, min, max, bufferView: 0, byteOffset: 0, count },
    { type: 'VEC4', componentType: UNSIGNED_SHORT, normalized: true, bufferView: 0, byteOffset: 12, count },
  ];
  const attributes: Record<string, number> = { POSITION: 0, COLOR_0: 1 };
  if (stride === STRIDE_INFERRED) {
    json.accessors.push({ type: 'SCALAR', componentType: FLOAT, bufferView: 0, byteOffset: STRIDE, count });
    attributes._INFERRED = 2;
  }
  json.extensionsUsed = ['KHR_materials_unlit'];
  json.materials = [
    {
      name: 'photo colours',
      doubleSided: true,
      pbrMetallicRoughness: { metallicFactor: 0, roughnessFactor: 1 },
      extensions: { KHR_materials_unlit: {} },
    },
  ];
  json.meshes = [{ name: POINTS, primitives: [{ mode: 4, attributes, material: 0 }] }];
  json.nodes!.find(({ name }) => name === POINTS)!.mesh = 0;
}

/** Colours are linear in glTF: sRGB bytes are converted, to 16 bits, or the dark ones would merge. */
const LINEAR = Uint16Array.from({ length: 256 }, (_, value) => {
  const c = value / 255;
  return Math.round(65535 * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
});

function vertices(
  patches: Patches,
  { colors, inferred }: { colors: Uint8Array; inferred: Uint8Array | undefined },
  first: number,
  n: number,
): Uint8Array {
  const stride = inferred ? STRIDE_INFERRED : STRIDE;
  const block = new ArrayBuffer(n * 3 * stride);
  const floats = new Float32Array(block);
  const shorts = new Uint16Array(block);
  const corners = new Float32Array(9);
  for (let k = 0; k < n; k++) {
    patches.corners(first + k, corners, 0);
    turnToGltf(corners);
    const point = patches.point(first + k);
    const color = 3 * point;
    for (let corner = 0; corner < 3; corner++) {
      const at = ((3 * k + corner) * stride) / 4;
      for (let i = 0; i < 3; i++) floats[at + i] = corners[3 * corner + i]!;
      for (let i = 0; i < 3; i++) shorts[2 * (at + 3) + i] = LINEAR[colors[color + i]!]!;
      shorts[2 * (at + 3) + 3] = 65535;
      if (inferred) floats[at + STRIDE / 4] = inferred[point]!;
    }
  }
  return new Uint8Array(block);
}

/** Least and greatest coordinates in glTF's axes; the format demands them of positions. */
function turnedBounds(patches: Patches): [number[], number[]] {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  const corners = new Float32Array(9);
  for (let k = 0; k < patches.count; k++) {
    patches.corners(k, corners, 0);
    turnToGltf(corners);
    for (let at = 0; at < 9; at++) {
      const i = at % 3;
      if (corners[at]! < min[i]!) min[i] = corners[at]!;
      if (corners[at]! > max[i]!) max[i] = corners[at]!;
    }
  }
  return [min, max];
}

const POINTS = 'points';

/** Everything but the triangles: a node for them, a camera per photo, and the parent of all. */
function sceneDocument(cameras: readonly Camera[], name: string): Document {
  const document = new Document();
  document.getRoot().getAsset().generator = 'Pointmap Studio';
  const parent = document.createNode(name).addChild(document.createNode(POINTS));
  for (const camera of cameras) parent.addChild(cameraNode(document, camera));
  document.getRoot().setDefaultScene(document.createScene(name).addChild(parent));
  return document;
}

function cameraNode(document: Document, camera: Camera) {
  const M = gltfCamera(camera.worldFromCamera);
  // glTF matrices are column-major.
  const matrix = Array.from({ length: 16 }, (_, k) => M[4 * (k % 4) + Math.floor(k / 4)]!);
  const lens = document
    .createCamera(camera.name)
    .setType('perspective')
    .setYFov(2 * Math.atan(camera.height / (2 * camera.fy)))
    .setAspectRatio(camera.width / camera.height)
    .setZNear(0.01);
  const node = document
    .createNode(camera.name)
    .setCamera(lens)
    .setMatrix(matrix as Parameters<ReturnType<Document['createNode']>['setMatrix']>[0]);
  return node.setExtras({
    photo: camera.name,
    width: camera.width,
    height: camera.height,
    fx: camera.fx,
    fy: camera.fy,
    cx: camera.cx,
    cy: camera.cy,
    k1: camera.k1,
    ...(camera.k2 && { k2: camera.k2 }),
  });
}

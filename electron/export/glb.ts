import { Document, NodeIO, type GLTF } from '@gltf-transform/core';
import { multiply4 } from '../numerics/linear.js';
import type { Camera, PointCloud, Scene } from '../geometry/types.js';
import type { ExportFormat } from './types.js';

/** glTF from the world: x right, y up, z backward. It is its own inverse, and also turns a camera to look along -z. */
const TURN = Float64Array.of(1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1);

/** One point primitive with vertex colours, and a camera node per photo, named after it. */
export const glb: ExportFormat = {
  id: 'glb',
  title: 'glTF binary',
  ending: 'glb',
  description: 'Coloured points and a camera per photo, for Blender, three.js and game engines',
  estimateBytes: ({ cloud, cameras }) => 2000 + cloud.confidence.length * 32 + cameras.length * 500,
  write: (scene, { baseName = 'scene' } = {}) => [{ name: `${baseName}.glb`, chunks: glbChunks(scene) }],
};

interface Attribute {
  semantic: string;
  accessor: Pick<GLTF.IAccessor, 'type' | 'componentType' | 'normalized' | 'min' | 'max'>;
  bytesPerPoint: number;
  /** Bytes of the points [first, first + n). */
  block(first: number, n: number): Uint8Array;
}

const POINTS_PER_CHUNK = 1 << 16;
const FLOAT = 5126;
const UNSIGNED_SHORT = 5123;

/**
 * The library writes cameras and nodes; the points go past it, straight from the cloud (glTF 2.0, section 4.4.3:
 * header, JSON chunk, BIN chunk, all little-endian). Ten million points through the library: 7.2 s and 1,240 MB; so:
 * 0.7 s and 30 MB (`node --import tsx test/bench/export.ts`).
 */
async function* glbChunks({ cloud, cameras }: Scene): AsyncGenerator<Uint8Array> {
  const { json } = await new NodeIO().writeJSON(cameraDocument(cameras));
  const count = cloud.confidence.length;
  const attributes = count > 0 ? attributesOf(cloud) : [];
  let length = 0;
  for (const { semantic, accessor, bytesPerPoint } of attributes) {
    (json.bufferViews ??= []).push({ buffer: 0, byteOffset: length, byteLength: count * bytesPerPoint, target: 34962 });
    (json.accessors ??= []).push({ ...accessor, bufferView: json.bufferViews.length - 1, count });
    json.meshes ??= [{ name: 'points', primitives: [{ mode: 0, attributes: {} }] }];
    json.meshes[0]!.primitives[0]!.attributes[semantic] = json.accessors.length - 1;
    length += count * bytesPerPoint;
  }
  if (count > 0) {
    json.buffers = [{ byteLength: length }];
    json.nodes!.find(({ name }) => name === POINTS)!.mesh = 0;
  }
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = new Uint8Array(Math.ceil(text.length / 4) * 4).fill(0x20);
  padded.set(text);
  const total = 12 + 8 + padded.length + (length > 0 ? 8 + length : 0);
  yield words(0x46546c67, 2, total, padded.length, 0x4e4f534a);
  yield padded;
  if (length === 0) return;
  yield words(length, 0x004e4942);
  for (const { block } of attributes) {
    for (let first = 0; first < count; first += POINTS_PER_CHUNK)
      yield block(first, Math.min(POINTS_PER_CHUNK, count - first));
  }
}

const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

/** Colours are linear in glTF: sRGB bytes are converted, to 16 bits, or the dark ones would merge. */
function attributesOf({ positions, colors, normals, confidence }: PointCloud): Attribute[] {
  const linear = Uint16Array.from({ length: 256 }, (_, value) => {
    const c = value / 255;
    return Math.round(65535 * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  });
  const turned =
    (vectors: Float32Array) =>
    (first: number, n: number): Uint8Array => {
      const block = vectors.slice(3 * first, 3 * (first + n));
      for (let k = 0; k < block.length; k += 3) {
        block[k + 1] = -block[k + 1]!;
        block[k + 2] = -block[k + 2]!;
      }
      return new Uint8Array(block.buffer);
    };
  // Four components: rows of a vertex attribute must begin at multiples of four bytes.
  const coloured = (first: number, n: number): Uint8Array => {
    const block = new Uint16Array(4 * n).fill(65535);
    for (let k = 0; k < n; k++) for (let i = 0; i < 3; i++) block[4 * k + i] = linear[colors[3 * (first + k) + i]!]!;
    return new Uint8Array(block.buffer);
  };
  const [min, max] = turnedBounds(positions, confidence.length);
  return [
    {
      semantic: 'POSITION',
      accessor: { type: 'VEC3', componentType: FLOAT, min, max },
      bytesPerPoint: 12,
      block: turned(positions),
    },
    {
      semantic: 'COLOR_0',
      accessor: { type: 'VEC4', componentType: UNSIGNED_SHORT, normalized: true },
      bytesPerPoint: 8,
      block: coloured,
    },
    ...(normals
      ? [
          {
            semantic: 'NORMAL',
            accessor: { type: 'VEC3', componentType: FLOAT } as const,
            bytesPerPoint: 12,
            block: turned(normals),
          },
        ]
      : []),
  ];
}

/** Least and greatest coordinates in glTF's axes; the format demands them of positions. */
function turnedBounds(positions: Float32Array, count: number): [number[], number[]] {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < 3; i++) {
      const value = i === 0 ? positions[3 * k]! : -positions[3 * k + i]!;
      if (value < min[i]!) min[i] = value;
      if (value > max[i]!) max[i] = value;
    }
  }
  return [min, max];
}

const POINTS = 'points';

/** Everything but the points: a node for them, and a camera per photo. */
function cameraDocument(cameras: readonly Camera[]): Document {
  const document = new Document();
  document.getRoot().getAsset().generator = 'Pointmap Studio';
  const root = document.createScene('scene');
  root.addChild(document.createNode(POINTS));
  for (const camera of cameras) root.addChild(cameraNode(document, camera));
  document.getRoot().setDefaultScene(root);
  return document;
}

function cameraNode(document: Document, camera: Camera) {
  const M = multiply4(multiply4(TURN, camera.worldFromCamera), TURN);
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
  });
}

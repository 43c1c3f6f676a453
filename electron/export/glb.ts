import { Accessor, Document, NodeIO, Primitive } from '@gltf-transform/core';
import { multiply4 } from '../geometry/linear.js';
import type { Camera, Scene } from '../geometry/types.js';
import type { ExportFormat } from './types.js';

/** glTF from the world: x right, y up, z backward. It is its own inverse, and also turns a camera to look along -z. */
const TURN = Float64Array.of(1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1);

/** One point primitive with vertex colours, and a camera node per photo, named after it. */
export const glb: ExportFormat = {
  id: 'glb', title: 'glTF binary', ending: 'glb',
  description: 'Coloured points and a camera per photo, for Blender, three.js and game engines',
  estimateBytes: ({ cloud, cameras }) => 2000 + cloud.confidence.length * 32 + cameras.length * 500,
  write: (scene, { baseName = 'scene' } = {}) => [{ name: `${baseName}.glb`, chunks: glbChunks(scene) }],
};

async function* glbChunks(scene: Scene): AsyncGenerator<Uint8Array> {
  yield await new NodeIO().writeBinary(sceneDocument(scene));
}

/** The scene as a glTF document. Colours are linear in glTF: sRGB bytes are converted, to 16 bits, or the dark ones would merge. */
export function sceneDocument({ cloud, cameras }: Scene): Document {
  const document = new Document();
  document.getRoot().getAsset().generator = 'Pointmap Studio';
  const buffer = document.createBuffer();
  const count = cloud.confidence.length;
  const turned = (vectors: Float32Array) => vectors.map((value, k) => (k % 3 === 0 ? value : -value));
  const linear = Uint16Array.from({ length: 256 }, (_, value) => {
    const c = value / 255;
    return Math.round(65535 * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  });
  // Four components: rows of a vertex attribute must begin at multiples of four bytes.
  const colors = new Uint16Array(count * 4);
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < 3; i++) colors[4 * k + i] = linear[cloud.colors[3 * k + i]!]!;
    colors[4 * k + 3] = 65535;
  }
  const accessor = (type: 'VEC3' | 'VEC4', array: Float32Array | Uint16Array) => document.createAccessor().setType(Accessor.Type[type]!).setArray(array as Float32Array<ArrayBuffer>).setBuffer(buffer);
  const points = document.createPrimitive().setMode(Primitive.Mode.POINTS!).setAttribute('POSITION', accessor('VEC3', turned(cloud.positions)));
  points.setAttribute('COLOR_0', accessor('VEC4', colors).setNormalized(true));
  if (cloud.normals) points.setAttribute('NORMAL', accessor('VEC3', turned(cloud.normals)));
  const root = document.createScene('scene');
  root.addChild(document.createNode('points').setMesh(document.createMesh('points').addPrimitive(points)));
  for (const camera of cameras) root.addChild(cameraNode(document, camera));
  document.getRoot().setDefaultScene(root);
  return document;
}

function cameraNode(document: Document, camera: Camera) {
  const M = multiply4(multiply4(TURN, camera.worldFromCamera), TURN);
  // glTF matrices are column-major.
  const matrix = Array.from({ length: 16 }, (_, k) => M[4 * (k % 4) + Math.floor(k / 4)]!);
  const lens = document.createCamera(camera.name).setType('perspective').setYFov(2 * Math.atan(camera.height / (2 * camera.fy))).setAspectRatio(camera.width / camera.height).setZNear(0.01);
  const node = document.createNode(camera.name).setCamera(lens).setMatrix(matrix as Parameters<ReturnType<Document['createNode']>['setMatrix']>[0]);
  return node.setExtras({ photo: camera.name, width: camera.width, height: camera.height, fx: camera.fx, fy: camera.fy, cx: camera.cx, cy: camera.cy, k1: camera.k1 });
}

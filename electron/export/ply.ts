import { piecesOf, pointCount, pointsAbout } from '../geometry/cloud.js';
import type { PointCloud, Scene } from '../geometry/types.js';
import type { ExportFormat } from './types.js';

const POINTS_PER_CHUNK = 1 << 16;
const STRIDE = 32;

/** Binary little-endian PLY: position, normal, colour, confidence, and 1 for inferred points. Axes of the scene frame: z up. */
export const ply: ExportFormat = {
  id: 'ply',
  ending: 'ply',
  description: 'Binary points with normals, colours and confidence, for MeshLab, CloudCompare, Open3D and Blender',
  estimateBytes: (scene) => 400 + pointsAbout(scene) * STRIDE,
  write: (scene, { baseName = 'scene' } = {}) => [{ name: `${baseName}.ply`, chunks: plyChunks(scene) }],
};

/** @param offset added to the positions, which are then doubles: large coordinates keep their millimetres */
export async function* plyChunks(
  scene: Pick<Scene, 'cloud' | 'whole'>,
  offset?: readonly [number, number, number],
): AsyncGenerator<Uint8Array> {
  const wide = offset ? 12 : 0;
  const stride = STRIDE + wide;
  const real = offset ? 'double' : 'float';
  const properties = [
    `${real} x`,
    `${real} y`,
    `${real} z`,
    'float nx',
    'float ny',
    'float nz',
    'uchar red',
    'uchar green',
    'uchar blue',
    'float confidence',
    'uchar inferred',
  ];
  yield new TextEncoder().encode(
    [
      'ply',
      'format binary_little_endian 1.0',
      'comment Pointmap Studio',
      `element vertex ${await pointCount(scene)}`,
      ...properties.map((property) => `property ${property}`),
      'end_header',
      '',
    ].join('\n'),
  );
  for await (const piece of piecesOf(scene)) yield* pieceChunks(piece, stride, offset);
}

function* pieceChunks(
  cloud: PointCloud,
  stride: number,
  offset: readonly [number, number, number] | undefined,
): Generator<Uint8Array> {
  const wide = stride - STRIDE;
  const count = cloud.confidence.length;
  for (let first = 0; first < count; first += POINTS_PER_CHUNK) {
    const n = Math.min(POINTS_PER_CHUNK, count - first);
    const bytes = new Uint8Array(n * stride);
    const view = new DataView(bytes.buffer);
    for (let k = 0; k < n; k++) {
      const from = first + k;
      const at = k * stride;
      for (let i = 0; i < 3; i++) {
        if (offset) view.setFloat64(at + 8 * i, cloud.positions[3 * from + i]! + offset[i]!, true);
        else view.setFloat32(at + 4 * i, cloud.positions[3 * from + i]!, true);
        view.setFloat32(at + wide + 12 + 4 * i, cloud.normals?.[3 * from + i] ?? 0, true);
        bytes[at + wide + 24 + i] = cloud.colors[3 * from + i]!;
      }
      view.setFloat32(at + wide + 27, cloud.confidence[from]!, true);
      bytes[at + wide + 31] = cloud.inferred?.[from] ?? 0;
    }
    yield bytes;
  }
}

import type { PointCloud } from '../geometry/types.js';
import type { ExportFormat } from './types.js';

const POINTS_PER_CHUNK = 1 << 16;
const STRIDE = 32;

/** Binary little-endian PLY: position, normal, colour, confidence, and 1 for inferred points. Axes of the scene frame: z up. */
export const ply: ExportFormat = {
  id: 'ply',
  title: 'PLY point cloud',
  ending: 'ply',
  description: 'Binary points with normals, colours and confidence, for MeshLab, CloudCompare, Open3D and Blender',
  estimateBytes: ({ cloud }) => 400 + cloud.confidence.length * STRIDE,
  write: ({ cloud }, { baseName = 'scene' } = {}) => [{ name: `${baseName}.ply`, chunks: plyChunks(cloud) }],
};

function* plyChunks(cloud: PointCloud): Generator<Uint8Array> {
  const count = cloud.confidence.length;
  const properties = [
    'float x',
    'float y',
    'float z',
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
      `element vertex ${count}`,
      ...properties.map((property) => `property ${property}`),
      'end_header',
      '',
    ].join('\n'),
  );
  for (let first = 0; first < count; first += POINTS_PER_CHUNK) {
    const n = Math.min(POINTS_PER_CHUNK, count - first);
    const bytes = new Uint8Array(n * STRIDE);
    const view = new DataView(bytes.buffer);
    for (let k = 0; k < n; k++) {
      const from = first + k;
      const at = k * STRIDE;
      for (let i = 0; i < 3; i++) {
        view.setFloat32(at + 4 * i, cloud.positions[3 * from + i]!, true);
        view.setFloat32(at + 12 + 4 * i, cloud.normals?.[3 * from + i] ?? 0, true);
        bytes[at + 24 + i] = cloud.colors[3 * from + i]!;
      }
      view.setFloat32(at + 27, cloud.confidence[from]!, true);
      bytes[at + 31] = cloud.inferred?.[from] ?? 0;
    }
    yield bytes;
  }
}

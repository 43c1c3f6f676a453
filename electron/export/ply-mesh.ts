import type { Scene } from '../geometry/types.js';
import { patchesOf } from './patches.js';
import type { ExportFile } from './types.js';

const PATCHES_PER_CHUNK = 1 << 14;
/** Bytes of a vertex (three floats, three colours) and of a face (its number of corners, three indices). */
const VERTEX = 15;
const FACE = 13;
/** Blender 3.4 reads PLY at 50 thousand triangles a second. */
const MOST_PATCHES = 300_000;

/**
 * The cloud as small coloured triangles, z up, for programs that read the colours of faces only: Blender before 4.0 drops
 * those of a PLY that holds none.
 */
export function plyMesh(scene: Scene, name: string): ExportFile {
  return { name, chunks: meshChunks(scene) };
}

function* meshChunks(scene: Scene): Generator<Uint8Array> {
  const patches = patchesOf(scene, { mostPoints: MOST_PATCHES });
  yield new TextEncoder().encode(
    [
      'ply',
      'format binary_little_endian 1.0',
      'comment Pointmap Studio: a triangle per point',
      `element vertex ${3 * patches.count}`,
      ...['x', 'y', 'z'].map((axis) => `property float ${axis}`),
      ...['red', 'green', 'blue'].map((channel) => `property uchar ${channel}`),
      `element face ${patches.count}`,
      'property list uchar int vertex_indices',
      'end_header',
      '',
    ].join('\n'),
  );
  const corners = new Float32Array(9);
  for (let first = 0; first < patches.count; first += PATCHES_PER_CHUNK) {
    const n = Math.min(PATCHES_PER_CHUNK, patches.count - first);
    const bytes = new Uint8Array(n * 3 * VERTEX);
    const view = new DataView(bytes.buffer);
    for (let k = 0; k < n; k++) {
      patches.corners(first + k, corners, 0);
      const color = 3 * patches.point(first + k);
      for (let corner = 0; corner < 3; corner++) {
        const at = (3 * k + corner) * VERTEX;
        for (let i = 0; i < 3; i++) {
          view.setFloat32(at + 4 * i, corners[3 * corner + i]!, true);
          bytes[at + 12 + i] = scene.cloud.colors[color + i]!;
        }
      }
    }
    yield bytes;
  }
  for (let first = 0; first < patches.count; first += PATCHES_PER_CHUNK) {
    const n = Math.min(PATCHES_PER_CHUNK, patches.count - first);
    const bytes = new Uint8Array(n * FACE);
    const view = new DataView(bytes.buffer);
    for (let k = 0; k < n; k++) {
      bytes[k * FACE] = 3;
      for (let corner = 0; corner < 3; corner++)
        view.setInt32(k * FACE + 1 + 4 * corner, 3 * (first + k) + corner, true);
    }
    yield bytes;
  }
}

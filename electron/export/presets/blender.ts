import { median } from '../../numerics/median.js';
import type { Camera, PointCloud, Scene } from '../../geometry/types.js';
import { madeAhead } from '../ahead.js';
import { turnedCamera } from '../axes.js';
import { glb } from '../glb.js';
import { patchesOf } from '../patches.js';
import { pictureFile, undistortedCameras, type Undistorted } from '../pictures.js';
import { plyMesh } from '../ply-mesh.js';
import { textChunks, type ExportFile } from '../types.js';
import { blenderScript } from './open-in-blender.js';
import { withCameras, workHere, type Preset, type PresetInput } from './types.js';

/** Of the cloud that the script draws; a square each. */
const MOST_POINTS = 2_000_000;

export const blender: Preset = {
  id: 'blender',
  title: 'Blender',
  description: 'mesh or cloud, cameras with their undistorted photos behind them, and a script that sets all up',
  needsPhotos: true,
  estimateBytes: (scene, photoBytes) => {
    const points = scene.cloud.confidence.length;
    return (
      glb.estimateBytes(scene) + Math.min(points, MOST_POINTS) * STRIDE + Math.min(points, 300_000) * 58 + photoBytes
    );
  },
  write: async ({ scene, unit, photos, mesh, work = workHere }, options) => {
    const pictures = undistortedCameras(scene.cameras, options);
    const straight = withCameras(
      scene,
      pictures.map(({ camera }) => camera),
    );
    const files: ExportFile[] = [
      ...glb.write(straight, { baseName: 'scene' }),
      { name: 'points.ply', chunks: pointChunks(straight) },
      plyMesh(straight, 'points-as-faces.ply'),
      { name: 'open_in_blender.py', chunks: textChunks([blenderScript(sceneData(straight, pictures, unit, mesh))]) },
      ...madeAhead(
        pictures.map((picture) => pictureFile(picture, 'photos', { photos, work }, options)),
        work.ahead,
      ),
    ];
    if (mesh) files.splice(1, 0, { ...mesh, name: 'mesh.glb' });
    return files;
  },
};

function sceneData(
  { cloud, cameras }: Scene,
  pictures: readonly Undistorted[],
  unit: PresetInput['unit'],
  mesh: ExportFile | undefined,
): object {
  const distance = typicalDistance(cloud, cameras);
  return {
    name: 'scene',
    unit,
    mesh: mesh ? 'mesh.glb' : null,
    points: 'points.ply',
    displaySize: distance / 15,
    clipStart: distance / 1000,
    clipEnd: distance * 100,
    cameras: pictures.map(({ photo, camera }) => ({
      name: camera.name,
      photo: photo.name,
      image: `photos/${camera.name}`,
      width: camera.width,
      height: camera.height,
      focal: camera.fx,
      cx: camera.cx,
      cy: camera.cy,
      matrix: [...turnedCamera(camera.worldFromCamera)],
    })),
  };
}

/** Median distance of points from the photo that gave them. */
function typicalDistance({ positions, source, confidence }: PointCloud, cameras: readonly Camera[]): number {
  const step = Math.max(1, Math.floor(confidence.length / 10_000));
  const distances: number[] = [];
  for (let k = 0; k < confidence.length; k += step) {
    const M = cameras[source[k]!]!.worldFromCamera;
    distances.push(Math.hypot(...[0, 1, 2].map((i) => positions[3 * k + i]! - M[4 * i + 3]!)));
  }
  return median(distances) || 1;
}

const POINTS_PER_CHUNK = 1 << 16;
const STRIDE = 31;
/** Half a square's diagonal over a patch's circumradius: squares of neighbours overlap a little. */
const SQUARE = 0.9;

/** Binary PLY, z up: position, normal, colour, and the radius that a point is drawn with. */
function* pointChunks(scene: Scene): Generator<Uint8Array> {
  const patches = patchesOf(scene, { mostPoints: MOST_POINTS });
  const { positions, colors, normals } = scene.cloud;
  yield new TextEncoder().encode(
    [
      'ply',
      'format binary_little_endian 1.0',
      'comment Pointmap Studio',
      `element vertex ${patches.count}`,
      ...['x', 'y', 'z', 'nx', 'ny', 'nz'].map((axis) => `property float ${axis}`),
      ...['red', 'green', 'blue'].map((channel) => `property uchar ${channel}`),
      'property float radius',
      'end_header',
      '',
    ].join('\n'),
  );
  for (let first = 0; first < patches.count; first += POINTS_PER_CHUNK) {
    const n = Math.min(POINTS_PER_CHUNK, patches.count - first);
    const bytes = new Uint8Array(n * STRIDE);
    const view = new DataView(bytes.buffer);
    for (let k = 0; k < n; k++) {
      const point = 3 * patches.point(first + k);
      for (let i = 0; i < 3; i++) {
        view.setFloat32(k * STRIDE + 4 * i, positions[point + i]!, true);
        view.setFloat32(k * STRIDE + 12 + 4 * i, normals?.[point + i] ?? 0, true);
        bytes[k * STRIDE + 24 + i] = colors[point + i]!;
      }
      view.setFloat32(k * STRIDE + 27, SQUARE * patches.radius(first + k), true);
    }
    yield bytes;
  }
}

import { pointsAbout } from '../../geometry/cloud.js';
import type { PointCloud, Scene } from '../../geometry/types.js';
import { madeAhead } from '../ahead.js';
import { binaryModel } from '../colmap-bin.js';
import { cloudPoints, modelOf, trackedPoints, type SeenPoint } from '../colmap.js';
import { transformsDocument } from '../nerfstudio.js';
import { maskFile, pictureFile, undistortedCameras, type Undistorted } from '../pictures.js';
import { ply } from '../ply.js';
import { inPicture } from '../undistort.js';
import { textChunks } from '../types.js';
import { withCameras, workHere, type Preset, type PresetInput } from './types.js';

/** Of a model without tracks: its points are those of the cloud, and trainers start with the denser PLY beside it. */
const MOST_MODEL_POINTS = 50_000;

/**
 * A dataset for Gaussian splatting: undistorted photos, COLMAP's binary model with PINHOLE cameras as the trainers that
 * read COLMAP expect it (images/, sparse/0/), and transforms.json for those that read NeRF's format.
 */
export const splatting: Preset = {
  id: 'splatting',
  title: 'Gaussian splatting',
  description: 'undistorted photos, COLMAP model with pinhole cameras, transforms.json and points to start from',
  needsPhotos: true,
  estimateBytes: (scene, photoBytes) => {
    const points = pointsAbout(scene);
    return (
      scene.cameras.length * 1000 +
      Math.min(points, MOST_MODEL_POINTS) * 140 +
      Math.min(points, 200_000) * 62 +
      photoBytes
    );
  },
  write: async ({ scene, photos, work = workHere }, options) => {
    const pictures = undistortedCameras(scene.cameras, options);
    const cameras = pictures.map(({ camera }) => camera);
    const start: Scene = {
      ...withCameras(scene, cameras),
      cloud: thinned(scene.cloud, options.mostPoints),
      whole: undefined,
    };
    const masks = pictures.map((picture) => maskFile(picture, 'masks', photos, work));
    const names = masks.map((mask) => mask?.name);
    const [points] = ply.write(start, { baseName: 'sparse/0/points3D' });
    const document = {
      ...transformsDocument(cameras, { images: 'images', points: 'sparse/0/points3D.ply', masks: names }),
    };
    return [
      ...binaryModel(modelOf(cameras, seenInPictures(scene, pictures), true), 'sparse/0'),
      points!,
      { name: 'transforms.json', chunks: textChunks([JSON.stringify(document, null, 1)]) },
      ...madeAhead(
        [
          ...pictures.map((picture) => pictureFile(picture, 'images', { photos, work }, options)),
          ...masks.filter((mask) => mask !== undefined),
        ],
        work.ahead,
      ),
    ];
  },
};

/** Points whose features lie in at least two undistorted pictures. */
function seenInPictures(scene: PresetInput['scene'], pictures: readonly Undistorted[]): SeenPoint[] {
  const tracked = scene.sparse ? trackedPoints(scene, scene.sparse) : [];
  const points = tracked.length > 0 ? tracked : cloudPoints(scene, MOST_MODEL_POINTS);
  return points.flatMap((point) => {
    const sightings = point.sightings.flatMap(({ camera, x, y }) => {
      const at = inPicture(pictures[camera]!, x, y);
      return at ? [{ camera, x: at[0], y: at[1] }] : [];
    });
    return sightings.length >= 2 ? [{ ...point, sightings }] : [];
  });
}

/** Points spread evenly over the cloud. */
function thinned(cloud: PointCloud, most: number): PointCloud {
  const all = cloud.confidence.length;
  if (all <= most) return cloud;
  const pick = <T extends Float32Array | Uint8Array | Uint16Array>(values: T, size: number): T => {
    const out = new (values.constructor as { new (n: number): T })(most * size);
    for (let k = 0; k < most; k++) {
      const from = Math.floor((k * all) / most) * size;
      for (let i = 0; i < size; i++) out[k * size + i] = values[from + i]!;
    }
    return out;
  };
  return {
    positions: pick(cloud.positions, 3),
    colors: pick(cloud.colors, 3),
    confidence: pick(cloud.confidence, 1),
    source: pick(cloud.source, 1),
    ...(cloud.normals ? { normals: pick(cloud.normals, 3) } : {}),
  };
}

import { colmapBinary } from '../colmap-bin.js';
import { colmapPhoto } from '../colmap.js';
import type { Preset } from './types.js';

/** COLMAP's model in pixels of the original photos, whose distortion it tells, and the photos upright. */
export const colmap: Preset = {
  id: 'colmap',
  title: 'COLMAP',
  description: 'binary model of the original photos with their distortion, and the photos',
  needsPhotos: true,
  estimateBytes: (scene, photoBytes) => colmapBinary.estimateBytes(scene) + photoBytes,
  write: async ({ scene, photos }) => [
    ...colmapBinary.write(scene).map((file) => ({ ...file, name: file.name.replace(/^colmap\//, 'sparse/') })),
    ...scene.cameras.map((camera) => {
      const name = colmapPhoto(camera).replace(/^colmap\//, '');
      const chunks = (async function* () {
        yield await photos.upright(camera, name.split('.').pop()!);
      })();
      return { name, chunks };
    }),
  ],
};

import { colmapBinary } from '../colmap-bin.js';
import { colmapPhotos } from '../colmap.js';
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
    ...colmapPhotos(scene.cameras).map(({ photo, name }) => {
      const chunks = (async function* () {
        yield await photos.upright({ photo }, name.split('.').pop()!);
      })();
      return { name: name.replace(/^colmap\//, ''), chunks };
    }),
  ],
};

import type { Camera } from '../geometry/types.js';
import { PIXEL_CENTRE } from './colmap.js';
import { ply } from './ply.js';
import { photoName, textChunks, type ExportFormat } from './types.js';

/**
 * transforms.json with OpenGL cameras (x right, y up, looking along -z), intrinsics per frame, the photos, and the
 * cloud as its start.
 */
export const nerfstudio: ExportFormat = {
  id: 'nerfstudio',
  description: 'transforms.json, the photos and the cloud, to start Gaussian splatting or a NeRF',
  estimateBytes: (scene) => scene.cameras.length * 700 + ply.estimateBytes(scene),
  photoFile: (camera) => `nerfstudio/images/${photoName(camera)}`,
  write: (scene) => {
    const cameras = scene.cameras.map((camera) => ({ ...camera, name: photoName(camera) }));
    const document = transformsDocument(cameras, { images: 'images', points: 'points.ply' });
    const [points] = ply.write(scene, { baseName: 'nerfstudio/points' });
    return [{ name: 'nerfstudio/transforms.json', chunks: textChunks([JSON.stringify(document, null, 1)]) }, points!];
  },
};

/**
 * @param cameras named after their pictures
 * @param files relative to transforms.json: the pictures' folder, the cloud, and the mask of each picture that has one
 */
export function transformsDocument(
  cameras: readonly Camera[],
  files: { images: string; points: string; masks?: readonly (string | undefined)[] },
): object {
  const frames = cameras.map((camera, k) => {
    const M = camera.worldFromCamera;
    // The camera's y and z axes turn round; the world stays.
    const row = (i: number) => [M[4 * i]!, -M[4 * i + 1]!, -M[4 * i + 2]!, M[4 * i + 3]!];
    return {
      file_path: `${files.images}/${camera.name}`,
      ...(files.masks?.[k] ? { mask_path: files.masks[k] } : {}),
      w: camera.width,
      h: camera.height,
      fl_x: camera.fx,
      fl_y: camera.fy,
      cx: camera.cx + PIXEL_CENTRE,
      cy: camera.cy + PIXEL_CENTRE,
      k1: camera.k1,
      k2: camera.k2 ?? 0,
      p1: 0,
      p2: 0,
      transform_matrix: [row(0), row(1), row(2), [0, 0, 0, 1]],
    };
  });
  return { camera_model: 'OPENCV', ply_file_path: files.points, frames };
}

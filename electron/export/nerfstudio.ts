import type { Camera } from '../geometry/types.js';
import { PIXEL_CENTRE } from './colmap.js';
import { pictureCameras, type PictureCamera } from './originals.js';
import { ply } from './ply.js';
import { photoName, textChunks, type ExportFile, type ExportFormat } from './types.js';

/**
 * transforms.json with OpenGL cameras (x right, y up, looking along -z), intrinsics per frame, the photos, and the
 * cloud as its start.
 */
export const nerfstudio: ExportFormat = {
  id: 'nerfstudio',
  description: 'transforms.json, the photos and the cloud, to start Gaussian splatting or a NeRF',
  estimateBytes: (scene) => scene.cameras.length * 700 + ply.estimateBytes(scene),
  photoFiles: (cameras) => [
    ...cameras.map((camera) => ({ photo: camera.photo, name: `nerfstudio/images/${photoName(camera)}` })),
    ...distorted(cameras).map((camera) => ({ photo: camera.photo, name: `nerfstudio/originals/${photoName(camera)}` })),
  ],
  write: (scene) => {
    const cameras = scene.cameras.map((camera) => ({ ...camera, name: photoName(camera) }));
    const document = transformsDocument(cameras, { images: 'images', points: 'points.ply' });
    const [points] = ply.write(scene, { baseName: 'nerfstudio/points' });
    const file = (name: string, content: object): ExportFile => ({
      name: `nerfstudio/${name}`,
      chunks: textChunks([JSON.stringify(content, null, 1)]),
    });
    return [file('transforms.json', document), points!, ...originals(scene.cameras).map((each) => file(...each))];
  },
};

/** Pictures that views were cut from. */
const distorted = (cameras: readonly Camera[]): PictureCamera[] =>
  (pictureCameras(cameras)?.cameras ?? []).filter(({ projection }) => projection);

/** Of the pictures as they were taken: a document for each camera model, as all frames of one share it. */
function originals(cameras: readonly Camera[]): [string, object][] {
  return (['fisheye', 'brown'] as const).flatMap((kind): [string, object][] => {
    const some = distorted(cameras).filter(({ projection }) => projection?.kind === kind);
    if (some.length === 0) return [];
    const named = some.map((camera) => ({ ...camera, name: photoName(camera) }));
    const document = transformsDocument(named, { images: 'originals', points: 'points.ply' });
    return [[kind === 'fisheye' ? 'transforms-fisheye.json' : 'transforms-opencv.json', document]];
  });
}

/**
 * @param cameras named after their pictures
 * @param files relative to transforms.json: the pictures' folder, the cloud, and the mask of each picture that has one
 */
export function transformsDocument(
  cameras: readonly PictureCamera[],
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
      ...distortionOf(camera),
      transform_matrix: [row(0), row(1), row(2), [0, 0, 0, 1]],
    };
  });
  const model = cameras[0]?.projection?.kind === 'fisheye' ? 'OPENCV_FISHEYE' : 'OPENCV';
  return { camera_model: model, ply_file_path: files.points, frames };
}

function distortionOf({ k1, k2 = 0, projection }: PictureCamera): object {
  if (projection?.kind === 'fisheye')
    return { k1: projection.k1, k2: projection.k2, k3: projection.k3, k4: projection.k4 };
  if (!projection) return { k1, k2, p1: 0, p2: 0 };
  return { k1: projection.k1, k2: projection.k2, k3: projection.k3, p1: projection.p1, p2: projection.p2 };
}

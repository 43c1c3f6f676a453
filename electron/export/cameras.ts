import type { Camera } from '../geometry/types.js';
import { multiply3, rigid, rotationOf } from '../numerics/linear.js';
import { pixelsPerRadian } from '../geometry/projection.js';
import { textChunks, type ExportFormat } from './types.js';

/**
 * Intrinsics in pixels of the original photo, centres at integers; one entry per placed photo. A wide picture has one
 * entry too, with its own camera model (`fisheye`: OpenCV's; `equirectangular`); `faces` lists the pinhole views that it
 * was split into.
 */
export function camerasDocument(cameras: readonly Camera[]): object {
  const faces = cameras.filter(({ face }) => face);
  return {
    source: 'Pointmap Studio',
    convention:
      'camera x right, y down, z forward; world (scene frame) z up; 4x4 row-major; pixels of the original photo, centres at integers',
    photos: [...cameras.filter(({ face }) => !face).map(pinhole), ...pictures(faces)],
    ...(faces.length > 0 ? { faces: faces.map((each) => ({ picture: each.face!.picture, ...pinhole(each) })) } : {}),
  };
}

const pinhole = ({ name, width, height, fx, fy, cx, cy, k1, k2, focalSource, worldFromCamera }: Camera) => ({
  name,
  width,
  height,
  fx,
  fy,
  cx,
  cy,
  k1,
  ...(k2 && { k2 }),
  focalSource,
  worldFromCamera: Array.from(worldFromCamera),
});

/** The pictures that views were cut from, each as its first placed view tells: all views of a picture agree. */
function pictures(faces: readonly Camera[]): object[] {
  const first = new Map<string, Camera>();
  for (const camera of faces) if (!first.has(camera.face!.pictureId)) first.set(camera.face!.pictureId, camera);
  return [...first.values()].map(({ face, focalSource, worldFromCamera: M }) => {
    const { picture, projection, faceFromPicture } = face!;
    const { kind, ...rest } = projection;
    const fx = pixelsPerRadian(projection);
    const rotation = multiply3(rotationOf(M), faceFromPicture);
    return {
      name: picture,
      model: kind,
      // Of a picture of 360 degrees, pixels per radian.
      ...(kind === 'equirectangular' ? { fx, fy: fx, cx: (rest.width - 1) / 2, cy: (rest.height - 1) / 2 } : {}),
      ...rest,
      focalSource,
      worldFromCamera: Array.from(rigid(rotation, [M[3]!, M[7]!, M[11]!])),
    };
  });
}

export const camerasJson: ExportFormat = {
  id: 'cameras',
  ending: 'json',
  description: 'Poses and intrinsics of every placed photo as plain JSON',
  estimateBytes: ({ cameras }) => 300 + cameras.length * 600,
  write: ({ cameras }) => [
    { name: 'cameras.json', chunks: textChunks([JSON.stringify(camerasDocument(cameras), null, 1)]) },
  ],
};

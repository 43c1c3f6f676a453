import type { Camera } from '../geometry/types.js';
import { textChunks, type ExportFormat } from './types.js';

/** Intrinsics in pixels of the original photo, centres at integers; one entry per placed photo. */
export function camerasDocument(cameras: readonly Camera[]): object {
  return {
    source: 'Pointmap Studio',
    convention:
      'camera x right, y down, z forward; world (scene frame) z up; 4x4 row-major; pixels of the original photo, centres at integers',
    photos: cameras.map(({ name, width, height, fx, fy, cx, cy, k1, focalSource, worldFromCamera }) => ({
      name,
      width,
      height,
      fx,
      fy,
      cx,
      cy,
      k1,
      focalSource,
      worldFromCamera: Array.from(worldFromCamera),
    })),
  };
}

export const camerasJson: ExportFormat = {
  id: 'cameras',
  title: 'Camera list',
  ending: 'json',
  description: 'Poses and intrinsics of every placed photo as plain JSON',
  estimateBytes: ({ cameras }) => 300 + cameras.length * 600,
  write: ({ cameras }) => [
    { name: 'cameras.json', chunks: textChunks([JSON.stringify(camerasDocument(cameras), null, 1)]) },
  ],
};

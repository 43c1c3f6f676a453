import { exactLens } from '../geometry/photo.js';
import type { Photo } from '../geometry/types.js';
import { rotationOf, transpose3 } from '../numerics/linear.js';
import { dot3 } from '../numerics/vector.js';
import { knownFocal, lensKey } from './calibration.js';
import type { EarlierSurvey } from './earlier.js';

/**
 * What is known of the cameras, in the form of an earlier survey: fixed cameras stand where they are and known lenses
 * are never changed, while everything else is found.
 *
 * @returns undefined when no photo has a known lens or a fixed pose
 */
export function knownSurvey(photos: readonly Photo[]): EarlierSurvey | undefined {
  const told = photos.filter((photo) => exactLens(photo));
  if (told.length === 0) return undefined;
  return {
    photos: told.map((photo) => {
      const { use, worldFromCamera } = photo.known ?? {};
      const lens = exactLens(photo);
      const focal = photo.face
        ? lens!.focal / Math.max(photo.width, photo.height)
        : (knownFocal(photo) ?? lens!.focal / Math.max(photo.width, photo.height));
      const camera = use === 'fixed' && worldFromCamera ? cameraPose(worldFromCamera) : undefined;
      return {
        id: photo.id,
        lensKey: lensKey(photo),
        lens: { focal, k1: lens!.k1, related: focal },
        camera: camera && { piece: 0, ...camera },
      };
    }),
  };
}

/** Camera from world of a row-major world-from-camera. */
export function cameraPose(worldFromCamera: readonly number[]): { rotation: Float64Array; translation: Float64Array } {
  const rotation = transpose3(rotationOf(worldFromCamera));
  const centre = [worldFromCamera[3]!, worldFromCamera[7]!, worldFromCamera[11]!];
  const translation = Float64Array.from([0, 1, 2], (k) => -dot3(rotation.subarray(3 * k, 3 * k + 3), centre));
  return { rotation, translation };
}

import type { KnownPhotoCamera, Photo } from './types.js';

/** Identifies what of a photo is looked at: its bytes, and the mask that hides some of it. For keys of what is kept. */
export const sightId = ({ id, mask }: Photo): string => (mask ? `${id}+${mask.id}` : id);

/** What is taken for granted of a photo's camera, as text; empty where nothing is. For keys of what is kept. */
export const knownText = ({ known, face }: Photo): string => {
  const rig = face && [face.pictureId, face.focal, face.faceFromPicture];
  if (rig) return JSON.stringify([known ?? null, rig]);
  return known ? JSON.stringify(known) : '';
};

/** The lens that is taken as exact: of a view that was cut out of a wider picture, or as a file tells it. */
export function exactLens({ face, known }: Photo): KnownPhotoCamera['lens'] {
  return face ? { focal: face.focal, k1: 0, k2: 0 } : known?.lens;
}

import type { Photo } from '../geometry/types.js';
import { multiply3, transpose3 } from '../numerics/linear.js';
import type { PlacedCamera } from './bundle.js';

/** Which photos are views of one picture: known rotations, one position. */
export interface Rigs {
  /** The photo and all other views of its picture. */
  views(photo: number): readonly number[];
  /** Where all views of a picture are, once one of them is placed. */
  place(photo: number, camera: PlacedCamera, lensOf: readonly number[]): Map<number, PlacedCamera>;
}

/** @returns undefined where no two photos are of one picture */
export function rigsOf(photos: readonly Pick<Photo, 'face'>[]): Rigs | undefined {
  const members = new Map<string, number[]>();
  photos.forEach(({ face }, index) => {
    if (face) members.set(face.pictureId, [...(members.get(face.pictureId) ?? []), index]);
  });
  const rigs = [...members.values()].filter((views) => views.length > 1);
  if (rigs.length === 0) return undefined;
  const rigOf = new Map(rigs.flatMap((views, id) => views.map((view) => [view, id] as const)));
  const views = (photo: number): readonly number[] => rigs[rigOf.get(photo) ?? -1] ?? [photo];
  const cameraFromRig = (photo: number): Float64Array => Float64Array.from(photos[photo]!.face!.faceFromPicture);
  return {
    views,
    place(photo, camera, lensOf) {
      const id = rigOf.get(photo);
      if (id === undefined) return new Map([[photo, camera]]);
      const rigFromCamera = transpose3(cameraFromRig(photo));
      return new Map(
        rigs[id]!.map((view) => {
          const own = cameraFromRig(view);
          const turn = multiply3(own, rigFromCamera);
          const { rotation, translation: t, fixed } = camera;
          const placed: PlacedCamera = {
            lens: lensOf[view]!,
            rotation: view === photo ? rotation : multiply3(turn, rotation),
            translation:
              view === photo
                ? t
                : Float64Array.from([0, 3, 6], (k) => turn[k]! * t[0]! + turn[k + 1]! * t[1]! + turn[k + 2]! * t[2]!),
            fixed,
            rig: { id, cameraFromRig: own },
          };
          return [view, placed];
        }),
      );
    },
  };
}

import type { MaskReference, Photo, PhotoFace } from '../geometry/types.js';
import { scaledProjection } from '../geometry/projection.js';
import { findMasks, maskBeside, readMask, type FindMasksOptions, type Mask } from '../photos/masks.js';
import { pictureFromFace } from '../photos/wide/faces.js';

/** Masks are cut with this long side at most: as fine as they are read (masks.ts). */
const LONGEST = 1600;

export type FacePhoto = Photo & { face: PhotoFace };
export const isFace = <P extends Photo>(photo: P): photo is P & FacePhoto => photo.face !== undefined;

/** What a person masks is the picture, so masks are looked up by its name. @returns pictures by their id, with their mask */
export async function findPictureMasks(
  faces: readonly FacePhoto[],
  folder: string,
  options: FindMasksOptions,
): Promise<{ pictures: Map<string, Photo>; without: string[] }> {
  const byId = new Map(faces.map((face) => [face.face.pictureId, pictureOf(face)]));
  const { masks, without } = await findMasks([...byId.values()], folder, options);
  const pictures = new Map<string, Photo>();
  for (const [id, mask] of masks) pictures.set(id, { ...byId.get(id)!, mask });
  return { pictures, without };
}

/** The picture that a face was cut out of, as far as masks need it. */
function pictureOf({ face, sharpness, size }: FacePhoto): Photo {
  const { width, height } = face.projection;
  return { id: face.pictureId, path: face.path, name: face.picture, width, height, sharpness, size };
}

/** The mask that a face was cut with: what its picture shows of it. */
export const ownMask = (face: Photo): Promise<MaskReference | undefined> => maskBeside(face);

/**
 * The part of a picture's mask that a face shows, together with the mask that the face was cut with.
 *
 * @param picture with the mask
 * @throws UserError 'not-found' when a mask can't be read
 */
export async function cutMask(photo: FacePhoto, picture: Photo): Promise<Mask> {
  const { face } = photo;
  const ratio = Math.min(1, LONGEST / Math.max(photo.width, photo.height));
  const [width, height] = [Math.round(photo.width * ratio), Math.round(photo.height * ratio)];
  // As fine as the face is in the middle.
  const share = Math.min(1, (ratio * face.projection.width) / picture.width);
  const camera = scaledProjection(
    face.projection,
    Math.max(1, Math.round(picture.width * share)),
    Math.max(1, Math.round(picture.height * share)),
  );
  const whole = (await readMask(picture, camera.width, camera.height))!;
  const own = await ownMask(photo);
  const shown = own && (await readMask({ ...photo, mask: own }, width, height));
  const focal = face.focal * (width / photo.width);
  const at = pictureFromFace(camera, { name: '', width, height, focal, faceFromPicture: face.faceFromPicture });
  const keep = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const place = at(x, y);
      if (!place || shown?.keep[y * width + x] === 0) continue;
      // The seam of a 360-degree picture runs through its columns' ends.
      const column = (Math.round(place[0]) + camera.width) % camera.width;
      const row = Math.min(camera.height - 1, Math.max(0, Math.round(place[1])));
      keep[y * width + x] = whole.keep[row * camera.width + column]!;
    }
  }
  return { width, height, keep };
}

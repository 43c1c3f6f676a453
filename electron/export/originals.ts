import { projected } from '../geometry/rays.js';
import { projectRay, type BrownProjection, type FisheyeProjection } from '../geometry/projection.js';
import type { Camera } from '../geometry/types.js';
import { multiply3, rigid, rotationOf } from '../numerics/linear.js';
import type { SeenPoint } from './colmap.js';
import { fileNames } from './names.js';

/** A camera of a picture that is exported as it was taken; `projection` where it is no pinhole with radial terms. */
export interface PictureCamera extends Camera {
  projection?: BrownProjection | FisheyeProjection | undefined;
}

/**
 * The pictures that views were cut from, each once, in place of its views: as its first placed view tells, for all views
 * of a picture agree. Views of 360-degree pictures stay, as neither COLMAP nor nerfstudio has a camera for those.
 *
 * @returns cameras, and per given camera the number of its picture; undefined where nothing was cut
 */
export function pictureCameras(
  cameras: readonly Camera[],
): { cameras: PictureCamera[]; pictureOf: number[] } | undefined {
  const pictures: PictureCamera[] = [];
  const known = new Map<string, number>();
  const pictureOf = cameras.map((camera): number => {
    const picture = pictureOfView(camera);
    const number = known.get(picture.photo);
    if (number !== undefined) return number;
    known.set(picture.photo, pictures.length);
    return pictures.push(picture) - 1;
  });
  if (!pictures.some(({ projection }) => projection)) return undefined;
  // Pictures of two folders may have one name.
  const names = fileNames(pictures.map(({ name }) => name));
  return { cameras: pictures.map((camera, k) => ({ ...camera, name: names[k]! })), pictureOf };
}

function pictureOfView(camera: Camera): PictureCamera {
  const { face, worldFromCamera: M } = camera;
  if (!face || face.projection.kind === 'equirectangular') return camera;
  const { pictureId, picture, projection, faceFromPicture } = face;
  const { width, height, fx, fy, cx, cy } = projection;
  const rotation = multiply3(rotationOf(M), faceFromPicture);
  const worldFromCamera = rigid(rotation, [M[3]!, M[7]!, M[11]!]);
  const intrinsics = { width, height, fx, fy, cx, cy, k1: 0, k2: 0 };
  return { ...camera, ...intrinsics, photo: pictureId, name: picture, worldFromCamera, face: undefined, projection };
}

/** What views see, as their pictures see it: of a point that two views of a picture see, the first sighting. */
export function seenInPictures(
  views: readonly Camera[],
  pictureOf: readonly number[],
  seen: readonly SeenPoint[],
): SeenPoint[] {
  return seen.map((point) => {
    const sightings: SeenPoint['sightings'] = [];
    for (const { camera, x, y } of point.sightings) {
      const picture = pictureOf[camera]!;
      const at = inPicture(views[camera]!, x, y);
      if (at && !sightings.some((other) => other.camera === picture))
        sightings.push({ camera: picture, x: at[0], y: at[1] });
    }
    return { ...point, sightings };
  });
}

/** The pixel of the picture that a view's pixel was cut from. */
function inPicture({ face, fx, fy, cx, cy }: Camera, x: number, y: number): [number, number] | undefined {
  if (!face || face.projection.kind === 'equirectangular') return [x, y];
  const [u, v] = [(x - cx) / fx, (y - cy) / fy];
  const R = face.faceFromPicture;
  const ray = [0, 1, 2].map((k) => R[k]! * u + R[3 + k]! * v + R[6 + k]!) as [number, number, number];
  return projectRay(face.projection, ...ray);
}

/** Pixel of the picture that shows a point of the world; undefined where the lens does not. */
export function projectedInPicture(
  camera: PictureCamera,
  T: Float64Array,
  position: readonly [number, number, number],
): [number, number] | undefined {
  const { projection } = camera;
  if (!projection) return projected(camera, T, position);
  const [x, y, z] = position;
  const ray = [0, 4, 8].map((k) => T[k]! * x + T[k + 1]! * y + T[k + 2]! * z + T[k + 3]!) as [number, number, number];
  return projectRay(projection, ...ray);
}

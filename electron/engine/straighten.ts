import { listed } from '../contract/listed.js';
import type { FisheyeProjection } from '../geometry/projection.js';
import type { SparseModel } from '../geometry/sparse-model.js';
import type { Photo } from '../geometry/types.js';
import type { Project, ProjectPhoto } from '../project/project.js';
import { lensKey } from '../sparse/calibration.js';
import { importFaces, type WidePicture } from './wide.js';

export interface StraightenOptions {
  /** Folder that views are written into. */
  cache: string;
  signal?: AbortSignal | undefined;
  note(message: string): void;
}

/** Disables pictures that no pinhole camera shows, and adds their pinhole views. */
export async function straighten(
  project: Project,
  pictures: readonly WidePicture[],
  { cache, signal, note }: StraightenOptions,
): Promise<void> {
  const known = new Map(project.photos().map((photo) => [photo.id, photo]));
  const faces = await importFaces(pictures, known, cache, { signal, note });
  project.addPhotos(faces.imported);
  project.apply({ kind: 'photos-enabled', photos: pictures.map(({ photo }) => photo.id), enabled: false });
  project.apply({ kind: 'photos-enabled', photos: faces.known, enabled: true });
}

/** Photos that the sparse stage found to be a fisheye's, with what it is. */
export function foundFisheyes(photos: readonly ProjectPhoto[], { cameras, lenses }: SparseModel): WidePicture[] {
  return photos.flatMap((photo, k) => {
    const { fisheye } = lenses[cameras[k]!.lens]!;
    if (!fisheye || photo.face) return [];
    const { width, height } = photo;
    const long = Math.max(width, height);
    const camera: FisheyeProjection = {
      kind: 'fisheye',
      ...{ width, height, fx: fisheye.focal * long, fy: fisheye.focal * long },
      cx: (width - 1) / 2 + fisheye.cx * long,
      cy: (height - 1) / 2 + fisheye.cy * long,
      ...{ k1: fisheye.k1, k2: fisheye.k2, k3: 0, k4: 0 },
    };
    return [{ photo, camera }];
  });
}

/** For the log. */
export function fisheyeNote(found: readonly WidePicture[]): string {
  const { width, height, fx } = found[0]!.camera as FisheyeProjection;
  const degrees = (Math.max(width, height) / fx) * (180 / Math.PI);
  return (
    `${listed(
      found.map(({ photo }) => photo.name),
      3,
    )}: taken with a fisheye, some ${degrees.toFixed(0)} degrees across; ` +
    'they are straightened, and the cameras are found anew'
  );
}

/** Photos that joined others of their lens, which are straightened already: by the same camera. */
export function laterFisheyes(all: readonly ProjectPhoto[]): WidePicture[] {
  const pictures = new Map(all.map((photo) => [photo.id, photo]));
  const cameras = new Map<string, FisheyeProjection>();
  for (const { face } of all) {
    const picture = face && pictures.get(face.pictureId);
    if (picture && isNamed(picture) && face.projection.kind === 'fisheye')
      cameras.set(lensKey(picture), face.projection);
  }
  return all.flatMap((photo) => {
    const camera = photo.enabled && !photo.face && !photo.known && cameras.get(lensKey(photo));
    return camera ? [{ photo, camera }] : [];
  });
}

/** Photos without a camera's name share a lens by nothing but their size. */
const isNamed = ({ camera, frame }: Photo): boolean => camera !== undefined || frame !== undefined;

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Projection } from '../geometry/projection.js';
import type { PhotoId } from '../geometry/types.js';
import { importPhotos, type ImportedPhoto, type ImportResult } from '../photos/import.js';
import { isFace } from './face-masks.js';
import { viewMask } from './masks.js';
import { cutFaces } from '../photos/wide/cut.js';

/** A picture and the camera that took it. */
export interface WidePicture {
  photo: ImportedPhoto['photo'];
  camera: Projection;
}

/**
 * The views that wide pictures are split into, as photos of their own: what is known of a picture (time, place, camera,
 * video) is known of its views.
 *
 * @param known photos of the project by id
 * @param cache folder that the views are written into
 */
export async function importFaces(
  pictures: readonly WidePicture[],
  known: ReadonlyMap<PhotoId, { name: string }>,
  cache: string,
  { signal, note }: { signal?: AbortSignal | undefined; note: (message: string) => void },
): Promise<ImportResult> {
  const all: ImportResult = { imported: [], refused: [], known: [] };
  const names = new Map(known);
  const masks = join(cache, 'masks');
  if (pictures.some(({ photo }) => photo.mask)) await mkdir(masks, { recursive: true });
  for (const { photo, camera } of pictures) {
    const cut = await cutFaces(photo, camera, cache, signal);
    const result = await importPhotos(
      cut.map(({ path }) => path),
      names,
    );
    for (const { photo: view } of result.imported) {
      const { face } = cut.find(({ path }) => path === view.path)!;
      const { camera: model, lens, takenAt, position, orientation, frame } = photo;
      const facts = { camera: model, lens, takenAt, position, orientation, frame };
      Object.assign(view, Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)), {
        face,
      });
      if (photo.mask && isFace(view)) view.mask = await viewMask(masks, view, photo);
      names.set(view.id, view);
    }
    all.imported.push(...result.imported);
    all.known.push(...result.known);
    all.refused.push(...result.refused.filter(({ path }) => !isKnown(path, cut, result)));
    note(`${photo.name} ${described(camera)}: ${views(cut.length)}`);
  }
  return all;
}

/** A view that the project has already is no refusal. */
const isKnown = (path: string, cut: readonly { path: string }[], { known }: ImportResult): boolean =>
  known.length > 0 && cut.some((each) => each.path === path);

const views = (count: number): string =>
  count === 1 ? 'it is straightened into a pinhole view' : `it is split into ${count} pinhole views of one position`;

function described(camera: Projection): string {
  if (camera.kind === 'equirectangular') return 'shows 360 degrees';
  return camera.kind === 'fisheye' ? 'is a fisheye picture' : 'has a lens with several known terms';
}

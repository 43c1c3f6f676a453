import { WorkerPool } from '../compute/pool.js';
import type { MarkerFamily } from '../contract/scene.js';
import type { PhotoId, Scene } from '../geometry/types.js';
import type { Project } from '../project/project.js';
import type { MarkerRequest, PhotoMarker } from '../scene/markers.js';
import { greyPicture } from './scene-points.js';

const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? '../scene/markers-worker.ts' : './markers-worker.js',
  import.meta.url,
);

/** Markers of a family in the photos of a component, read and looked at in threads; photos that are gone have none. */
export async function findMarkers(
  project: Project,
  { cameras }: Pick<Scene, 'cameras'>,
  family: MarkerFamily,
): Promise<Map<PhotoId, PhotoMarker[]>> {
  const photos = new Map(project.photos().map((photo) => [photo.id, photo]));
  const found = new Map<PhotoId, PhotoMarker[]>();
  const pool = new WorkerPool(workerUrl);
  const waiting = [...cameras];
  const work = async (): Promise<void> => {
    for (let camera = waiting.shift(); camera; camera = waiting.shift()) {
      const photo = photos.get(camera.photo);
      const picture = photo && (await greyPicture(photo, Infinity).catch(() => undefined));
      if (!picture) continue;
      const request: MarkerRequest = { family, camera, picture };
      const transfer = [picture.values.buffer as ArrayBuffer];
      found.set(camera.photo, await pool.run<PhotoMarker[]>(request, { transfer }));
    }
  };
  try {
    // As many pictures in memory as threads look at.
    await Promise.all(Array.from({ length: pool.size }, work));
  } finally {
    await pool.close();
  }
  return found;
}

import { invertRigid, rigid } from '../numerics/linear.js';
import type { SparseLook } from '../geometry/sparse-model.js';
import type { Camera, PointCloud } from '../geometry/types.js';
import { pixelLens } from '../pointmaps/sparse-views.js';
import { jpegPixels } from '../photos/thumbnail.js';
import type { Project, ProjectPhoto } from '../project/project.js';
import { cloudExtent, type BuiltScenes } from './scenes.js';

/** Long side of the thumbnails that the points take their colours from. */
const COLOUR_SIDE = 256;

/**
 * The cameras and points of a sparse model, also of one that is still growing, as a first look, one scene per piece; a
 * point has the colour of the photo that saw it first. Shown before any depth is computed, so that a wrong set of photos
 * is seen within a minute.
 */
export async function sparseScenes(model: SparseLook, project: Project, revision: number): Promise<BuiltScenes> {
  const photos = new Map(project.photos().map((photo) => [photo.id, photo]));
  const pieces = new Set(model.cameras.flatMap(({ pose }) => pose?.piece ?? []));
  const colours = await coloursOf(model, project, photos);
  const components = [...pieces]
    .sort((p, q) => p - q)
    .map((piece) => {
      const inPiece = model.cameras.flatMap(({ pose }, k) => (pose?.piece === piece ? [k] : []));
      const cameras = inPiece.flatMap((k) => cameraOf(model, k, photos));
      return {
        scene: { cameras, depthMaps: [], cloud: cloudOf(model, piece, inPiece, colours) },
        pixelsOf: () => new Uint8Array(0),
      };
    });
  return { revision, partial: true, components, extent: cloudExtent(components[0]?.scene.cloud) };
}

function cameraOf(model: SparseLook, k: number, photos: ReadonlyMap<string, ProjectPhoto>): Camera[] {
  const { photo: id, pose, lens } = model.cameras[k]!;
  const photo = photos.get(id);
  if (!photo || !pose) return [];
  const { focal: pixels, k1, k2, cx = 0, cy = 0 } = pixelLens(model.lenses[lens]!, photo);
  return [
    {
      photo: id,
      name: photo.name,
      width: photo.width,
      height: photo.height,
      fx: pixels,
      fy: pixels,
      cx: (photo.width - 1) / 2 + cx,
      cy: (photo.height - 1) / 2 + cy,
      k1,
      ...(k2 && { k2 }),
      focalSource: photo.focal?.source === 'user' ? 'user' : 'calibrated',
      worldFromCamera: invertRigid(rigid(pose.rotation, pose.translation)),
    },
  ];
}

function cloudOf({ points }: SparseLook, piece: number, inPiece: readonly number[], colours: Uint8Array): PointCloud {
  const kept: number[] = [];
  for (let k = 0; k < points.piece.length; k++) if (points.piece[k] === piece) kept.push(k);
  const place = new Map(inPiece.map((camera, index) => [camera, index]));
  return {
    positions: Float32Array.from(
      kept.flatMap((k) => [points.positions[3 * k]!, points.positions[3 * k + 1]!, points.positions[3 * k + 2]!]),
    ),
    colors: Uint8Array.from(kept.flatMap((k) => [colours[3 * k]!, colours[3 * k + 1]!, colours[3 * k + 2]!])),
    confidence: new Float32Array(kept.length).fill(10),
    source: Uint16Array.from(kept, (k) => place.get(points.trackCamera[points.offsets[k]!]!) ?? 0),
  };
}

/** [N, 3] sRGB; thumbnails are decoded one at a time. */
async function coloursOf(
  { cameras, points }: SparseLook,
  project: Project,
  photos: ReadonlyMap<string, ProjectPhoto>,
): Promise<Uint8Array> {
  const colours = new Uint8Array(3 * points.piece.length).fill(128);
  const byCamera = new Map<number, number[]>();
  for (let k = 0; k < points.piece.length; k++) {
    const first = points.offsets[k]!;
    if (first === points.offsets[k + 1]) continue;
    const camera = points.trackCamera[first]!;
    const seen = byCamera.get(camera);
    if (seen) seen.push(k);
    else byCamera.set(camera, [k]);
  }
  for (const [camera, seen] of byCamera) {
    const photo = photos.get(cameras[camera]!.photo);
    const thumbnail = photo && project.thumbnail(photo.id);
    if (!thumbnail) continue;
    const { pixels, width, height } = await jpegPixels(thumbnail, COLOUR_SIDE);
    const long = Math.max(width, height);
    for (const k of seen) {
      const at = 2 * points.offsets[k]!;
      const x = Math.round(points.trackAt[at]! * long + (width - 1) / 2);
      const y = Math.round(points.trackAt[at + 1]! * long + (height - 1) / 2);
      const pixel = 3 * (Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x)));
      colours.set(pixels.subarray(pixel, pixel + 3), 3 * k);
    }
  }
  return colours;
}

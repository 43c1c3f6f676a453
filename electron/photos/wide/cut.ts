import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import sharp from 'sharp';
import { WorkerPool } from '../../compute/pool.js';
import { scaledProjection, type Projection } from '../../geometry/projection.js';
import type { Photo, PhotoFace } from '../../geometry/types.js';
import { readWhole } from '../reader.js';
import { facesOf, type FaceView } from './faces.js';
import type { FacePicture, FaceRequest } from './resample.js';

/** A face that lies in the cache as a picture of its own. */
export interface CutFace {
  path: string;
  face: PhotoFace;
}

const QUALITY = 95;

/**
 * Splits a wide picture into pinhole views and writes them into `cache` once, at full size, each with a mask beside it
 * where the picture shows only some of it. Asked again for the same picture and camera, it finds them there.
 *
 * @param camera of the picture at any size
 * @throws UserError 'not-found' when the picture can't be read; the signal's reason
 */
export async function cutFaces(
  photo: Photo,
  camera: Projection,
  cache: string,
  signal?: AbortSignal,
): Promise<CutFace[]> {
  const own = scaledProjection(camera, photo.width, photo.height);
  const folder = join(cache, photo.id.slice(0, 16));
  const stem = photo.name.slice(0, photo.name.length - extname(photo.name).length);
  const cut = facesOf(own).map((view) => ({
    view,
    path: join(folder, `${stem}.${view.name}${tag(own)}.jpg`),
    face: faceOf(photo, own, view),
  }));
  const missing = cut.filter(({ path }) => !existsSync(path));
  if (missing.length > 0) await writeFaces(photo, own, missing, folder, signal);
  return cut.map(({ path, face }) => ({ path, face }));
}

/** Another calibration of a picture makes other faces: they do not take each other's files. */
function tag(camera: Projection): string {
  if (camera.kind === 'equirectangular') return '';
  let hash = 0;
  for (const letter of JSON.stringify(camera)) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
  return `-${(hash >>> 0).toString(36)}`;
}

const faceOf = (photo: Photo, projection: Projection, { focal, faceFromPicture }: FaceView): PhotoFace => ({
  picture: photo.name,
  path: photo.path,
  pictureId: photo.id,
  projection,
  focal,
  faceFromPicture,
});

async function writeFaces(
  photo: Photo,
  camera: Projection,
  faces: readonly { view: FaceView; path: string }[],
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const whole = await readWhole(photo, 8);
  // Shared, so that no thread gets a copy of its own.
  const pixels = new Uint8Array(new SharedArrayBuffer(whole.pixels.length));
  pixels.set(whole.pixels as Uint8Array);
  const url = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './wide-worker.js', import.meta.url);
  const pool = new WorkerPool(url, Math.min(faces.length, 2));
  try {
    await Promise.all(
      faces.map(async ({ view, path }) => {
        const request: FaceRequest = { camera, face: view, pixels };
        const { pixels: data, shown } = await pool.run<FacePicture>(request, { signal });
        const { width, height } = view;
        // The mask first: a face is there when its picture is.
        if (shown) {
          const mask = sharp(shown, { raw: { width, height, channels: 1 } });
          await writeWhole(`${path}.png`, await mask.png().toBuffer());
        }
        const picture = sharp(data, { raw: { width, height, channels: 3 } });
        await writeWhole(path, await picture.jpeg({ quality: QUALITY, chromaSubsampling: '4:4:4' }).toBuffer());
      }),
    );
  } finally {
    await pool.close();
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const partial = `${path}.partial-${process.pid}`;
  try {
    await writeFile(partial, bytes);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}

import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { readRegular } from '../../compute/regular-file.js';
import { UserError } from '../../contract/errors.js';
import { reasonOf } from '../discover.js';
import { readBundler } from './bundler.js';
import { readColmapBinary, readColmapText } from './colmap.js';
import { readPositions } from './csv.js';
import { readJsonCameras } from './json.js';
import { readMetashape } from './metashape.js';
import type { KnownCamera, KnownCameraFile } from './types.js';

export { projectionOf, type KnownCamera, type KnownCameraFile, type KnownIntrinsics } from './types.js';

/**
 * Cameras that another program, or an earlier run, knows: our cameras.json, nerfstudio's transforms.json, a COLMAP model
 * (its folder, text or binary), Metashape's XML, Bundler's bundle.out with its list, or a table of positions.
 *
 * @throws UserError 'not-found' when there is no such file, 'bad-input' when it is none of these or damaged
 */
export async function readKnownCameras(given: string): Promise<KnownCameraFile> {
  const path = resolve(given);
  const unreadable = (reason: string): UserError =>
    new UserError('not-found', `the file of known cameras can't be read: ${reason}: ${path}`);
  const entry = await stat(path).catch((error: unknown) => {
    throw unreadable(reasonOf(error));
  });
  if (!entry.isDirectory() && !entry.isFile()) throw unreadable('this is not a regular file');
  let file: KnownCameraFile | undefined;
  try {
    file = entry.isDirectory() ? await readModelFolder(path) : await readFileOf(path);
  } catch (error) {
    throw new UserError('bad-input', `the known cameras are damaged or cut off; write the file anew: ${path}`, {
      cause: error,
    });
  }
  if (!file) {
    const forms = 'cameras.json, transforms.json, a COLMAP model, Metashape XML, bundle.out or a CSV of positions';
    throw new UserError('bad-input', `these are no cameras in a form that can be read (${forms}): ${path}`);
  }
  if (file.cameras.length === 0) throw new UserError('bad-input', `the file names no camera: ${path}`);
  return file;
}

async function readFileOf(path: string): Promise<KnownCameraFile | undefined> {
  const name = basename(path).toLowerCase();
  if (/^(cameras|images)\.(bin|txt)$/.test(name)) return readModelFolder(dirname(path));
  const text = (await readRegular(path)).toString('utf8');
  if (name.endsWith('.json')) return readJsonCameras(text);
  if (name.endsWith('.xml')) return readMetashape(text);
  const bundler = readBundler(text, await listBeside(path));
  return bundler ?? readPositions(text) ?? readJsonCameras(text);
}

/** The names of bundle.out's cameras: list.txt beside it, or the file's own name with .list.txt. */
async function listBeside(path: string): Promise<string[]> {
  for (const name of [`${basename(path)}.list.txt`, `${basename(path, extname(path))}.list.txt`, 'list.txt']) {
    const bytes = await readRegular(join(dirname(path), name)).catch(() => undefined);
    if (bytes)
      return bytes
        .toString('utf8')
        .split(/\r?\n/)
        .flatMap((line) => line.trim().split(/\s+/)[0] || []);
  }
  return [];
}

/** A COLMAP model lies in the folder itself, or in its sparse/0. */
async function readModelFolder(folder: string): Promise<KnownCameraFile | undefined> {
  for (const place of [folder, join(folder, 'sparse', '0'), join(folder, 'sparse'), join(folder, '0')]) {
    const read = (name: string) => readRegular(join(place, name)).catch(() => undefined);
    const [camerasBin, imagesBin] = [await read('cameras.bin'), await read('images.bin')];
    if (camerasBin && imagesBin) return readColmapBinary(camerasBin, imagesBin);
    const [camerasText, imagesText] = [await read('cameras.txt'), await read('images.txt')];
    if (camerasText && imagesText) return readColmapText(camerasText.toString('utf8'), imagesText.toString('utf8'));
  }
  return undefined;
}

/**
 * Matches cameras to photos by file name; folders and, where nothing else fits, endings and spaces are passed over.
 *
 * @returns by photo index, and the names that belong to no photo
 */
export function matchCameras(
  cameras: readonly KnownCamera[],
  names: readonly string[],
): { byPhoto: Map<number, KnownCamera>; unmatched: string[] } {
  const last = (name: string): string => name.split(/[\\/]/).pop()!.toLowerCase();
  const stem = (name: string): string => last(name).replace(/\.[^.]*$/, '');
  const underlined = (name: string): string => name.replace(/\s/g, '_');
  const byPhoto = new Map<number, KnownCamera>();
  const unmatched: string[] = [];
  for (const camera of cameras) {
    const [whole, own] = [last(camera.name), stem(camera.name)];
    const ways: ((name: string) => boolean)[] = [
      (name) => last(name) === whole,
      (name) => stem(name) === own,
      // As our own exports name them: without spaces, JPEGs of what is none with another ending.
      (name) => underlined(last(name)) === underlined(whole),
      (name) => underlined(last(name)) === underlined(own),
    ];
    const index = ways.reduce((found, way) => (found < 0 ? names.findIndex(way) : found), -1);
    if (index < 0 || byPhoto.has(index)) unmatched.push(camera.name);
    else byPhoto.set(index, camera);
  }
  return { byPhoto, unmatched };
}

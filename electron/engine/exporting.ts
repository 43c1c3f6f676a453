import { existsSync } from 'node:fs';
import { basename, dirname, extname, posix, resolve } from 'node:path';
import sharp from 'sharp';
import { exportFormats } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { formatById, formats } from '../export/formats.js';
import type { TrackSource } from '../export/tracks.js';
import type { ExportFile, ExportFormat } from '../export/types.js';
import { writeFiles } from '../export/write-files.js';
import type { Photo, Scene } from '../geometry/types.js';
import { readUpright } from '../photos/reader.js';
import { pixelKept } from '../scene/cleaning.js';
import { viewFromOriginal } from '../scene/points.js';
import { insideRegion } from '../scene/region.js';
import { previewPicture } from '../scene/preview.js';
import { layerPreview } from './mesh-layer.js';
import type { Workspace } from './workspace.js';

export type FormatId = (typeof exportFormats)[number];
export interface WrittenFile {
  path: string;
  bytes: number;
}

/**
 * The scene as it leaves the studio, with the tracks of the sparse model: formats find the points of tracks anew from
 * their sightings (export/tracks.ts), so that the frame of the model does not matter.
 */
export function exportedScene(workspace: Workspace): Scene {
  const scene = workspace.exported();
  const sparse = workspace.scenes?.components[0]?.scene.sparse;
  if (!sparse) return scene;
  const tracks: typeof sparse & TrackSource = { ...sparse, keeps: trackKeeper(workspace) };
  return { ...scene, sparse: tracks };
}

/** Points of tracks were never cropped nor deleted: they lay outside the box in models for splatting. */
function trackKeeper(workspace: Workspace): NonNullable<TrackSource['keeps']> {
  const component = workspace.scenes!.components[0]!.scene;
  const { region } = workspace.project.scene();
  const cleaning = workspace.scene.cleaning(workspace.alignment!.key, component);
  const maps = new Map(component.depthMaps.map((map) => [map.photo, map]));
  return (position, sightings) =>
    insideRegion(region, position) &&
    sightings.every(({ photo, x, y }) => {
      const map = maps.get(photo);
      if (!map) return true;
      const [u, v] = viewFromOriginal(map.originalFromView, x, y).map(Math.round) as [number, number];
      const isInside = u >= 0 && v >= 0 && u < map.width && v < map.height;
      return !isInside || pixelKept(cleaning, photo, v * map.width + u);
    });
}

/** @throws UserError 'usage' for a format that does not exist, 'unwritable', 'disk-full' */
export async function writeExports(
  workspace: Workspace,
  folder: string,
  ids: readonly string[],
  extra: readonly ExportFile[] = [],
): Promise<WrittenFile[]> {
  const scene = exportedScene(workspace);
  const files = ids.flatMap((id) => filesOf(format(id), workspace, scene, 'scene'));
  // Both COLMAP formats carry the same photos.
  const once = new Map([...files, ...extra].map((file) => [file.name, file]));
  return writeFiles(folder, [...once.values()]);
}

/** One file, its format told by its ending; a name without ending means a COLMAP model in a folder of that name. */
export async function writeSingle(workspace: Workspace, path: string): Promise<WrittenFile[]> {
  const scene = exportedScene(workspace);
  const ending = extname(path).slice(1).toLowerCase();
  const name = basename(path);
  const byName =
    name === 'transforms.json' ? formatById('nerfstudio') : name.endsWith('.json') ? formatById('cameras') : undefined;
  const chosen = ending === '' ? formatById('colmap-bin') : (byName ?? formats.find((each) => each.ending === ending));
  if (!chosen)
    throw new UserError(
      'usage',
      `no format has the ending .${ending}; use ${formats.flatMap((each) => (each.ending ? [`.${each.ending}`] : [])).join(', ')}, or a folder name for COLMAP: ${path}`,
    );
  const files = filesOf(chosen, workspace, scene, ending === '' ? 'scene' : basename(path, extname(path)));
  // A format's own folder is the one that was named.
  const own = files.map((file) => ({ ...file, name: posix.relative(posix.dirname(files[0]!.name), file.name) }));
  if (ending === '') return writeFiles(path, own);
  return writeFiles(dirname(path), [{ ...own[0]!, name }, ...own.slice(1)]);
}

/** Files made elsewhere, for example of the mesh layer. @throws UserError 'unwritable', 'disk-full' */
export async function writeAll(folder: string, files: readonly ExportFile[]): Promise<WrittenFile[]> {
  return writeFiles(folder, files);
}

/** What a format writes, and the photos that it points at, which are only read as their turn comes. */
function filesOf(chosen: ExportFormat, workspace: Workspace, scene: Scene, baseName: string): ExportFile[] {
  const files = chosen.write(scene, { baseName });
  if (!chosen.photoFiles) return files;
  const photos = photosById(workspace);
  const pictures = chosen.photoFiles(scene.cameras).flatMap(({ photo: id, name }): { photo: Photo; name: string }[] => {
    const photo = photos.get(id);
    return photo ? [{ photo, name }] : [];
  });
  refuseGonePhotos(
    pictures.map(({ photo }) => photo),
    chosen.id,
  );
  return [
    ...files,
    ...pictures.map(({ photo, name }) => ({
      name,
      chunks: late(() => readUpright(photo, posix.extname(name).slice(1))),
    })),
  ];
}

/** By id: the project's photos, and the pictures that its views were cut from. */
export function photosById(workspace: Workspace): Map<string, Photo> {
  const photos = new Map<string, Photo>();
  for (const photo of workspace.project.photos()) {
    photos.set(photo.id, photo);
    const { face } = photo;
    if (!face || photos.has(face.pictureId)) continue;
    const { width, height } = face.projection;
    const picture = { id: face.pictureId, path: face.path, name: face.picture, width, height };
    photos.set(picture.id, { ...photo, ...picture, face: undefined, mask: undefined });
  }
  return photos;
}

/** Told before anything is written, for all photos at once. @throws UserError 'not-found' */
export function refuseGonePhotos(photos: readonly Photo[], purpose: string): void {
  const gone = photos.filter(({ path }) => !existsSync(path));
  if (!gone[0]) return;
  const which = gone.length === 1 ? gone[0].name : `${gone[0].name} and ${gone.length - 1} more photos`;
  throw new UserError(
    'not-found',
    `${which} can't be found for the ${purpose} export; put back or relocate what was moved, or leave this export out: ${gone[0].path}`,
  );
}

async function* late(bytes: () => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await bytes();
}

export function estimateBytes(workspace: Workspace, ids: readonly string[]): number {
  const scene = workspace.scenes?.components[0]?.scene;
  if (!scene) return 0;
  const sizes = new Map(workspace.project.photos().map(({ id, size }) => [id, size]));
  const chosen = ids.map(format);
  const photos = new Map(
    chosen.flatMap((each) =>
      (each.photoFiles?.(scene.cameras) ?? []).map(({ photo, name }) => [name, sizes.get(photo) ?? 0] as const),
    ),
  );
  return Math.round(
    [...chosen.map((each) => each.estimateBytes(scene)), ...photos.values()].reduce((sum, bytes) => sum + bytes, 0),
  );
}

/** How the command line is called: by its launcher where the studio is installed, from its checkout elsewhere. */
export const PROGRAM = import.meta.url.includes('app.asar') ? 'pointmap' : 'npm run -s pointmap --';

/** The command line that would write the same. @param folder where to; without one it is to be filled in */
export function exportCommand(workspace: Workspace, ids: readonly string[], folder = ''): string {
  return [PROGRAM, 'export', quoted(workspace.path), '--out', outWord(folder), '--formats', ids.join(',')].join(' ');
}

export const outWord = (folder: string): string => (folder === '' ? 'OUT' : quoted(resolve(folder)));

/** As a shell takes it for one word. */
export const quoted = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll(`'`, `'\\''`)}'`);

/** The mesh, or the cloud where there is none, from two sides. */
export async function previewFile(workspace: Workspace): Promise<ExportFile> {
  const { width, height, pixels } = (await layerPreview(workspace)) ?? previewPicture(workspace.exported());
  return {
    name: 'preview.png',
    chunks: [
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
    ],
  };
}

export function parseFormats(list: string): FormatId[] {
  return list
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '')
    .map((id) => format(id).id as FormatId);
}

function format(id: string): (typeof formats)[number] {
  const found = formatById(id);
  if (!found)
    throw new UserError('usage', `there is no export format '${id}'; use ${formats.map((each) => each.id).join(', ')}`);
  return found;
}

import { basename, dirname, extname } from 'node:path';
import sharp from 'sharp';
import { exportFormats } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { formatById, formats } from '../export/formats.js';
import type { ExportFile } from '../export/types.js';
import { writeFiles } from '../export/write-files.js';
import type { Scene } from '../geometry/types.js';
import { previewPicture } from '../scene/preview.js';
import type { Workspace } from './workspace.js';

export type FormatId = (typeof exportFormats)[number];
export interface WrittenFile {
  path: string;
  bytes: number;
}

/** The largest component: what is exported. The others are named in the report. */
function mainScene(workspace: Workspace): Scene {
  const scene = workspace.scenes?.components[0]?.scene;
  if (!scene) throw new UserError('nothing-to-do', 'there is nothing to export yet; reconstruct first');
  return scene;
}

/** @throws UserError 'usage' for a format that does not exist, 'unwritable', 'disk-full' */
export async function writeExports(workspace: Workspace, folder: string, ids: readonly string[], extra: readonly ExportFile[] = []): Promise<WrittenFile[]> {
  const scene = mainScene(workspace);
  const files = ids.flatMap((id) => format(id).write(scene, { baseName: 'scene' }));
  return writeFiles(folder, [...files, ...extra]);
}

/** One file, its format told by its ending; a name without ending means a COLMAP model in a folder of that name. */
export async function writeSingle(workspace: Workspace, path: string): Promise<WrittenFile[]> {
  const scene = mainScene(workspace);
  const ending = extname(path).slice(1).toLowerCase();
  const name = basename(path);
  const byName = name === 'transforms.json' ? formatById('nerfstudio') : name.endsWith('.json') ? formatById('cameras') : undefined;
  const chosen = ending === '' ? formatById('colmap-bin') : (byName ?? formats.find((each) => each.ending === ending));
  if (!chosen) throw new UserError('usage', `no format has the ending .${ending}; use ${formats.flatMap((each) => (each.ending ? [`.${each.ending}`] : [])).join(', ')}, or a folder name for COLMAP: ${path}`);
  if (ending === '') return writeFiles(path, chosen.write(scene, { baseName: 'scene' }));
  const [main, ...others] = chosen.write(scene, { baseName: basename(path, extname(path)) });
  return writeFiles(dirname(path), [{ ...main!, name }, ...others]);
}

export function estimateBytes(workspace: Workspace, ids: readonly string[]): number {
  const scene = workspace.scenes?.components[0]?.scene;
  return scene ? Math.round(ids.reduce((sum, id) => sum + format(id).estimateBytes(scene), 0)) : 0;
}

/** The command line that would write the same. */
export function exportCommand(workspace: Workspace, ids: readonly string[]): string {
  const quote = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll(`'`, `'\\''`)}'`);
  return `pointmap export ${quote(workspace.path)} --out OUT --formats ${ids.join(',')}`;
}

/** The cloud from two sides. */
export async function previewFile(workspace: Workspace): Promise<ExportFile> {
  const { width, height, pixels } = previewPicture(mainScene(workspace));
  return { name: 'preview.png', chunks: [await sharp(pixels, { raw: { width, height, channels: 3 } }).png().toBuffer()] };
}

export function parseFormats(list: string): FormatId[] {
  return list.split(',').map((id) => id.trim()).filter((id) => id !== '').map((id) => format(id).id as FormatId);
}

function format(id: string): (typeof formats)[number] {
  const found = formatById(id);
  if (!found) throw new UserError('usage', `there is no export format '${id}'; use ${formats.map((each) => each.id).join(', ')}`);
  return found;
}

import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { isMaskBeside } from './mask-names.js';
import { listed } from '../contract/listed.js';
import { photoEndings, strangerEndings, videoEndings } from '../contract/photo-endings.js';

export interface Refusal {
  path: string;
  /** What is wrong and what to do, without the path. */
  reason: string;
}

export const isVideo = (path: string): boolean => videoEndings.includes(extname(path).toLowerCase());

/** Videos among the given paths, and those in a given folder that holds no photos. */
export async function discoverVideos(paths: readonly string[]): Promise<{ videos: string[]; others: string[] }> {
  const videos: string[] = [];
  const others: string[] = [];
  for (const given of paths) {
    const path = resolve(given);
    const names = await readdir(path).catch(() => undefined);
    const inside = (names ?? []).filter((name) => !name.startsWith('.'));
    const isPhoto = (name: string): boolean => photoEndings.includes(extname(name).toLowerCase());
    if (names === undefined && isVideo(path)) videos.push(path);
    else if (names !== undefined && !inside.some(isPhoto) && inside.some(isVideo))
      videos.push(
        ...inside
          .filter(isVideo)
          .sort()
          .map((name) => join(path, name)),
      );
    else others.push(given);
  }
  return { videos: [...new Set(videos)], others };
}

/**
 * The photo files that a list of files and folders stands for: a file is taken as it is, a folder gives the files in it
 * with a photo's ending, in the order of their names (numbers by value), not those of folders within it.
 *
 * @returns absolute paths, each once, and what could not be read
 */
export async function discover(paths: readonly string[]): Promise<{ files: string[]; refused: Refusal[] }> {
  const files: string[] = [];
  const refused: Refusal[] = [];
  for (const given of paths) {
    const path = resolve(given);
    try {
      if (!(await stat(path)).isDirectory()) {
        files.push(path);
        continue;
      }
      const entries = (await readdir(path, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
      const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
      const photos = photosAmong(names);
      if (photos.length === 0) refused.push({ path, reason: await emptiness(path, entries) });
      refused.push(...passedOver(names).map((reason) => ({ path, reason })));
      files.push(...photos.map((name) => join(path, name)));
    } catch (error) {
      refused.push({ path, reason: reasonOf(error) });
    }
  }
  return { files: [...new Set(files)], refused };
}

const endsWith = (endings: readonly string[]) => (name: string) => endings.includes(extname(name).toLowerCase());

/** Names of photos, without masks that lie beside them, in order. */
function photosAmong(names: readonly string[]): string[] {
  const photos = names.filter(endsWith(photoEndings)).sort(new Intl.Collator('en', { numeric: true }).compare);
  const photoNames = new Set(photos);
  return photos.filter((name) => !isMaskBeside(name, photoNames));
}

/** What people take for photos in a folder and is not read: a line for each kind. */
function passedOver(names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const [target, endings] of Object.entries(strangerEndings)) {
    const some = names.filter(endsWith(endings));
    if (some.length > 0) lines.push(`${listed(some, 3)}: not a format that is read; convert to ${target}`);
  }
  const videos = names.filter(endsWith(videoEndings));
  // A folder of videos alone is read for their frames (discoverVideos).
  if (videos.length > 0 && names.some(endsWith(photoEndings)))
    lines.push(`${listed(videos, 3)}: videos beside photos; name them to have their frames used`);
  return lines;
}

/** Why a folder gave no photo. */
async function emptiness(path: string, entries: readonly Dirent[]): Promise<string> {
  const inside: string[] = [];
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const names = await readdir(join(path, name)).catch(() => []);
    if (photosAmong(names).length > 0) inside.push(name);
  }
  if (inside.length > 0) return `no photos in this folder itself; add those within it: ${listed(inside, 5)}`;
  return 'no photos in this folder; JPEG, PNG, WebP, TIFF, AVIF, HEIC, GIF and BMP files are read, and RAW';
}

/** A file system error in plain words. */
export function reasonOf(error: unknown): string {
  const { code, path } = error as NodeJS.ErrnoException;
  // Bytes that are no text stand as this character, and under that name there is nothing.
  if (code === 'ENOENT' && path?.includes('\uFFFD')) return 'its name holds bytes that are no text (UTF-8); rename it';
  if (code === 'ELOOP') return 'this link leads to itself; remove it';
  if (code === 'ENAMETOOLONG') return 'this path is too long; move it to a folder with a shorter name';
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EISDIR') return 'this is a folder';
  if (code === 'EACCES' || code === 'EPERM') return 'reading it is not permitted';
  return error instanceof Error ? error.message : String(error);
}

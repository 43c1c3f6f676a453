import { readdir, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { isMaskBeside } from './mask-names.js';
import { photoEndings, videoEndings } from '../contract/photo-endings.js';

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
      const names = (await readdir(path, { withFileTypes: true }))
        .filter(
          (entry) =>
            !entry.isDirectory() &&
            !entry.name.startsWith('.') &&
            photoEndings.includes(extname(entry.name).toLowerCase()),
        )
        .map((entry) => entry.name)
        .sort(new Intl.Collator('en', { numeric: true }).compare);
      const photoNames = new Set(names);
      const photos = names.filter((name) => !isMaskBeside(name, photoNames));
      if (photos.length === 0)
        refused.push({ path, reason: 'no photos in this folder; JPEG, PNG, WebP, TIFF, AVIF and HEIC files are read' });
      files.push(...photos.map((name) => join(path, name)));
    } catch (error) {
      refused.push({ path, reason: reasonOf(error) });
    }
  }
  return { files: [...new Set(files)], refused };
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

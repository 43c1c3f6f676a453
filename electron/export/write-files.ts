import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { partialPath, removeAbandoned } from '../compute/partial-file.js';
import { UserError } from '../contract/errors.js';
import { fileKey } from '../contract/file-names.js';
import type { ExportFile } from './types.js';

/**
 * Writes files into a folder: each under a temporary name first, renamed when whole, so that a full disk or a cancel
 * leaves no half file and keeps what was there before.
 *
 * @returns paths and sizes, in order
 * @throws UserError ('unwritable', 'disk-full'), or the signal's reason
 */
export async function writeFiles(
  folder: string,
  files: readonly ExportFile[],
  signal?: AbortSignal,
): Promise<{ path: string; bytes: number }[]> {
  const written: { path: string; bytes: number }[] = [];
  checkNames(files);
  for (const { name, chunks } of files) {
    const path = join(folder, name);
    const partial = partialPath(path);
    try {
      await mkdir(dirname(path), { recursive: true });
      removeAbandoned(dirname(path));
      const file = await open(partial, 'w');
      let bytes = 0;
      try {
        for await (const chunk of chunks) {
          signal?.throwIfAborted();
          await file.writeFile(chunk);
          bytes += chunk.byteLength;
        }
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(partial, path);
      written.push({ path, bytes });
    } catch (error) {
      await rm(partial, { force: true }).catch(() => undefined);
      throw fileError(error, path);
    }
  }
  return written;
}

/**
 * The last gate before the disk, whatever a format made its names of: each inside the folder, and none twice on a
 * system that does not tell upper from lower case.
 *
 * @throws UserError 'bad-input'
 */
export function checkNames(files: readonly Pick<ExportFile, 'name'>[]): void {
  const taken = new Set<string>();
  for (const { name } of files) {
    const parts = name.split('/');
    // eslint-disable-next-line no-control-regex
    if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\\\u0000]|^[a-z]:/i.test(part)))
      throw new UserError(
        'bad-input',
        `this export would write outside its folder, so nothing was written; rename the photo: ${name}`,
      );
    if (taken.has(fileKey(name)))
      throw new UserError(
        'bad-input',
        `two files of this export would have one name, so nothing was written; rename one of the photos: ${name}`,
      );
    taken.add(fileKey(name));
  }
}

/** What went wrong with a file, for people; errors that are not the file system's pass as they are. */
export function fileError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new UserError(
        'disk-full',
        `the disk is full, so the file was not written; make room and export again: ${path}`,
        { cause: error },
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new UserError(
        'unwritable',
        `this folder may not be written to (${code}); choose another or change its permissions: ${path}`,
        { cause: error },
      );
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
      return new UserError(
        'unwritable',
        `a file stands where a folder is needed, or the reverse (${code}); choose another place: ${path}`,
        { cause: error },
      );
    default:
      return error;
  }
}

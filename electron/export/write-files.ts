import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { partialPath, removeAbandoned } from '../compute/partial-file.js';
import { UserError } from '../contract/errors.js';
import { fileKey } from '../contract/file-names.js';
import type { ExportFile } from './types.js';

export interface WriteOptions {
  signal?: AbortSignal | undefined;
  /** After each file, and before the first. */
  onProgress?: ((progress: WriteProgress) => void) | undefined;
}

export interface WriteProgress {
  done: number;
  total: number;
  /** The file that is being written, relative to the folder; undefined at the end. */
  file?: string | undefined;
}

/**
 * Writes files into a folder, all or none: each under a temporary name first, all renamed when the last is whole, so
 * that a full disk, a photo that is gone or a cancel leaves no half export and keeps what was there before.
 *
 * @returns paths and sizes, in order
 * @throws UserError ('unwritable', 'disk-full'), or the signal's reason
 */
export async function writeFiles(
  folder: string,
  files: readonly ExportFile[],
  { signal, onProgress }: WriteOptions = {},
): Promise<{ path: string; bytes: number }[]> {
  checkNames(files);
  const partials: { path: string; partial: string; bytes: number }[] = [];
  const folders: string[] = [];
  let path = folder;
  try {
    for (const [k, { name, chunks }] of files.entries()) {
      onProgress?.({ done: k, total: files.length, file: name });
      signal?.throwIfAborted();
      path = join(folder, name);
      const made = await mkdir(dirname(path), { recursive: true });
      if (made !== undefined) folders.push(made);
      removeAbandoned(dirname(path));
      const partial = partialPath(path);
      partials.push({ path, partial, bytes: 0 });
      partials.at(-1)!.bytes = await writeChunks(partial, chunks, signal);
    }
    for (const file of partials) {
      path = file.path;
      await rename(file.partial, file.path);
    }
  } catch (error) {
    for (const { partial } of partials) await rm(partial, { force: true }).catch(() => undefined);
    // Only folders of our own that hold nothing; `rmdir` refuses any other.
    for (const made of folders.reverse()) await removeEmpty(made);
    throw fileError(error, path);
  }
  onProgress?.({ done: files.length, total: files.length });
  return partials.map((file) => ({ path: file.path, bytes: file.bytes }));
}

async function writeChunks(path: string, chunks: ExportFile['chunks'], signal?: AbortSignal): Promise<number> {
  const file = await open(path, 'w');
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
  return bytes;
}

/** A folder that holds nothing but such folders goes; any other stays. */
async function removeEmpty(folder: string): Promise<void> {
  const inside = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of inside) if (entry.isDirectory()) await removeEmpty(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined);
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
    case 'ENAMETOOLONG':
      return new UserError(
        'unwritable',
        `this path is too long for the disk; choose a folder with a shorter name: ${path}`,
        { cause: error },
      );
    default:
      return error;
  }
}

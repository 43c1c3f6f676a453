import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Result } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { isInput } from '../contract/photo-endings.js';
import { smallJpeg } from './recent.js';

type Entry = Result<'files.list'>['entries'][number];

/**
 * What a person may choose from a folder, or from that of a file: folders first, then projects and photos, hidden ones
 * left out.
 * @throws UserError 'not-found' when it can't be read
 */
export function listFiles(path = '~', all = false): Result<'files.list'> {
  const asked = resolve(path.replace(/^~(?=$|[/\\])/, homedir()));
  const isFile = entry(dirname(asked), basename(asked), true).some(({ kind }) => kind !== 'folder');
  const folder = isFile ? dirname(asked) : asked;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new UserError('not-found', `${reasonOf(error)}; choose another: ${folder}`);
  }
  const entries = names.filter((name) => !name.startsWith('.')).flatMap((name) => entry(folder, name, all));
  const rank = { folder: 0, project: 1, photo: 2, file: 3 };
  entries.sort((a, b) => rank[a.kind] - rank[b.kind] || a.name.localeCompare(b.name, undefined, { numeric: true }));
  const parent = dirname(folder);
  return {
    path: folder,
    ...(isFile ? { file: asked } : {}),
    ...(parent === folder ? {} : { parent }),
    places: places(),
    entries,
  };
}

/** In words: the codes of the operating system say nothing to most people. */
function reasonOf(error: unknown): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such folder',
    ENOTDIR: 'there is no such folder',
    EACCES: 'this folder may not be read',
    EPERM: 'this folder may not be read',
    EEXIST: 'there is something of that name already',
    EROFS: 'this disk can only be read',
    ENOSPC: 'the disk is full',
  };
  return reasons[(error as NodeJS.ErrnoException).code ?? ''] ?? "this folder can't be used";
}

/** The folders that a person keeps photos and projects in, as far as there are any. */
function places(): Result<'files.list'>['places'] {
  const home = homedir();
  const known = ['Pictures', 'Documents', 'Desktop', 'Downloads'].map((name) => ({ name, path: join(home, name) }));
  return [{ name: 'Home', path: home }, ...known].filter(({ path }) => existsSync(path));
}

/**
 * A new folder beside what is shown.
 * @throws UserError 'usage' for a name that is no name, 'bad-input' when it can't be made
 */
export function makeFolder(parent: string, name: string): { path: string } {
  if (name.trim() === '' || /[/\\\0]/.test(name) || name === '.' || name === '..')
    throw new UserError('usage', `a folder can't be called '${name}'; give it a name without slashes`);
  const path = join(resolve(parent), name.trim());
  try {
    mkdirSync(path);
  } catch (error) {
    throw new UserError('bad-input', `${reasonOf(error)}; choose another name or folder: ${path}`);
  }
  return { path };
}

/** A small JPEG of a photo that may be chosen; undefined for what is none, or needs a decoder that takes its time. */
export async function filePicture(path: string): Promise<Uint8Array | undefined> {
  // A pipe called .jpg would never end; a name that is no path has no entry.
  const isPhoto = kindOf(path.toLowerCase()) === 'photo' && entry(dirname(path), basename(path), true).length > 0;
  return isPhoto && statSync(path).isFile() ? smallJpeg(path) : undefined;
}

function kindOf(name: string): Entry['kind'] {
  if (name.endsWith('.pointmap')) return 'project';
  return isInput(name) ? 'photo' : 'file';
}

function entry(folder: string, name: string, all: boolean): Entry[] {
  const path = join(folder, name);
  try {
    const found = statSync(path);
    const kind = found.isDirectory() ? 'folder' : kindOf(name.toLowerCase());
    return kind !== 'file' || all ? [{ name, path, kind, bytes: found.isDirectory() ? 0 : found.size }] : [];
  } catch {
    // A broken link, or a file that is not ours to see: nothing to choose.
    return [];
  }
}

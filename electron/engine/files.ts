import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Result } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { photoEndings } from '../contract/photo-endings.js';

type Entry = Result<'files.list'>['entries'][number];

/**
 * What a person may choose from a folder: folders first, then projects and photos, hidden ones left out.
 * @throws UserError 'not-found' when it is no folder or can't be read
 */
export function listFiles(path = homedir()): Result<'files.list'> {
  const folder = resolve(path);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new UserError(
      'not-found',
      `this folder can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}); choose another: ${folder}`,
    );
  }
  const entries = names.filter((name) => !name.startsWith('.')).flatMap((name) => entry(folder, name));
  const rank = { folder: 0, project: 1, photo: 2 };
  entries.sort((a, b) => rank[a.kind] - rank[b.kind] || a.name.localeCompare(b.name, undefined, { numeric: true }));
  const parent = dirname(folder);
  return { path: folder, ...(parent === folder ? {} : { parent }), entries };
}

function entry(folder: string, name: string): Entry[] {
  const path = join(folder, name);
  try {
    const found = statSync(path);
    const kind = found.isDirectory()
      ? 'folder'
      : name.toLowerCase().endsWith('.pointmap')
        ? 'project'
        : photoEndings.some((ending) => name.toLowerCase().endsWith(ending))
          ? 'photo'
          : undefined;
    return kind ? [{ name, path, kind, bytes: found.isDirectory() ? 0 : found.size }] : [];
  } catch {
    // A broken link, or a file that is not ours to see: nothing to choose.
    return [];
  }
}

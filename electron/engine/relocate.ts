import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../contract/errors.js';
import type { Project } from '../project/project.js';

/** Looks for photos that have been moved, in a folder and those below it, by size and then by content. */
export async function relocate(project: Project, folder: string): Promise<{ found: number; missing: number }> {
  const missing = new Map(
    project
      .photos()
      .filter(({ path }) => !existsSync(path))
      .map((photo) => [photo.id, photo]),
  );
  const sizes = new Set([...missing.values()].map(({ size }) => size));
  let found = 0;
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new UserError('not-found', `this folder can't be read: ${folder}`, { cause: error });
  });
  for (const name of names) {
    if (missing.size === 0) break;
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (!facts?.isFile() || !sizes.has(facts.size)) continue;
    const id = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    if (!missing.delete(id)) continue;
    project.relocate(id, path);
    found++;
  }
  return { found, missing: missing.size };
}

import { closeSync, copyFileSync, existsSync, mkdtempSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkRegular, openRegularSync } from '../compute/regular-file.js';

/** How often a copy is begun again because the file was written to meanwhile. */
const TRIES = 5;

export interface Snapshot {
  path: string;
  remove(): void;
}

/**
 * A copy of a project file with the journal beside it, in a temporary folder: for reading one that lies in a folder that
 * may not be written to, that another program has open, or that is damaged and must stay as it is. The file itself is
 * only read.
 *
 * @throws the file system's error
 */
export function snapshot(path: string): Snapshot {
  const folder = mkdtempSync(join(tmpdir(), 'pointmap-snapshot-'));
  const copied = join(folder, 'project.pointmap');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (let k = 1; ; k++) {
      const before = stamp(path);
      copy(path, copied);
      rmSync(`${copied}-wal`, { force: true });
      if (existsSync(`${path}-wal`)) copy(`${path}-wal`, `${copied}-wal`);
      // Pages that move from the journal into the file between the two copies would be in neither.
      if (k === TRIES || stamp(path) === before) return { path: copied, remove };
    }
  } catch (error) {
    remove();
    throw error;
  }
}

function copy(from: string, to: string): void {
  checkRegular(from);
  copyFileSync(from, to);
}

/** Changes when pages go from the journal into the file, not when more are added to the journal. */
function stamp(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${size} ${mtimeMs} ${journalHead(`${path}-wal`)}`;
}

function journalHead(path: string): string {
  const head = Buffer.alloc(32);
  try {
    const { descriptor } = openRegularSync(path);
    try {
      readSync(descriptor, head, 0, head.length, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // No journal.
  }
  return head.toString('hex');
}

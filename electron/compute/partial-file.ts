import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const MARK = '.pointmap-partial-';

/**
 * Where a file is written until it is whole. The name carries the process, so that two never write into one, and so
 * that what a killed one left behind is known by it.
 */
export const partialPath = (path: string): string => `${path}${MARK}${process.pid}`;

/** Removes what processes that are no more left in a folder, as far as that is possible. */
export function removeAbandoned(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const at = name.lastIndexOf(MARK);
    const pid = at < 0 ? NaN : Number.parseInt(name.slice(at + MARK.length), 10);
    if (!Number.isInteger(pid) || isRunning(pid)) continue;
    try {
      rmSync(join(folder, name));
    } catch {
      // Not ours to remove.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

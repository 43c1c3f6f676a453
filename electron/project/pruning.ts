import type { Database } from 'better-sqlite3';
import { checksum } from '../compute/record.js';

/**
 * What is kept. Observations and blobs are named by all that they depend on, so that an edit that is taken back finds
 * its results again; but every edit leaves a generation behind. Each finished run marks what it used or left in the
 * file meanwhile; what none of the last KEPT finished runs used is removed. "Save as" keeps what the last one used.
 */
const KEPT = 5;

export function readBlob(database: Database, key: string): Uint8Array | undefined {
  const row = database.prepare('SELECT value, checksum FROM blobs WHERE key = ?').get(key) as
    { value: Buffer; checksum: Buffer | null } | undefined;
  if (!row) return undefined;
  // A Buffer's `slice` shares its memory and its `buffer` may be a pool: readers expect bytes of their own.
  const value = new Uint8Array(row.value);
  // Blobs of files up to version 5 have none.
  if (row.checksum && !row.checksum.equals(checksum(value))) return undefined;
  touch(database, key);
  return value;
}

export function putBlob(database: Database, key: string, value: Uint8Array): void {
  database
    .prepare('INSERT OR REPLACE INTO blobs (key, value, checksum) VALUES (?, ?, ?)')
    .run(key, value, Buffer.from(checksum(value)));
  touch(database, key);
}

/** The number of the run that comes next. */
const nextRun = (database: Database): number =>
  (database.prepare('SELECT coalesce(max(run), 0) + 1 AS next FROM finished_runs').get() as { next: number }).next;

/** What has been read or put since the last run was finished: written down at the end of the next, in one go. */
const touched = new WeakMap<Database, Set<string>>();

function touch(database: Database, key: string): void {
  const keys = touched.get(database) ?? new Set<string>();
  touched.set(database, keys.add(key));
}

/** @param keys of the observations that the finished run used; its blobs are marked as they are read and put */
export function prune(database: Database, keys: readonly string[]): void {
  database.transaction(() => {
    const run = nextRun(database);
    const put = database.prepare('INSERT OR REPLACE INTO uses (key, run) VALUES (?, ?)');
    for (const key of [...(touched.get(database) ?? []), ...keys]) put.run(key, run);
    touched.delete(database);
    database.prepare('INSERT OR REPLACE INTO finished_runs (run, finished) VALUES (?, ?)').run(run, Date.now());
    // What a file of an earlier version or a run that was ended early has left counts as used by this run.
    adopt(database, run);
    removeBefore(database, run - KEPT + 1);
  })();
}

/** Before a compact copy is written: only what the last finished run used stays, and what has come since. */
export function keepLastRun(database: Database): void {
  const last = nextRun(database) - 1;
  if (last > 0) database.transaction(() => removeBefore(database, last))();
}

function adopt(database: Database, run: number): void {
  for (const table of ['observations', 'blobs'])
    database.prepare(`INSERT OR IGNORE INTO uses (key, run) SELECT key, ? FROM ${table}`).run(run);
}

function removeBefore(database: Database, run: number): void {
  const old = 'SELECT key FROM uses WHERE run < ?';
  database.prepare(`DELETE FROM observation_views WHERE observation IN (${old})`).run(run);
  database.prepare(`DELETE FROM observations WHERE key IN (${old})`).run(run);
  database.prepare(`DELETE FROM blobs WHERE key IN (${old})`).run(run);
  database.prepare('DELETE FROM uses WHERE run < ?').run(run);
}

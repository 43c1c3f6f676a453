import type { Database } from 'better-sqlite3';
import { edit, runSettings } from '../contract/api.js';

/** Tables whose rows can be unusable without the file being unreadable, and how many there were. */
export type Removed = Partial<Record<'photos' | 'pairs' | 'edits' | 'settings' | 'log', number>>;

/** Rows that a flipped bit, or another program, made into what the rest of the program can't be given. */
const unusable = {
  photos: `typeof(id) <> 'text' OR typeof(path) <> 'text' OR typeof(name) <> 'text' OR name = ''
    OR typeof(width) <> 'integer' OR typeof(height) <> 'integer' OR width NOT BETWEEN 1 AND 1000000
    OR height NOT BETWEEN 1 AND 1000000 OR typeof(size) <> 'integer' OR typeof(position) <> 'integer'
    OR typeof(sharpness) NOT IN ('real', 'integer') OR typeof(thumbnail) <> 'blob'
    OR enabled NOT IN (0, 1) OR locked NOT IN (0, 1)
    OR typeof(camera) NOT IN ('text', 'null') OR typeof(taken_at) NOT IN ('text', 'null')
    OR typeof(focal_source) NOT IN ('text', 'null')
    OR NOT (focal_pixels IS NULL OR (typeof(focal_pixels) IN ('real', 'integer') AND focal_pixels > 0))
    OR NOT (user_focal IS NULL OR (typeof(user_focal) IN ('real', 'integer') AND user_focal > 0))
    OR NOT (facts IS NULL OR json_valid(facts))`,
  pairs: `a NOT IN (SELECT id FROM photos) OR b NOT IN (SELECT id FROM photos) OR enabled NOT IN (0, 1)
    OR state NOT IN ('planned', 'observed', 'rejected') OR typeof(reason) NOT IN ('text', 'null')
    OR typeof(observation) NOT IN ('text', 'null') OR typeof(confidence) NOT IN ('real', 'integer', 'null')
    OR typeof(residual) NOT IN ('real', 'integer', 'null') OR typeof(parallax) NOT IN ('real', 'integer', 'null')`,
  log: `typeof(time) <> 'text' OR typeof(level) <> 'text' OR typeof(message) <> 'text'`,
} as const;

/**
 * Removes rows that nothing could use: the rest of the project opens without them. A photo that is gone can be added
 * again, a pair is planned again. (Maps and records are looked at when they are read.)
 *
 * @returns how many of each, nothing where all is sound
 */
export function removeUnusable(database: Database): Removed {
  const removed: Removed = {};
  const count = (table: keyof Removed, rows: number): void => {
    if (rows > 0) removed[table] = (removed[table] ?? 0) + rows;
  };
  database.transaction(() => {
    for (const [table, condition] of Object.entries(unusable))
      count(table as keyof Removed, database.prepare(`DELETE FROM ${table} WHERE ${condition}`).run().changes);
    count('settings', removeSettings(database));
    count('edits', removeEdits(database));
  })();
  return removed;
}

/**
 * Whether rows are left that nothing could use. Where the file's own order of rows is damaged a row is found by going
 * through all of them, and by no search, so that it can't be removed (test/processes/attacks.test.ts, seed 4275385712,
 * factor 20).
 */
export const hasUnusable = (database: Database): boolean =>
  Object.entries(unusable).some(([table, condition]) =>
    database.prepare(`SELECT 1 FROM ${table} NOT INDEXED WHERE ${condition} LIMIT 1`).get(),
  );

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

function removeSettings(database: Database): number {
  const rows = database.prepare('SELECT key, value FROM settings').all() as { key: string; value: string }[];
  const remove = database.prepare('DELETE FROM settings WHERE key = ?');
  let count = 0;
  for (const { key, value } of rows) {
    const known = Object.hasOwn(runSettings.shape, key);
    const setting = parsed(value);
    const sound = known && setting !== undefined && runSettings.safeParse({ [key]: setting }).success;
    if (!sound) count += remove.run(key).changes;
  }
  return count;
}

/** Undo goes step by step: with one step unreadable, what lies behind it can't be reached. */
function removeEdits(database: Database): number {
  const rows = database.prepare('SELECT forward, backward FROM edits').all() as Record<string, unknown>[];
  const sound = rows.every(
    ({ forward, backward }) =>
      edit.safeParse(parsed(forward)).success && edit.array().safeParse(parsed(backward)).success,
  );
  return sound ? 0 : database.prepare('DELETE FROM edits').run().changes;
}

import type Database from 'better-sqlite3';
import { UserError } from '../contract/errors.js';
import { connect, openDatabase } from './open.js';

const tables = [
  'photos',
  'pairs',
  'observations',
  'blobs',
  'alignments',
  'aligned_views',
  'edits',
  'settings',
  'scene',
  'scene_masks',
  'log',
] as const;

export type Recovered = Record<(typeof tables)[number], number>;

/**
 * Copies every row that can still be read from a damaged project into a new one. Rows are independent of each other, so
 * what is lost is what lay on the damaged pages: an observation that is missing is simply computed again by the next
 * run.
 *
 * @returns rows saved per table
 * @throws UserError 'damaged' when not even the list of tables can be read
 */
export function recover(path: string, target: string): Recovered {
  const damaged = connect(path, { readonly: true, fileMustExist: true });
  // SQLite opens a file that is shorter than it says only with this switch, which "defensive" mode locks.
  damaged.unsafeMode(true);
  damaged.pragma('writable_schema = ON');
  const saved = Object.fromEntries(tables.map((table) => [table, 0])) as Recovered;
  const copy = openDatabase(target, 'create');
  try {
    copy.pragma('foreign_keys = OFF');
    for (const table of tables) {
      const insert = copyStatement(copy, table);
      try {
        for (const row of damaged.prepare(`SELECT * FROM ${table}`).iterate()) {
          insert.run(row as Record<string, unknown>);
          saved[table]++;
        }
      } catch (error) {
        if (!isDamage(error)) throw error;
        saved[table] += backwards(damaged, table, insert);
      }
    }
  } finally {
    damaged.close();
    copy.close();
  }
  if (Object.values(saved).every((count) => count === 0)) {
    throw new UserError(
      'damaged',
      `nothing in this project can be read any more; start a new one with the same photos: ${path}`,
    );
  }
  return saved;
}

function copyStatement(copy: Database.Database, table: string): Database.Statement {
  const columns = (copy.prepare(`SELECT name FROM pragma_table_info('${table}')`).all() as { name: string }[]).map(
    ({ name }) => name,
  );
  return copy.prepare(
    `INSERT OR IGNORE INTO ${table} (${columns.join()}) VALUES (${columns.map((name) => `@${name}`).join()})`,
  );
}

/** Reading stops at the first damaged page; what lies behind it is reached from the other end. */
function backwards(damaged: Database.Database, table: string, insert: Database.Statement): number {
  let count = 0;
  try {
    for (const row of damaged.prepare(`SELECT * FROM ${table} ORDER BY rowid DESC`).iterate())
      count += insert.run(row as Record<string, unknown>).changes;
  } catch {
    // The damaged page again, or a table without row numbers.
  }
  return count;
}

function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB|IOERR|ERROR)/.test((error as { code?: string }).code ?? '');
}

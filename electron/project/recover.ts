import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import { partialPath, removeAbandoned } from '../compute/partial-file.js';
import { UserError } from '../contract/errors.js';
import { connect, databaseError, openDatabase } from './open.js';
import { restoreDigests } from './observations.js';
import { Project } from './project.js';
import { snapshot } from './snapshot.js';

const tables = [
  'photos',
  'pairs',
  'observations',
  'observation_views',
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
 * run. The damaged file is only read, and what is written opens.
 *
 * @returns rows saved per table
 * @throws UserError 'damaged' when nothing can be read, after removing what was written; 'unwritable', 'disk-full'
 */
export function recover(path: string, target: string): Recovered {
  if (!existsSync(path)) throw new UserError('not-found', `there is no such project; check the path: ${path}`);
  if (!statSync(path).isFile()) throw new UserError('usage', `this is not a file; choose a .pointmap file: ${path}`);
  const partial = partialPath(target);
  removeAbandoned(dirname(target));
  const clear = (): void => ['', '-wal', '-journal'].forEach((ending) => rmSync(partial + ending, { force: true }));
  try {
    const saved = recoverInto(path, partial);
    // Opened once, so that what can't be used is out of it, and told in its log.
    const project = Project.open(partial);
    if (!project.alignment()) saved.alignments = 0;
    saved.photos = project.photos().length;
    saved.pairs = project.pairs().length;
    project.close();
    renameSync(partial, target);
    return saved;
  } catch (error) {
    clear();
    if (error instanceof UserError) throw error;
    const code = (error as { code?: string }).code ?? '';
    if (isDamage(error)) throw unreadable(path, error);
    if (code.startsWith('SQLITE_')) throw databaseError(error, target);
    throw new UserError(
      'unwritable',
      `the recovered project can't be written (${code || (error as Error).message}); choose another place: ${target}`,
      { cause: error },
    );
  }
}

const unreadable = (path: string, cause?: unknown): UserError =>
  new UserError(
    'damaged',
    `nothing in this project can be read any more; start a new one with the same photos: ${path}`,
    { cause },
  );

function recoverInto(path: string, target: string): Recovered {
  const copied = snapshot(path);
  const saved = Object.fromEntries(tables.map((table) => [table, 0])) as Recovered;
  try {
    const copy = openDatabase(target, 'create');
    try {
      const damaged = openDamaged(copied.path);
      try {
        copy.pragma('foreign_keys = OFF');
        for (const table of tables) saved[table] = copyTable(damaged, copy, table);
        saved.observations += restoreDigests(copy);
      } finally {
        damaged.close();
      }
    } finally {
      copy.close();
    }
  } finally {
    copied.remove();
  }
  if (Object.values(saved).every((count) => count === 0)) throw unreadable(path);
  return saved;
}

/** SQLite opens a file that is shorter than it says only with this switch, which "defensive" mode locks. */
function openDamaged(path: string): Database.Database {
  const database = connect(path, { fileMustExist: true });
  database.unsafeMode(true);
  database.pragma('writable_schema = ON');
  return database;
}

function copyTable(damaged: Database.Database, copy: Database.Database, table: (typeof tables)[number]): number {
  const insert = copyStatement(copy, table);
  const key = keyOf(copy, table);
  const seen = new Set<unknown>();
  let count = 0;
  const take = (row: Row): void => {
    if (key[0] === 'rowid') seen.add(row[ROW_NUMBER]);
    count += insert(row);
  };
  // In one transaction: each would wait for the disk.
  copy.transaction(() => {
    if (inOrder(damaged, table, key, 'ASC', take)) return;
    // Reading stops at the first damaged page; what lies behind it is reached from the other end.
    inOrder(damaged, table, key, 'DESC', take);
    if (key[0] === 'rowid') between(damaged, table, seen, take);
  })();
  return count;
}

type Row = Record<string, unknown>;

/** @returns what writes one row, and tells whether it was taken: 1, or 0 where it breaks the schema's rules */
function copyStatement(copy: Database.Database, table: string): (row: Row) => number {
  const known = (copy.prepare(`SELECT name FROM pragma_table_info('${table}')`).all() as { name: string }[]).map(
    ({ name }) => name,
  );
  let statement: Database.Statement | undefined;
  return (row) => {
    // An older file lacks columns, and gets the schema's own values in them.
    const columns = known.filter((name) => Object.hasOwn(row, name));
    statement ??= copy.prepare(
      `INSERT OR IGNORE INTO ${table} (${columns.join()}) VALUES (${columns.map((name) => `@${name}`).join()})`,
    );
    return statement.run(row).changes;
  };
}

/** A row's number among its own columns. */
const ROW_NUMBER = 'row number';

/** What the rows of a table lie in the order of. */
function keyOf(copy: Database.Database, table: string): string[] {
  const [{ wr }] = copy.pragma(`table_list('${table}')`) as [{ wr: number }];
  if (wr === 0) return ['rowid'];
  const columns = copy.prepare(`SELECT name FROM pragma_table_info('${table}') WHERE pk > 0 ORDER BY pk`);
  return columns.pluck().all() as string[];
}

/** @returns whether the table could be read to its end */
function inOrder(
  damaged: Database.Database,
  table: string,
  key: readonly string[],
  direction: 'ASC' | 'DESC',
  take: (row: Row) => void,
): boolean {
  const order = key.map((column) => `${column} ${direction}`).join();
  const columns = key[0] === 'rowid' ? `rowid AS "${ROW_NUMBER}", *` : '*';
  try {
    const rows = damaged.prepare(`SELECT ${columns} FROM ${table} ORDER BY ${order}`).iterate();
    for (const row of rows) take(row as Row);
    return true;
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

/** Rows behind the last one found that are asked for one by one: finding none takes microseconds. */
const MOST_MISSING = 20_000;

/** Rows between two damaged pages: asked for by their numbers, each is found that lies on a page that can be read. */
function between(
  damaged: Database.Database,
  table: string,
  seen: ReadonlySet<unknown>,
  take: (row: Row) => void,
): void {
  let read: Database.Statement;
  try {
    read = damaged.prepare(`SELECT * FROM ${table} WHERE rowid = ?`);
  } catch {
    // Not even the table's definition is left.
    return;
  }
  for (let row = 1, missing = 0; missing < MOST_MISSING; row++) {
    missing++;
    if (seen.has(row)) missing = 0;
    else {
      const found = rowAt(read, row);
      if (!found) continue;
      missing = 0;
      take(found);
    }
  }
}

function rowAt(read: Database.Statement, row: number): Row | undefined {
  try {
    return read.get(row) as Row | undefined;
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB|IOERR|ERROR)/.test((error as { code?: string }).code ?? '');
}

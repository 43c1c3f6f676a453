import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import Database, { type Database as Connection, type Options } from 'better-sqlite3';
import { UserError } from '../contract/errors.js';
import { APPLICATION_ID, migrate, migrations } from './schema.js';

/**
 * A connection to a file. Electron's Node has another binary interface than the one of the command line, so the desktop
 * keeps a SQLite build of its own beside the installed one, and names it in POINTMAP_SQLITE.
 */
export function connect(path: string, options: Options = {}): Connection {
  const nativeBinding = process.env.POINTMAP_SQLITE;
  return new Database(path, nativeBinding ? { ...options, nativeBinding } : options);
}

/**
 * Opens a project file, or makes one.
 *
 * Write-ahead logging with full synchronisation: a transaction that was reported done survives `kill -9` and a power
 * cut. One transaction a pair costs milliseconds beside the seconds of computing it.
 *
 * @throws UserError 'damaged', 'newer-version', 'not-found', 'unwritable' or 'disk-full'
 */
export function openDatabase(path: string, mode: 'open' | 'create' = 'open'): Connection {
  if (mode === 'open' && !existsSync(path))
    throw new UserError('not-found', `there is no such project; check the path: ${path}`);
  // Looked at before SQLite may write a journal beside a file that isn't ours.
  if (existsSync(path) && statSync(path).size > 0) checkHeader(path);
  let database: Connection | undefined;
  try {
    database = connect(path);
    database.pragma('busy_timeout = 3000');
    checkVersion(database, path);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    migrate(database);
    // Reads every table's first pages: damage shows now, not in the middle of a run.
    database.prepare('SELECT count(*) FROM photos').get();
    database.prepare('SELECT count(*) FROM pairs').get();
    return database;
  } catch (error) {
    database?.close();
    throw databaseError(error, path);
  }
}

function checkHeader(path: string): void {
  const header = Buffer.alloc(16);
  const file = openSync(path, 'r');
  try {
    readSync(file, header, 0, 16, 0);
  } finally {
    closeSync(file);
  }
  if (header.toString('latin1') !== 'SQLite format 3\0') {
    throw new UserError('damaged', `this file is not a Pointmap Studio project; choose another: ${path}`);
  }
}

function checkVersion(database: Connection, path: string): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  const application = database.pragma('application_id', { simple: true }) as number;
  const empty = (database.prepare('SELECT count(*) AS n FROM sqlite_master').get() as { n: number }).n === 0;
  if (!empty && application !== APPLICATION_ID) {
    throw new UserError(
      'damaged',
      `this is another program's database, not a Pointmap Studio project; choose another: ${path}`,
    );
  }
  if (version > migrations.length) {
    throw new UserError(
      'newer-version',
      `this project was written by a newer Pointmap Studio (file version ${version}, this program reads up to ${migrations.length}); update the program: ${path}`,
    );
  }
}

/** SQLite's failures in plain words; anything else is passed on as it is. */
export function databaseError(error: unknown, path: string): unknown {
  const code = (error as { code?: string }).code ?? '';
  if (error instanceof UserError || !code.startsWith('SQLITE_')) {
    if (error instanceof TypeError && /directory does not exist/.test(error.message)) {
      return new UserError('not-found', `the folder for the project does not exist; make it first: ${path}`, {
        cause: error,
      });
    }
    return error;
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new UserError(
      'damaged',
      `the project file is damaged; save what can be read with \`pointmap recover\`: ${path}`,
      { cause: error },
    );
  }
  if (code === 'SQLITE_FULL')
    return new UserError(
      'disk-full',
      `the disk is full; free some space and run again, finished pairs are kept: ${path}`,
      { cause: error },
    );
  if (code.startsWith('SQLITE_BUSY'))
    return new UserError('unwritable', `the project is open in another program; close it there first: ${path}`, {
      cause: error,
    });
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_IOERR')) {
    return new UserError(
      'unwritable',
      `the project can't be written here (${code}); check the folder and its permissions: ${path}`,
      { cause: error },
    );
  }
  return error;
}

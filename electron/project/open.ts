import { closeSync, existsSync, readSync, statSync } from 'node:fs';
import Database, { type Database as Connection, type Options } from 'better-sqlite3';
import { openRegularSync } from '../compute/regular-file.js';
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

/** An engine that was killed gives its lock back a moment after its successor asks for it. */
const LOCK_MILLISECONDS = 2000;

/**
 * Opens a project file, or makes one. It is this connection's alone until it is closed, or its process ends, however:
 * two that write would each answer for half of what the other did (two runs into one file gave a wrong result and exit
 * 0). The lock is the operating system's, so that none stays behind.
 *
 * Write-ahead logging with full synchronisation: a transaction that was reported done survives `kill -9` and a power
 * cut. One transaction a pair costs milliseconds beside the seconds of computing it.
 *
 * @param wait milliseconds to wait for another that has it
 * @throws UserError 'damaged', 'newer-version', 'not-found', 'unwritable' or 'disk-full'
 */
export function openDatabase(path: string, mode: 'open' | 'create' = 'open', wait = LOCK_MILLISECONDS): Connection {
  if (mode === 'open' && !existsSync(path))
    throw new UserError('not-found', `there is no such project; check the path: ${path}`);
  // Looked at before SQLite may write a journal beside a file that isn't ours.
  if (existsSync(path) && !isEmptyFile(path)) checkHeader(path);
  let database: Connection | undefined;
  try {
    database = connect(path);
    database.pragma(`busy_timeout = ${wait}`);
    // Before the first read: then there is no shared index beside the file either (-shm).
    database.pragma('locking_mode = EXCLUSIVE');
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

const isEmptyFile = (path: string): boolean => {
  const facts = statSync(path);
  return facts.isFile() && facts.size === 0;
};

/** Where SQLite keeps the number that tells whose file it is. */
const APPLICATION_ID_AT = 68;

/** The first bytes of a file. @throws UserError when it can't be read */
function readHead(path: string): Buffer {
  const head = Buffer.alloc(APPLICATION_ID_AT + 4);
  try {
    const { descriptor } = openRegularSync(path);
    try {
      readSync(descriptor, head, 0, head.length, 0);
    } finally {
      closeSync(descriptor);
    }
    return head;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR')
      throw new UserError('usage', `this is a folder, not a project; choose a .pointmap file: ${path}`);
    throw new UserError(
      'not-found',
      `this project can't be read (${code}); check the file and its permissions: ${path}`,
      { cause: error },
    );
  }
}

const isDatabase = (head: Buffer): boolean => head.toString('latin1', 0, 16) === 'SQLite format 3\0';

function checkHeader(path: string): void {
  if (!isDatabase(readHead(path)))
    throw new UserError('damaged', `this file is not a Pointmap Studio project; choose another: ${path}`);
}

/**
 * A project may take the place of another, of an empty file, or of none.
 *
 * @throws UserError 'unwritable'
 */
export function checkReplaceable(path: string): void {
  if (!existsSync(path)) return;
  const refuse = (reason: string): UserError =>
    new UserError('unwritable', `${reason}, so it is not overwritten; choose another name: ${path}`);
  const facts = statSync(path);
  if (!facts.isFile()) throw refuse('what has this name is no file');
  if (facts.size === 0) return;
  const head = readHead(path);
  if (!isDatabase(head)) throw refuse('the file of this name is no project');
  try {
    openDatabase(path, 'open', 0).close();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.code === 'unwritable') throw error;
    // A damaged project, or one of a newer program, may go: the person said so. Another program's database may not.
    if (error.code === 'damaged' && head.readUInt32BE(APPLICATION_ID_AT) !== APPLICATION_ID)
      throw refuse('the file of this name is no project');
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

export const damagedProject = (path: string, cause?: unknown): UserError =>
  new UserError('damaged', `the project file is damaged; save what can be read with \`pointmap recover\`: ${path}`, {
    cause,
  });

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
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return damagedProject(path, error);
  if (code === 'SQLITE_FULL')
    return new UserError(
      'disk-full',
      `the disk is full; free some space and run again, what was finished is kept: ${path}`,
      { cause: error },
    );
  if (code.startsWith('SQLITE_BUSY'))
    return new UserError(
      'unwritable',
      `the project is open in another window or command, and one at a time may write to it; close it there first: ${path}`,
      { cause: error },
    );
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_IOERR')) {
    return new UserError(
      'unwritable',
      `the project can't be written here (${code}); check the folder and its permissions: ${path}`,
      { cause: error },
    );
  }
  return error;
}

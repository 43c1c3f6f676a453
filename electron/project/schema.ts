import type { Database } from 'better-sqlite3';

/** "PMAP": tells our files from other programs' SQLite databases. */
export const APPLICATION_ID = 0x504d4150;

/** One entry per `user_version`: what brings a file from the version before to this one. Only ever appended to. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE photos (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, path TEXT NOT NULL, name TEXT NOT NULL UNIQUE,
    width INTEGER NOT NULL, height INTEGER NOT NULL, size INTEGER NOT NULL,
    focal_pixels REAL, focal_source TEXT, user_focal REAL, camera TEXT, taken_at TEXT, sharpness REAL NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1, locked INTEGER NOT NULL DEFAULT 0, thumbnail BLOB NOT NULL
  );
  CREATE TABLE pairs (
    a TEXT NOT NULL REFERENCES photos(id) ON DELETE CASCADE, b TEXT NOT NULL REFERENCES photos(id) ON DELETE CASCADE,
    enabled INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL DEFAULT 'planned', reason TEXT,
    confidence REAL, residual REAL, parallax REAL, observation TEXT, PRIMARY KEY (a, b)
  ) WITHOUT ROWID;
  -- What an estimator said of a pair, for ever: the key holds photo hashes, estimator, its version and settings.
  CREATE TABLE observations (key TEXT PRIMARY KEY, reason TEXT, detail TEXT, record BLOB);
  -- An estimator's own intermediate results (features, calibration); may be dropped at any time.
  CREATE TABLE blobs (key TEXT PRIMARY KEY, value BLOB NOT NULL);
  CREATE TABLE alignments (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, summary TEXT NOT NULL);
  CREATE TABLE aligned_views (
    alignment INTEGER NOT NULL REFERENCES alignments(id) ON DELETE CASCADE, photo TEXT NOT NULL,
    depth BLOB NOT NULL, confidence BLOB NOT NULL, pixels BLOB NOT NULL, PRIMARY KEY (alignment, photo)
  );
  CREATE TABLE edits (id INTEGER PRIMARY KEY, label TEXT NOT NULL, forward TEXT NOT NULL, backward TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE log (id INTEGER PRIMARY KEY, time TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL);
  `,
  `
  -- Has one row while a run is going on; found at opening, it tells that the run was ended by a crash.
  CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1));
  `,
  `
  -- JSON: lens, position, orientation, frame, mask of a photo, where known.
  ALTER TABLE photos ADD COLUMN facts TEXT;
  `,
  `
  -- The scene document (contract/scene.ts), one row a part, as JSON.
  CREATE TABLE scene (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  -- Bits over photos and depth pixels (contract/mask.ts), named by their SHA-256; never changed.
  CREATE TABLE scene_masks (id TEXT PRIMARY KEY, value BLOB NOT NULL);
  `,
  `
  -- A bit a pixel, set where the surface was completed and not measured; null where all was measured.
  ALTER TABLE aligned_views ADD COLUMN inferred BLOB;
  `,
  `
  -- Observations by reference: a digest of all views, and a record per view, each with its checksum inside
  -- (geometry/view-record.ts). Rows with a record of all views are of files up to version 5.
  ALTER TABLE observations ADD COLUMN digest BLOB;
  CREATE TABLE observation_views (
    observation TEXT NOT NULL, role INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (observation, role)
  );
  ALTER TABLE blobs ADD COLUMN checksum BLOB;
  ALTER TABLE alignments ADD COLUMN checksum BLOB;
  ALTER TABLE aligned_views ADD COLUMN checksum BLOB;
  -- Which run used an observation or blob last (pruning.ts).
  CREATE TABLE uses (key TEXT PRIMARY KEY, run INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE finished_runs (run INTEGER PRIMARY KEY, finished INTEGER NOT NULL);
  `,
  `
  -- Photos that were removed, with their pairs: what undo brings back (removing.ts).
  CREATE TABLE removed_photos (
    id TEXT PRIMARY KEY, position INTEGER, path TEXT, name TEXT, width INTEGER, height INTEGER, size INTEGER,
    focal_pixels REAL, focal_source TEXT, user_focal REAL, camera TEXT, taken_at TEXT, sharpness REAL,
    enabled INTEGER, locked INTEGER, thumbnail BLOB, facts TEXT
  ) WITHOUT ROWID;
  CREATE TABLE removed_pairs (
    a TEXT, b TEXT, enabled INTEGER, state TEXT, reason TEXT,
    confidence REAL, residual REAL, parallax REAL, observation TEXT, PRIMARY KEY (a, b)
  ) WITHOUT ROWID;
  `,
  `
  -- A bit a pixel, set where the sky is seen; null where nobody looked for it.
  ALTER TABLE aligned_views ADD COLUMN sky BLOB;
  `,
];

/** Brings an open file to the newest version, all or nothing. */
export function migrate(database: Database): void {
  const from = database.pragma('user_version', { simple: true }) as number;
  if (from === migrations.length) return;
  database.transaction(() => {
    for (const step of migrations.slice(from)) database.exec(step);
    database.pragma(`user_version = ${migrations.length}`);
    database.pragma(`application_id = ${APPLICATION_ID}`);
  })();
}

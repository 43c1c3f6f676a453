import type { Database } from 'better-sqlite3';
import type { ObservationDigest } from '../geometry/digest.js';
import type { Observation, ObservedView } from '../geometry/types.js';
import { decodeDigest, decodeView } from '../geometry/view-record.js';
import { decodeOldObservation, digestOfViews, encodeObservation } from './observation-codec.js';

export type StoredOutcome =
  { kind: 'observation'; observation: Observation } | { kind: 'rejected'; reason: string; detail: string };

/** An outcome by reference: the digest of an observation, whose pointmaps stay in the file. */
export type OutcomeDigest =
  { kind: 'observation'; digest: ObservationDigest } | { kind: 'rejected'; reason: string; detail: string };

interface Row {
  reason: string | null;
  detail: string | null;
  record: Buffer | null;
  digest: Buffer | null;
}

/** Stored the moment it is known, in a transaction of its own: a crash costs the pair in flight, no more. */
export function putOutcome(database: Database, key: string, outcome: StoredOutcome): void {
  const put = database.prepare(
    'INSERT OR REPLACE INTO observations (key, reason, detail, record, digest) VALUES (?, ?, ?, NULL, ?)',
  );
  if (outcome.kind === 'rejected') {
    put.run(key, outcome.reason, outcome.detail, null);
    return;
  }
  const { digest, views } = encodeObservation(outcome.observation);
  const putView = database.prepare(
    'INSERT OR REPLACE INTO observation_views (observation, role, record) VALUES (?, ?, ?)',
  );
  database.transaction(() => {
    put.run(key, null, null, digest);
    views.forEach((record, role) => putView.run(key, role, record));
  })();
}

/**
 * What is known under a key; undefined for nothing, and for a digest that is damaged. An observation of an older file
 * is brought into the present form first.
 */
export function readDigest(database: Database, key: string): OutcomeDigest | undefined {
  const row = database.prepare('SELECT reason, detail, record, digest FROM observations WHERE key = ?').get(key) as
    Row | undefined;
  if (!row) return undefined;
  if (row.record) {
    const observation = readOld(row.record);
    if (!observation) return undefined;
    putOutcome(database, key, { kind: 'observation', observation });
    return readDigest(database, key);
  }
  if (!row.digest) {
    // A reason is always there; where it is not, the row is what damage left of an observation.
    return row.reason === null ? undefined : { kind: 'rejected', reason: row.reason, detail: row.detail ?? '' };
  }
  const digest = decodeDigest(row.digest);
  return digest && { kind: 'observation', digest };
}

function readOld(record: Buffer): Observation | undefined {
  try {
    return decodeOldObservation(record);
  } catch {
    return undefined;
  }
}

/** The stored pointmap of one view (geometry/view-record.ts), not decoded. */
export function readViewRecord(database: Database, key: string, role: number): Uint8Array | undefined {
  const row = database
    .prepare('SELECT record FROM observation_views WHERE observation = ? AND role = ?')
    .get(key, role) as { record: Buffer } | undefined;
  // A copy of its own: it is handed to a thread.
  return row && new Uint8Array(row.record);
}

export function readView(database: Database, key: string, role: number): ObservedView | undefined {
  return decodeView(readViewRecord(database, key, role));
}

/**
 * Makes the digests of observations of which damage has left the views alone.
 *
 * @returns how many were whole again
 */
export function restoreDigests(database: Database): number {
  const orphans = database
    .prepare(
      'SELECT DISTINCT observation FROM observation_views WHERE observation NOT IN (SELECT key FROM observations)',
    )
    .pluck()
    .all() as string[];
  const read = database.prepare('SELECT record FROM observation_views WHERE observation = ? ORDER BY role').pluck();
  const put = database.prepare('INSERT INTO observations (key, digest) VALUES (?, ?)');
  let restored = 0;
  for (const key of orphans) {
    const digest = digestOfViews(read.all(key) as Buffer[]);
    if (digest) restored += put.run(key, digest).changes;
    else database.prepare('DELETE FROM observation_views WHERE observation = ?').run(key);
  }
  return restored;
}

/** Removes what is damaged, so that it is computed again. */
export function dropOutcome(database: Database, key: string): void {
  database.transaction(() => {
    database.prepare('DELETE FROM observation_views WHERE observation = ?').run(key);
    database.prepare('DELETE FROM observations WHERE key = ?').run(key);
  })();
}

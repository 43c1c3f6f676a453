import type { Database } from 'better-sqlite3';
import type { PhotoId } from '../geometry/types.js';

const photoColumns = `id, position, path, name, width, height, size, focal_pixels, focal_source, user_focal, camera, taken_at,
  sharpness, enabled, locked, thumbnail, facts`;
const pairColumns = 'a, b, enabled, state, reason, confidence, residual, parallax, observation';

/**
 * Takes photos out of the project, with their pairs. They are put aside in tables of their own, so that undo brings them
 * back as they were, and nothing else ever meets them.
 */
export function removePhotos(database: Database, ids: readonly PhotoId[]): void {
  const steps = [
    `INSERT OR REPLACE INTO removed_photos (${photoColumns}) SELECT ${photoColumns} FROM photos WHERE id = @id`,
    `INSERT OR REPLACE INTO removed_pairs (${pairColumns}) SELECT ${pairColumns} FROM pairs WHERE a = @id OR b = @id`,
    'DELETE FROM pairs WHERE a = @id OR b = @id',
    'DELETE FROM photos WHERE id = @id',
  ].map((sql) => database.prepare(sql));
  for (const id of ids) for (const step of steps) step.run({ id });
}

/** A photo that was added again meanwhile stays as it is; one whose name was given away gets its id before it. */
export function restorePhotos(database: Database, ids: readonly PhotoId[]): void {
  const names = photoColumns.replace(
    ' name,',
    " CASE WHEN name IN (SELECT name FROM photos) THEN id || ' ' || name ELSE name END,",
  );
  const photo = database.prepare(
    `INSERT OR IGNORE INTO photos (${photoColumns}) SELECT ${names} FROM removed_photos WHERE id = @id`,
  );
  const pairs = database.prepare(
    `INSERT OR IGNORE INTO pairs (${pairColumns}) SELECT ${pairColumns} FROM removed_pairs
      WHERE (a = @id OR b = @id) AND a IN (SELECT id FROM photos) AND b IN (SELECT id FROM photos)`,
  );
  for (const id of ids) photo.run({ id });
  for (const id of ids) pairs.run({ id });
}

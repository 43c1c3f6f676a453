import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import {
  emptyScene,
  sceneDocument,
  storedFrame,
  type SceneChange,
  type SceneDocument,
  type StoredFrame,
} from '../contract/scene.js';

/** The scene document as it is stored; a part that can't be read counts as not there. */
export function readScene(database: Database): SceneDocument {
  const rows = database.prepare('SELECT key, value FROM scene').all() as { key: string; value: string }[];
  // Of each row its own part alone: the defaults of the others would cover what other rows say.
  const parts = rows.flatMap(({ key, value }) => {
    const part = sceneDocument.partial().safeParse({ [key]: parsed(value) });
    return part.success && Object.hasOwn(part.data, key) ? [{ [key]: part.data[key as keyof SceneDocument] }] : [];
  });
  return Object.assign(emptyScene(), ...parts) as SceneDocument;
}

/** Beside the document, of which it is no part: edits of the document and their inverses leave it alone. */
const UNDECIDED = 'undecided-frame';

export function readUndecidedFrame(database: Database): StoredFrame | undefined {
  const text = database.prepare('SELECT value FROM scene WHERE key = ?').pluck().get(UNDECIDED);
  return typeof text === 'string' ? storedFrame.safeParse(parsed(text)).data : undefined;
}

export function writeUndecidedFrame(database: Database, frame: StoredFrame): void {
  database.prepare('INSERT OR REPLACE INTO scene (key, value) VALUES (?, ?)').run(UNDECIDED, JSON.stringify(frame));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function changeScene(database: Database, change: SceneChange): void {
  const remove = database.prepare('DELETE FROM scene WHERE key = ?');
  const put = database.prepare('INSERT OR REPLACE INTO scene (key, value) VALUES (?, ?)');
  for (const [key, value] of Object.entries(change)) {
    if (value === null) remove.run(key);
    else if (value !== undefined) put.run(key, JSON.stringify(value));
  }
}

/** What takes a change back. */
export function inverseChange(before: SceneDocument, change: SceneChange): SceneChange {
  return Object.fromEntries(Object.keys(change).map((key) => [key, before[key as keyof SceneDocument] ?? null]));
}

/** @returns the name of the mask: the SHA-256 of its bytes, lower-case hex */
export function putMask(database: Database, bytes: Uint8Array): string {
  const id = createHash('sha256').update(bytes).digest('hex');
  database.prepare('INSERT OR IGNORE INTO scene_masks (id, value) VALUES (?, ?)').run(id, bytes);
  return id;
}

/** The bytes of a mask; undefined when there is none, or when what is stored is not what was put. */
export function readMask(database: Database, id: string): Uint8Array | undefined {
  const row = database.prepare('SELECT value FROM scene_masks WHERE id = ?').get(id) as { value: Buffer } | undefined;
  if (!row || createHash('sha256').update(row.value).digest('hex') !== id) return undefined;
  return new Uint8Array(row.value);
}

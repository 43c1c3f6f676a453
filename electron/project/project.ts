import { renameSync, rmSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { SceneDocument, StoredFrame } from '../contract/scene.js';
import { ArrayCache } from '../compute/lazy-arrays.js';
import { partialPath, removeAbandoned } from '../compute/partial-file.js';
import { runSettings, type CameraInfo, type Edit, type RunSettings, type SettingsChange } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import type { Focal, ObservedView, Photo, PhotoId } from '../geometry/types.js';
import {
  alignedCameras,
  alignmentKey,
  dropAlignment,
  dropEarlier,
  readAlignment,
  writeAlignment,
  writeDecisions,
  type StoredAlignment,
} from './alignments.js';
import { History } from './history.js';
import {
  dropOutcome,
  putOutcome,
  readDigest,
  readView,
  readViewRecord,
  type OutcomeDigest,
  type StoredOutcome,
} from './observations.js';
import { keepLastRun, prune, putBlob, readBlob } from './pruning.js';
import {
  changeScene,
  inverseChange,
  putMask,
  readMask,
  readScene,
  readUndecidedFrame,
  writeUndecidedFrame,
} from './scene-document.js';
import { checkReplaceable, damagedProject, databaseError, openDatabase } from './open.js';
import { removePhotos, restorePhotos } from './removing.js';
import { snapshot } from './snapshot.js';
import { hasUnusable, removeUnusable, type Removed } from './sound.js';

/** A photo with what the user decided about it. */
export interface ProjectPhoto extends Photo {
  enabled: boolean;
  locked: boolean;
}

/** A pair of photos, ids in the order of the photos, and what became of it in the last run. */
export interface ProjectPair {
  a: PhotoId;
  b: PhotoId;
  enabled: boolean;
  state: 'planned' | 'observed' | 'rejected';
  reason?: string;
  confidence?: number;
  residual?: number;
  /** Degrees between the two lines of sight to the middle of what both show. */
  parallax?: number;
  /** Key of the stored outcome. */
  observation?: string;
}

/** What the file keeps as JSON. */
type Facts = Pick<Photo, 'look' | 'lens' | 'position' | 'orientation' | 'frame' | 'face' | 'mask' | 'known'>;

export type { OutcomeDigest, StoredOutcome } from './observations.js';

interface PhotoRow {
  id: string;
  path: string;
  name: string;
  width: number;
  height: number;
  size: number;
  focal_pixels: number | null;
  focal_source: string | null;
  user_focal: number | null;
  camera: string | null;
  taken_at: string | null;
  sharpness: number;
  enabled: number;
  locked: number;
  facts: string | null;
}

/**
 * A project file: photos by reference, settings, every observation ever made, the last alignment, the undo history, the
 * log.
 */
export class Project {
  readonly history: History;

  private constructor(
    readonly path: string,
    private readonly database: Database,
    private readonly afterClose?: () => void,
  ) {
    this.history = new History(database, (edit) => this.perform(edit));
    try {
      this.guard(() => {
        this.tell(removeUnusable(database));
        if (hasUnusable(database)) throw damagedProject(path);
      });
      this.dropEarlierAlignment();
    } catch (error) {
      // Nobody will close it: there is no project.
      database.close();
      throw error;
    }
  }

  /** What damage took is told in the log of the project, where its run would tell. */
  private tell(removed: Removed): void {
    const lines: Record<keyof Removed, string> = {
      photos: 'of its photos were damaged and left out; add them again',
      pairs: 'of its pairs were damaged; they are planned again by the next run',
      edits: 'steps of undo can no longer be read',
      settings: 'of its settings were damaged and are the usual ones again',
      log: 'lines of its log were damaged',
    };
    for (const [table, count] of Object.entries(removed))
      this.log('warning', `the project file was damaged: ${count} ${lines[table as keyof Removed]}`);
  }

  /** @throws UserError, see openDatabase */
  static open(path: string, mode: 'open' | 'create' = 'open'): Project {
    return new Project(path, openDatabase(path, mode));
  }

  /**
   * Opens a project to read: where it may not be written to, or another program has it open, a copy of it is read, and
   * the file stays as it is.
   *
   * @throws UserError, see openDatabase
   */
  static openToRead(path: string): Project {
    try {
      return new Project(path, openDatabase(path, 'open', 0));
    } catch (error) {
      if (!(error instanceof UserError && error.code === 'unwritable')) throw error;
      const { path: copy, remove } = snapshot(path);
      try {
        return new Project(path, openDatabase(copy, 'open'), remove);
      } catch (second) {
        remove();
        throw second;
      }
    }
  }

  close(): void {
    this.depthMaps.clear();
    this.database.close();
    this.afterClose?.();
  }

  /**
   * Writes a compact copy: what only earlier runs used is left out. The open project stays where it is. A project that has this name already is replaced, once
   * the copy is whole.
   *
   * @throws UserError 'unwritable' when what has this name is no project, or is open elsewhere; 'disk-full'
   */
  copyTo(path: string): void {
    checkReplaceable(path);
    const partial = partialPath(path);
    removeAbandoned(dirname(path));
    try {
      this.guard(() => {
        keepLastRun(this.database);
        this.database.prepare('VACUUM INTO ?').run(partial);
      }, path);
      // Its journal would be taken for the new file's.
      for (const ending of ['-wal', '-shm', '-journal']) rmSync(path + ending, { force: true });
      renameSync(partial, path);
    } catch (error) {
      rmSync(partial, { force: true });
      if (error instanceof UserError) throw error;
      throw new UserError(
        'unwritable',
        `the project can't be saved here (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}); choose another place: ${path}`,
        { cause: error },
      );
    }
  }

  // Photos

  addPhotos(photos: readonly { photo: Photo; thumbnail: Uint8Array }[]): void {
    this.guard(() => {
      const first = (
        this.database.prepare('SELECT coalesce(max(position), -1) + 1 AS next FROM photos').get() as { next: number }
      ).next;
      const insert = this.database
        .prepare(`INSERT INTO photos (id, position, path, name, width, height, size, focal_pixels, focal_source, camera, taken_at, sharpness, thumbnail, facts)
        VALUES (@id, @position, @path, @name, @width, @height, @size, @focalPixels, @focalSource, @camera, @takenAt, @sharpness, @thumbnail, @facts)`);
      this.database.transaction(() => {
        photos.forEach(({ photo, thumbnail }, k) =>
          insert.run({
            ...scalars(photo),
            position: first + k,
            thumbnail,
            focalPixels: photo.focal?.pixels ?? null,
            focalSource: photo.focal?.source ?? null,
            facts: encodeFacts(photo),
          }),
        );
      })();
    });
  }

  photos(): ProjectPhoto[] {
    return (
      this.database
        .prepare(
          'SELECT id, path, name, width, height, size, focal_pixels, focal_source, user_focal, camera, taken_at, sharpness, enabled, locked, facts FROM photos ORDER BY position',
        )
        .all() as PhotoRow[]
    ).map((row) => {
      const photo: ProjectPhoto = {
        ...decodeFacts(row.facts),
        id: row.id,
        path: row.path,
        name: row.name,
        width: row.width,
        height: row.height,
        size: row.size,
        sharpness: row.sharpness,
        enabled: row.enabled === 1,
        locked: row.locked === 1,
      };
      if (row.user_focal !== null) photo.focal = { pixels: row.user_focal, source: 'user' };
      else if (row.focal_pixels !== null)
        photo.focal = { pixels: row.focal_pixels, source: row.focal_source as Focal['source'] };
      if (row.camera !== null) photo.camera = row.camera;
      if (row.taken_at !== null) photo.takenAt = row.taken_at;
      return photo;
    });
  }

  thumbnail(id: PhotoId): Uint8Array | undefined {
    return (
      this.database.prepare('SELECT thumbnail FROM photos WHERE id = ?').get(id) as { thumbnail: Buffer } | undefined
    )?.thumbnail;
  }

  /** Another mask or known camera for a photo; undefined takes it off. */
  setFacts(id: PhotoId, change: Partial<Pick<Photo, 'mask' | 'known'>>): void {
    this.guard(() => {
      const row = this.database.prepare('SELECT facts FROM photos WHERE id = ?').get(id) as { facts: string | null };
      const facts = encodeFacts({ ...decodeFacts(row.facts), ...change });
      this.database.prepare('UPDATE photos SET facts = ? WHERE id = ?').run(facts, id);
    });
  }

  relocate(id: PhotoId, path: string): void {
    this.guard(() => this.database.prepare('UPDATE photos SET path = ? WHERE id = ?').run(path, id));
  }

  // Pairs

  pairs(): ProjectPair[] {
    return (this.database.prepare('SELECT * FROM pairs').all() as Record<string, unknown>[]).map((row) => {
      const known = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
      return { ...known, enabled: row.enabled === 1 } as ProjectPair;
    });
  }

  /** Replaces the plan; a pair the user disabled stays so. */
  planPairs(pairs: readonly { a: PhotoId; b: PhotoId }[]): void {
    this.guard(() =>
      this.database.transaction(() => {
        this.database.prepare('DELETE FROM pairs WHERE enabled = 1').run();
        this.database
          .prepare(
            `UPDATE pairs SET state = 'planned', reason = NULL, confidence = NULL, residual = NULL, parallax = NULL, observation = NULL`,
          )
          .run();
        const insert = this.database.prepare('INSERT OR IGNORE INTO pairs (a, b) VALUES (?, ?)');
        for (const { a, b } of pairs) insert.run(a, b);
      })(),
    );
  }

  /** In one transaction. */
  updatePairs(pairs: readonly Parameters<Project['updatePair']>[0][]): void {
    this.guard(() =>
      this.database.transaction(() => {
        for (const pair of pairs) this.updatePair(pair);
      })(),
    );
  }

  updatePair(pair: Partial<ProjectPair> & { a: PhotoId; b: PhotoId }): void {
    this.guard(() =>
      this.database
        .prepare(
          `UPDATE pairs SET state = coalesce(@state, state), reason = coalesce(@reason, reason), confidence = coalesce(@confidence, confidence),
      residual = coalesce(@residual, residual), parallax = coalesce(@parallax, parallax), observation = coalesce(@observation, observation) WHERE a = @a AND b = @b`,
        )
        .run({
          state: null,
          reason: null,
          confidence: null,
          residual: null,
          parallax: null,
          observation: null,
          ...pair,
          enabled: null,
        }),
    );
  }

  // Observations and the blobs of stages and estimators

  putOutcome(key: string, outcome: StoredOutcome): void {
    this.guard(() => putOutcome(this.database, key, outcome));
  }

  /** An outcome by reference; undefined when there is none or it is damaged. */
  outcome(key: string): OutcomeDigest | undefined {
    return this.guard(() => readDigest(this.database, key));
  }

  /** A damaged outcome is none. */
  hasOutcome(key: string): boolean {
    return this.outcome(key) !== undefined;
  }

  /** One view's stored pointmap, for threads to decode. */
  viewRecord(key: string, role: number): Uint8Array | undefined {
    return this.guard(() => readViewRecord(this.database, key, role));
  }

  /** One view's pointmap; undefined when it is missing or damaged. */
  observedView(key: string, role: number): ObservedView | undefined {
    return this.guard(() => readView(this.database, key, role));
  }

  dropOutcome(key: string): void {
    this.guard(() => dropOutcome(this.database, key));
  }

  /** Bytes by key. A value that is not as it was put is none. */
  readonly blobs = {
    get: (key: string): Uint8Array | undefined => this.guard(() => readBlob(this.database, key)),
    put: (key: string, value: Uint8Array): void => this.guard(() => putBlob(this.database, key, value)),
  };

  /** Marks what a finished run used, and removes what no recent one did (pruning.ts). */
  finishRun(keys: readonly string[]): void {
    this.guard(() => prune(this.database, keys));
  }

  // The last alignment

  /**
   * Depth maps that were read, as many as half of the setting `memory` holds: the other half is for what is made of
   * them.
   */
  private readonly depthMaps = new ArrayCache(() => this.memory() / 2);

  /** Gigabytes, where the project's own settings say nothing. */
  preferredMemory: number | undefined;

  /** Bytes that a run may take, as far as the studio can choose. */
  private memory(): number {
    const memory = this.settings().memory ?? this.preferredMemory;
    return memory === undefined ? totalmem() / 3 : memory * 1e9;
  }

  alignmentKey(): string | undefined {
    return alignmentKey(this.database);
  }
  alignment(): StoredAlignment | undefined {
    return this.guard(() => {
      const found = readAlignment(this.database, this.depthMaps);
      if (!found && dropAlignment(this.database))
        this.log(
          'warning',
          'the project file was damaged: its result is gone; start the run again, every pair that can be read is kept',
        );
      return found;
    });
  }
  /** The alignment is what these decisions would give as well: from now on it counts as made under them. */
  confirmAlignment(decisions: string): void {
    this.guard(() => writeDecisions(this.database, decisions));
  }
  /** @returns the same, its depth maps read from the file when they are used */
  async putAlignment(alignment: StoredAlignment): Promise<StoredAlignment> {
    return writeAlignment(this.database, alignment, {
      guard: (action) => this.guard(action),
      cache: this.depthMaps,
    });
  }
  /** To be called when nothing reads the depth maps of the alignment before the last any more. */
  dropEarlierAlignment(): void {
    this.guard(() => dropEarlier(this.database));
  }
  alignedCameras(): CameraInfo[] | undefined {
    return this.guard(() => alignedCameras(this.database));
  }

  // Settings and edits

  settings(): RunSettings {
    const rows = this.database.prepare('SELECT key, value FROM settings').all() as { key: string; value: string }[];
    return runSettings.parse(Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value) as unknown])));
  }

  // The scene document

  scene(): SceneDocument {
    return this.guard(() => readScene(this.database));
  }
  /** The frame of the last result while none is decided on; no edit makes it or takes it back. */
  undecidedFrame(): StoredFrame | undefined {
    return this.guard(() => readUndecidedFrame(this.database));
  }
  keepUndecidedFrame(frame: StoredFrame): void {
    this.guard(() => writeUndecidedFrame(this.database, frame));
  }
  /** Masks are stored before the edit that names them, and never changed. */
  putMask(bytes: Uint8Array): string {
    return this.guard(() => putMask(this.database, bytes));
  }
  mask(id: string): Uint8Array | undefined {
    return this.guard(() => readMask(this.database, id));
  }

  /** One undoable step. */
  apply(edit: Edit): void {
    this.guard(() => this.history.apply(edit, editLabel(edit), this.inverse(edit)));
  }

  private perform(edit: Edit): void {
    const each = <T>(sql: string, items: readonly T[], values: (item: T) => unknown[]) => {
      const statement = this.database.prepare(sql);
      for (const item of items) statement.run(...values(item));
    };
    switch (edit.kind) {
      case 'photos-enabled':
        return each('UPDATE photos SET enabled = ? WHERE id = ?', edit.photos, (id) => [Number(edit.enabled), id]);
      case 'photos-removed':
        return (edit.removed ? removePhotos : restorePhotos)(this.database, edit.photos);
      case 'photos-locked':
        return each('UPDATE photos SET locked = ? WHERE id = ?', edit.photos, (id) => [Number(edit.locked), id]);
      case 'focal':
        return each('UPDATE photos SET user_focal = ? WHERE id = ?', edit.photos, (id) => [edit.pixels, id]);
      case 'pairs-enabled':
        return each(
          'INSERT INTO pairs (a, b, enabled) VALUES (?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET enabled = excluded.enabled',
          edit.pairs,
          ([a, b]) => [...this.ordered(a, b), Number(edit.enabled)],
        );
      case 'scene':
        return changeScene(this.database, edit.change);
      case 'settings': {
        // Null, in a stored inverse, is a setting that was not made: JSON has no undefined.
        for (const [key, value] of Object.entries(edit.settings)) {
          if (value === undefined || value === null)
            this.database.prepare('DELETE FROM settings WHERE key = ?').run(key);
          else
            this.database
              .prepare('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)')
              .run(key, JSON.stringify(value));
        }
      }
    }
  }

  private inverse(edit: Edit): Edit[] {
    const photos = new Map(this.photos().map((photo) => [photo.id, photo]));
    switch (edit.kind) {
      case 'photos-enabled':
        return [
          {
            ...edit,
            enabled: !edit.enabled,
            photos: edit.photos.filter((id) => photos.get(id)?.enabled !== edit.enabled),
          },
        ];
      case 'photos-removed':
        return [
          { ...edit, removed: !edit.removed, photos: edit.photos.filter((id) => photos.has(id) === edit.removed) },
        ];
      case 'photos-locked':
        return [
          { ...edit, locked: !edit.locked, photos: edit.photos.filter((id) => photos.get(id)?.locked !== edit.locked) },
        ];
      case 'focal':
        return edit.photos.map((id) => {
          const focal = photos.get(id)?.focal;
          return { kind: 'focal', photos: [id], pixels: focal?.source === 'user' ? focal.pixels : null };
        });
      case 'pairs-enabled': {
        const enabled = new Map(this.pairs().map((pair) => [`${pair.a} ${pair.b}`, pair.enabled]));
        return [
          {
            ...edit,
            enabled: !edit.enabled,
            pairs: edit.pairs.filter(([a, b]) => (enabled.get(this.ordered(a, b).join(' ')) ?? true) !== edit.enabled),
          },
        ];
      }
      case 'scene':
        return [{ ...edit, change: inverseChange(this.scene(), edit.change) }];
      case 'settings': {
        const before = this.settings();
        return [
          {
            kind: 'settings',
            settings: Object.fromEntries(
              Object.keys(edit.settings).map((key) => [key, before[key as keyof RunSettings] ?? null]),
            ) as SettingsChange,
          },
        ];
      }
    }
  }

  private ordered(a: PhotoId, b: PhotoId): [PhotoId, PhotoId] {
    const position = this.database.prepare('SELECT position FROM photos WHERE id = ?').pluck();
    return Number(position.get(a)) <= Number(position.get(b)) ? [a, b] : [b, a];
  }

  // The run

  /** A run was begun and has not ended: it is going on, or was ended by a crash. */
  get interrupted(): boolean {
    return this.database.prepare('SELECT 1 FROM run').get() !== undefined;
  }

  set interrupted(running: boolean) {
    this.guard(() =>
      this.database.prepare(running ? 'INSERT OR IGNORE INTO run (id) VALUES (1)' : 'DELETE FROM run').run(),
    );
  }

  // The job log

  log(level: string, message: string): { time: string; level: string; message: string } {
    const line = { time: new Date().toISOString(), level, message };
    this.guard(() =>
      this.database.prepare('INSERT INTO log (time, level, message) VALUES (@time, @level, @message)').run(line),
    );
    return line;
  }

  readLog(last = 500): { time: string; level: string; message: string }[] {
    return (
      this.database.prepare('SELECT time, level, message FROM log ORDER BY id DESC LIMIT ?').all(last) as {
        time: string;
        level: string;
        message: string;
      }[]
    ).reverse();
  }

  private guard<T>(action: () => T, path = this.path): T {
    try {
      return action();
    } catch (error) {
      throw databaseError(error, path);
    }
  }
}

function editLabel(edit: Edit): string {
  const count = (items: readonly unknown[], noun: string) => `${items.length} ${noun}${items.length === 1 ? '' : 's'}`;
  switch (edit.kind) {
    case 'photos-enabled':
      return `${edit.enabled ? 'Enable' : 'Disable'} ${count(edit.photos, 'photo')}`;
    case 'photos-removed':
      return `${edit.removed ? 'Remove' : 'Bring back'} ${count(edit.photos, 'photo')}`;
    case 'photos-locked':
      return `${edit.locked ? 'Lock' : 'Unlock'} ${count(edit.photos, 'photo')}`;
    case 'pairs-enabled':
      return `${edit.enabled ? 'Enable' : 'Disable'} ${count(edit.pairs, 'pair')}`;
    case 'focal':
      return edit.pixels === null
        ? `Clear the focal of ${count(edit.photos, 'photo')}`
        : `Set the focal of ${count(edit.photos, 'photo')}`;
    case 'scene':
      return edit.title;
    case 'settings':
      return 'Change settings';
  }
}

function scalars({ id, path, name, width, height, size, camera, takenAt, sharpness }: Photo) {
  return { id, path, name, width, height, size, camera: camera ?? null, takenAt: takenAt ?? null, sharpness };
}

function encodeFacts({ look, lens, position, orientation, frame, face, mask, known }: Facts): string | null {
  const text = JSON.stringify({ look, lens, position, orientation, frame, face, mask, known });
  return text === '{}' ? null : text;
}

/** A damaged record says nothing: the photo itself is still good. */
function decodeFacts(text: string | null): Facts {
  if (text === null) return {};
  try {
    const { look, lens, position, orientation, frame, face, mask, known } = JSON.parse(text) as Facts;
    const facts = Object.entries({ look, lens, position, orientation, frame, face, mask, known });
    return Object.fromEntries(facts.filter(([, value]) => value !== undefined && value !== null));
  } catch {
    return {};
  }
}

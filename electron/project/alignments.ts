import type { Database } from 'better-sqlite3';
import { packBits, unpackBits } from './bits.js';
import type { CameraInfo } from '../contract/api.js';
import type { DepthMap, OriginalFromView, PhotoId } from '../geometry/types.js';

/** A stored result of alignment: all that fusion, exports and reports need, without another estimator call. */
export interface StoredAlignment {
  /** What it was computed from. */
  key: string;
  /** What the user had decided when it was made: edits since then make it stale. */
  decisions: string;
  /** Largest first. */
  components: { cameras: CameraInfo[]; views: StoredView[] }[];
  unplaced: { photo: PhotoId; reason: string }[];
  /** Relative to depth. */
  viewResidual: Record<PhotoId, number>;
  warnings: string[];
  objective: number;
  iterations: number;
  estimator: string;
  provider: string;
  pairs: number;
  /** What was aligned: a pair seen in both directions is two. Not in files of the first versions. */
  observations?: number;
  /** Name of the sparse model among the project's blobs that the cameras come from, where there is one. */
  sparse?: string;
  /** Wall-clock seconds per stage of the run that made it. */
  seconds: Record<string, number>;
}

/** One view of a component: its depth map, and its pixels for the colours. */
export interface StoredView extends DepthMap {
  /** sRGB [height, width, 3]. */
  pixels: Uint8Array;
}

interface Summary extends Omit<StoredAlignment, 'key' | 'components'> {
  components: {
    cameras: CameraInfo[];
    views: {
      photo: PhotoId;
      width: number;
      height: number;
      originalFromView: OriginalFromView;
      focal: number;
      centreX: number;
      centreY: number;
    }[];
  }[];
}

/** Only the latest is kept: an older one is computed again from the cached observations in seconds. */
export function writeAlignment(database: Database, { key, components, ...rest }: StoredAlignment): void {
  const summary: Summary = {
    ...rest,
    components: components.map(({ cameras, views }) => ({
      cameras,
      views: views.map(({ photo, width, height, originalFromView, focal, centreX, centreY }) => ({
        photo,
        width,
        height,
        originalFromView,
        focal,
        centreX,
        centreY,
      })),
    })),
  };
  database.transaction(() => {
    database.prepare('DELETE FROM alignments').run();
    const { lastInsertRowid } = database
      .prepare('INSERT INTO alignments (key, summary) VALUES (?, ?)')
      .run(key, JSON.stringify(summary));
    const insert = database.prepare(
      'INSERT INTO aligned_views (alignment, photo, depth, confidence, pixels, inferred) VALUES (?, ?, ?, ?, ?, ?)',
    );
    for (const view of components.flatMap(({ views }) => views)) {
      insert.run(
        lastInsertRowid,
        view.photo,
        asBytes(view.depth),
        asBytes(view.confidence),
        asBytes(view.pixels),
        view.inferred ? packBits(view.inferred) : null,
      );
    }
  })();
}

export function writeDecisions(database: Database, decisions: string): void {
  database.prepare(`UPDATE alignments SET summary = json_set(summary, '$.decisions', ?)`).run(decisions);
}

export function alignmentKey(database: Database): string | undefined {
  return (database.prepare('SELECT key FROM alignments').get() as { key: string } | undefined)?.key;
}

export function readAlignment(database: Database): StoredAlignment | undefined {
  const row = database.prepare('SELECT id, key, summary FROM alignments').get() as
    { id: number; key: string; summary: string } | undefined;
  if (!row) return undefined;
  const { components, ...rest } = JSON.parse(row.summary) as Summary;
  const read = database.prepare(
    'SELECT depth, confidence, pixels, inferred FROM aligned_views WHERE alignment = ? AND photo = ?',
  );
  return {
    ...rest,
    key: row.key,
    components: components.map(({ cameras, views }) => ({
      cameras,
      views: views.map((view) => {
        const { depth, confidence, pixels, inferred } = read.get(row.id, view.photo) as Record<
          'depth' | 'confidence' | 'pixels',
          Buffer
        > & { inferred: Buffer | null };
        return {
          ...view,
          depth: new Float32Array(new Uint8Array(depth).buffer),
          confidence: new Float32Array(new Uint8Array(confidence).buffer),
          pixels: new Uint8Array(pixels),
          ...(inferred ? { inferred: unpackBits(inferred, view.width * view.height) } : {}),
        };
      }),
    })),
  };
}

function asBytes(array: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

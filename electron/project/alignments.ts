import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { cameraInfo, type CameraInfo } from '../contract/api.js';
import { packBits, unpackBits } from './bits.js';
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
    views: SummaryView[];
  }[];
}

interface SummaryView {
  photo: PhotoId;
  width: number;
  height: number;
  originalFromView: OriginalFromView;
  focal: number;
  centreX: number;
  centreY: number;
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

/** @returns whether there was one */
export const dropAlignment = (database: Database): boolean =>
  database.prepare('DELETE FROM alignments').run().changes > 0;

export function writeDecisions(database: Database, decisions: string): void {
  database.prepare(`UPDATE alignments SET summary = json_set(summary, '$.decisions', ?)`).run(decisions);
}

export function alignmentKey(database: Database): string | undefined {
  return (database.prepare('SELECT key FROM alignments').get() as { key: string } | undefined)?.key;
}

/**
 * @returns undefined when there is none, or none that can be read whole: it is made again from the observations in
 * seconds
 */
export function readAlignment(database: Database): StoredAlignment | undefined {
  const row = database.prepare('SELECT id, key, summary FROM alignments').get() as
    { id: number; key: string; summary: string } | undefined;
  const summary = row && parseSummary(row.summary);
  if (!summary) return undefined;
  const { components, ...rest } = summary;
  const read = database.prepare(
    'SELECT depth, confidence, pixels, inferred FROM aligned_views WHERE alignment = ? AND photo = ?',
  );
  const maps = (view: SummaryView): StoredView | undefined =>
    storedView(view, read.get(row.id, view.photo) as ViewRow | undefined);
  const found = components.map(({ cameras, views }) => ({ cameras, views: views.map(maps) }));
  if (found.some(({ views }) => views.includes(undefined))) return undefined;
  return { ...rest, key: row.key, components: found as StoredAlignment['components'] };
}

/** Only what others rely on: a newer program's fields pass. */
const readable = z.object({
  components: z.array(
    z.object({
      cameras: z.array(cameraInfo),
      views: z.array(
        z.object({
          photo: z.string(),
          width: z.number().int().positive(),
          height: z.number().int().positive(),
          originalFromView: z.object({
            scaleX: z.number(),
            scaleY: z.number(),
            offsetX: z.number(),
            offsetY: z.number(),
          }),
          focal: z.number().positive(),
          centreX: z.number(),
          centreY: z.number(),
        }),
      ),
    }),
  ),
  unplaced: z.array(z.object({ photo: z.string(), reason: z.string() })),
  viewResidual: z.record(z.string(), z.number()),
  warnings: z.array(z.string()),
  estimator: z.string(),
  provider: z.string(),
  pairs: z.number(),
  seconds: z.record(z.string(), z.number()),
});

function parseSummary(text: string): Summary | undefined {
  try {
    const summary = JSON.parse(text) as Summary;
    const { success } = readable.safeParse(summary);
    const matching = success && summary.components.every(({ cameras, views }) => cameras.length === views.length);
    return matching ? summary : undefined;
  } catch {
    return undefined;
  }
}

interface ViewRow {
  depth: Buffer;
  confidence: Buffer;
  pixels: Buffer;
  inferred: Buffer | null;
}

function storedView(view: SummaryView, row: ViewRow | undefined): StoredView | undefined {
  const count = view.width * view.height;
  if (!row || row.depth?.length !== 4 * count || row.confidence?.length !== 4 * count) return undefined;
  if (row.pixels?.length !== 3 * count) return undefined;
  if (row.inferred && row.inferred.length !== (count + 7) >> 3) return undefined;
  return {
    ...view,
    depth: new Float32Array(new Uint8Array(row.depth).buffer),
    confidence: new Float32Array(new Uint8Array(row.confidence).buffer),
    pixels: new Uint8Array(row.pixels),
    ...(row.inferred ? { inferred: unpackBits(row.inferred, count) } : {}),
  };
}

function asBytes(array: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

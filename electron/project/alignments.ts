import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { withLazyArrays, type ArrayCache } from '../compute/lazy-arrays.js';
import { checksum } from '../compute/record.js';
import { UserError } from '../contract/errors.js';
import { cameraInfo, type CameraInfo } from '../contract/api.js';
import { packBits, unpackBits } from '../numerics/bits.js';
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

/** Of an alignment that is being written; found at the next write, it is what a crash left. */
const PENDING = 'pending';
/** Before the number of an earlier one: what is still shown reads its depth maps, until the next is shown. */
const EARLIER = 'earlier ';

/**
 * Only the latest is kept: an older one is computed again from the cached observations in seconds. Written view by
 * view, with turns of the event loop between; the old one is there until the new one is whole, and its depth maps can
 * be read until `dropEarlier`.
 *
 * @returns what was written, its depth maps behind the cache
 */
export async function writeAlignment(
  database: Database,
  alignment: StoredAlignment,
  { guard, cache }: { guard: (action: () => void) => void; cache: ArrayCache },
): Promise<StoredAlignment> {
  const { key, components, ...rest } = alignment;
  const summary: Summary = {
    ...rest,
    components: components.map(({ cameras, views }) => ({ cameras, views: views.map(summaryOf) })),
  };
  const text = JSON.stringify(summary);
  let id: number | bigint = 0;
  guard(() => {
    database.prepare('DELETE FROM alignments WHERE key = ?').run(PENDING);
    id = database
      .prepare('INSERT INTO alignments (key, summary, checksum) VALUES (?, ?, ?)')
      .run(PENDING, text, sumOf(Buffer.from(text))).lastInsertRowid;
  });
  const insert = database.prepare(
    'INSERT INTO aligned_views (alignment, photo, depth, confidence, pixels, inferred, sky, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  for (const view of components.flatMap(({ views }) => views)) {
    const parts = [view.depth, view.confidence, view.pixels].map(asBytes);
    const flags = [view.inferred, view.sky].map((each) => (each ? packBits(each) : null));
    guard(() => insert.run(id, view.photo, ...parts, ...flags, sumOf(...parts, ...known(flags))));
    await new Promise((resolve) => setImmediate(resolve));
  }
  guard(() =>
    database.transaction(() => {
      database.prepare('UPDATE alignments SET key = ? || id WHERE id <> ?').run(EARLIER, id);
      database.prepare('UPDATE alignments SET key = ? WHERE id = ?').run(key, id);
    })(),
  );
  const views = (each: readonly StoredView[]): StoredView[] =>
    each.map((view) =>
      storedView(database, cache, {
        ...{ id, view: summaryOf(view) },
        inferred: view.inferred !== undefined,
        sky: view.sky !== undefined,
      }),
    );
  return { ...alignment, components: components.map(({ cameras, views: own }) => ({ cameras, views: views(own) })) };
}

/** The alignments before the last, once nothing that is shown reads them any more. */
export function dropEarlier(database: Database): void {
  database.prepare(`DELETE FROM alignments WHERE key GLOB '${EARLIER}*'`).run();
}

/** The cameras of the largest component of the stored alignment. */
export function alignedCameras(database: Database): CameraInfo[] | undefined {
  const row = summaryRow(database);
  return row && parseSummary(row.summary)?.components[0]?.cameras;
}

interface SummaryRow {
  id: number;
  key: string;
  summary: string;
  checksum: Buffer | null;
}

/** Undefined when there is none, or it is not as it was written. */
function summaryRow(database: Database): SummaryRow | undefined {
  const row = database
    .prepare(`SELECT id, key, summary, checksum FROM alignments WHERE key <> ? AND key NOT GLOB '${EARLIER}*'`)
    .get(PENDING) as SummaryRow | undefined;
  return row && isWhole(row.checksum, Buffer.from(row.summary)) ? row : undefined;
}

/** @returns whether there was one */
export function dropAlignment(database: Database): boolean {
  database.prepare('DELETE FROM alignments WHERE key = ?').run(PENDING);
  dropEarlier(database);
  return database.prepare('DELETE FROM alignments').run().changes > 0;
}

export function writeDecisions(database: Database, decisions: string): void {
  const row = summaryRow(database);
  if (!row) return;
  const text = JSON.stringify({ ...(JSON.parse(row.summary) as Summary), decisions });
  database
    .prepare('UPDATE alignments SET summary = ?, checksum = ? WHERE id = ?')
    .run(text, sumOf(Buffer.from(text)), row.id);
}

export function alignmentKey(database: Database): string | undefined {
  return summaryRow(database)?.key;
}

/**
 * Every depth map is looked at once, whether it is whole, and read again when it is used.
 *
 * @returns undefined when there is none, or none that can be read whole: it is made again from the observations in
 * seconds
 */
export function readAlignment(database: Database, cache: ArrayCache): StoredAlignment | undefined {
  const row = summaryRow(database);
  const summary = row && parseSummary(row.summary);
  if (!summary) return undefined;
  const { components, ...rest } = summary;
  const read = database.prepare(
    'SELECT depth, confidence, pixels, inferred, sky, checksum FROM aligned_views WHERE alignment = ? AND photo = ?',
  );
  const maps = (view: SummaryView): StoredView | undefined => {
    const found = read.get(row.id, view.photo) as ViewRow | undefined;
    if (!isSound(view, found)) return undefined;
    return storedView(database, cache, {
      ...{ id: row.id, view },
      inferred: found.inferred !== null,
      sky: found.sky !== null,
    });
  };
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
  sky: Buffer | null;
  checksum: Buffer | null;
}

function isSound(view: SummaryView, row: ViewRow | undefined): row is ViewRow {
  const count = view.width * view.height;
  if (!row || row.depth?.length !== 4 * count || row.confidence?.length !== 4 * count) return false;
  if (row.pixels?.length !== 3 * count) return false;
  const flags = known([row.inferred, row.sky]);
  if (flags.some(({ length }) => length !== (count + 7) >> 3)) return false;
  return isWhole(row.checksum, row.depth, row.confidence, row.pixels, ...flags);
}

/** Which flags a view has, a bit a pixel each. */
interface ViewFlags {
  inferred: boolean;
  sky: boolean;
}

/** Arrays of a view whose row was found to be whole before. */
function storedView(
  database: Database,
  cache: ArrayCache,
  { id, view, inferred, sky }: ViewFlags & { id: number | bigint; view: SummaryView },
): StoredView {
  const count = view.width * view.height;
  type Column = 'depth' | 'confidence' | 'pixels' | keyof ViewFlags;
  const read = (column: Column, bytes: number): Uint8Array<ArrayBuffer> => {
    const found = database
      .prepare(`SELECT ${column} AS value FROM aligned_views WHERE alignment = ? AND photo = ?`)
      .get(id, view.photo) as { value: Buffer } | undefined;
    if (found?.value?.length !== bytes)
      throw new UserError('bad-input', 'a depth map of the project can not be read any more; run it again');
    // A Buffer may be a part of a larger pool.
    return new Uint8Array(found.value);
  };
  const flags = (column: keyof ViewFlags): Uint8Array => unpackBits(read(column, (count + 7) >> 3), count);
  return withLazyArrays<StoredView>(cache, view, {
    depth: () => new Float32Array(read('depth', 4 * count).buffer),
    confidence: () => new Float32Array(read('confidence', 4 * count).buffer),
    pixels: () => read('pixels', 3 * count),
    ...(inferred ? { inferred: () => flags('inferred') } : {}),
    ...(sky ? { sky: () => flags('sky') } : {}),
  });
}

/** Without the arrays, and without reading them. */
function summaryOf({ photo, width, height, originalFromView, focal, centreX, centreY }: StoredView): SummaryView {
  return { photo, width, height, originalFromView, focal, centreX, centreY };
}

const known = <T>(list: readonly (T | null)[]): T[] => list.filter((each) => each !== null);

/** Rows of files up to version 5 have no checksum. */
function isWhole(expected: Buffer | null, ...parts: readonly Uint8Array[]): boolean {
  return expected === null || expected.equals(sumOf(...parts));
}

const sumOf = (...parts: readonly Uint8Array[]): Buffer => Buffer.from(checksum(...parts));

function asBytes(array: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

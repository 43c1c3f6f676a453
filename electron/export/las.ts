import { piecesOf } from '../geometry/cloud.js';
import type { PointCloud, Scene } from '../geometry/types.js';
import type { ExportFile } from './types.js';

type Points = Pick<Scene, 'cloud' | 'whole'>;

export interface Bounds {
  least: number[];
  greatest: number[];
  /** Of the points. */
  count: number;
}

export interface LasOptions {
  /** Added to every coordinate: where the scene's origin lies in the coordinate system. */
  offset: readonly [number, number, number];
  /** Length of the smallest step of a coordinate. */
  step: number;
  /** OGC WKT of the coordinate system, where it is known. */
  wkt?: string | undefined;
  /** Of the file. */
  date: Date;
  software: string;
}

const HEADER = 375;
const RECORD_HEADER = 54;
/** Format 7 (30 bytes and RGB of 16 bits), and the confidence as extra bytes. */
const POINT = 36 + 4;
const POINTS_PER_CHUNK = 1 << 15;
const WKT_FLAG = 16;

/** LAS 1.4 (ASPRS, revision 15), point format 7, z up, with the confidence of each point as extra bytes. */
export function las(scene: Points, name: string, options: LasOptions): ExportFile {
  return { name, chunks: lasChunks(scene, options) };
}

async function* lasChunks(scene: Points, options: LasOptions): AsyncGenerator<Uint8Array> {
  const records = [extraBytesRecord(), ...(options.wkt ? [wktRecord(options.wkt)] : [])];
  // Coordinates are 32-bit steps from the header's own offset.
  const { count, ...bounds } = await boundsOf(scene);
  const origin = bounds.least.map((value, i) => Math.floor(value) + options.offset[i]!);
  yield headerOf(options, records, count, bounds, origin);
  yield* records;
  for await (const piece of piecesOf(scene)) yield* pieceChunks(piece, origin, options);
}

function* pieceChunks(cloud: PointCloud, origin: readonly number[], options: LasOptions): Generator<Uint8Array> {
  const count = cloud.confidence.length;
  for (let first = 0; first < count; first += POINTS_PER_CHUNK) {
    const n = Math.min(POINTS_PER_CHUNK, count - first);
    const bytes = new Uint8Array(n * POINT);
    const view = new DataView(bytes.buffer);
    for (let k = 0; k < n; k++) {
      const at = k * POINT;
      for (let i = 0; i < 3; i++)
        view.setInt32(
          at + 4 * i,
          Math.round((cloud.positions[3 * (first + k) + i]! + options.offset[i]! - origin[i]!) / options.step),
          true,
        );
      // The only return of one.
      bytes[at + 14] = 0x11;
      view.setUint16(at + 20, cloud.source[first + k]!, true);
      // 16 bits a channel, as the format asks: 255 becomes 65535.
      for (let i = 0; i < 3; i++) view.setUint16(at + 30 + 2 * i, cloud.colors[3 * (first + k) + i]! * 257, true);
      view.setFloat32(at + 36, cloud.confidence[first + k]!, true);
    }
    yield bytes;
  }
}

/** The box round all points of a scene, and their number. */
export async function boundsOf(scene: Points): Promise<Bounds> {
  const least = [Infinity, Infinity, Infinity];
  const greatest = [-Infinity, -Infinity, -Infinity];
  let count = 0;
  for await (const { positions } of piecesOf(scene)) {
    for (let k = 0; k < positions.length; k++) {
      const i = k % 3;
      least[i] = Math.min(least[i]!, positions[k]!);
      greatest[i] = Math.max(greatest[i]!, positions[k]!);
    }
    count += positions.length / 3;
  }
  return count > 0 ? { least, greatest, count } : { least: [0, 0, 0], greatest: [0, 0, 0], count };
}

function text(bytes: Uint8Array, at: number, length: number, value: string): void {
  bytes.set(new TextEncoder().encode(value).subarray(0, length), at);
}

function headerOf(
  { offset, step, date, software }: LasOptions,
  records: readonly Uint8Array[],
  count: number,
  bounds: { least: number[]; greatest: number[] },
  origin: readonly number[],
): Uint8Array {
  const bytes = new Uint8Array(HEADER);
  const view = new DataView(bytes.buffer);
  text(bytes, 0, 4, 'LASF');
  // Point formats from 6 on tell their coordinate system as WKT.
  view.setUint16(6, WKT_FLAG, true);
  bytes[24] = 1;
  bytes[25] = 4;
  text(bytes, 26, 32, 'EXTRACTION');
  text(bytes, 58, 32, software);
  const start = Date.UTC(date.getUTCFullYear(), 0, 1);
  view.setUint16(90, Math.floor((date.getTime() - start) / 86_400_000) + 1, true);
  view.setUint16(92, date.getUTCFullYear(), true);
  view.setUint16(94, HEADER, true);
  const before = HEADER + records.reduce((sum, record) => sum + record.length, 0);
  view.setUint32(96, before, true);
  view.setUint32(100, records.length, true);
  bytes[104] = 7;
  view.setUint16(105, POINT, true);
  for (let i = 0; i < 3; i++) {
    view.setFloat64(131 + 8 * i, step, true);
    view.setFloat64(155 + 8 * i, origin[i]!, true);
    // As the steps of the points say, or a reader finds points outside.
    const stepped = (value: number): number => Math.round((value + offset[i]! - origin[i]!) / step) * step + origin[i]!;
    view.setFloat64(179 + 16 * i, stepped(bounds.greatest[i]!), true);
    view.setFloat64(187 + 16 * i, stepped(bounds.least[i]!), true);
  }
  view.setBigUint64(247, BigInt(count), true);
  view.setBigUint64(255, BigInt(count), true);
  return bytes;
}

function recordOf(user: string, id: number, description: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER + data.length);
  const view = new DataView(bytes.buffer);
  text(bytes, 2, 16, user);
  view.setUint16(18, id, true);
  view.setUint16(20, data.length, true);
  text(bytes, 22, 32, description);
  bytes.set(data, RECORD_HEADER);
  return bytes;
}

/** Names the four bytes after each point. */
function extraBytesRecord(): Uint8Array {
  const data = new Uint8Array(192);
  const FLOAT = 9;
  data[2] = FLOAT;
  text(data, 4, 32, 'confidence');
  text(data, 160, 32, 'of the depth; at least 1');
  return recordOf('LASF_Spec', 4, 'extra bytes', data);
}

function wktRecord(wkt: string): Uint8Array {
  return recordOf('LASF_Projection', 2112, 'OGC WKT', new TextEncoder().encode(`${wkt}\0`));
}

/**
 * The binary form of a cloud as a viewer receives it (`cloud/<revision>/<component>`): a JSON header with its length,
 * padded to four bytes, then the arrays one after another. Points are shuffled, so any prefix is an even subsample of
 * the whole: a viewer can draw the first tenth while turning, and all when still.
 */
import { decodeHeader, encodeHeader } from './framed.js';

export interface CloudArrays {
  /** [N, 3] world. */
  positions: Float32Array;
  /** [N], at least 1. */
  confidence: Float32Array;
  /** [N] index into the component's cameras. */
  source: Uint16Array;
  /** [N, 3] sRGB. */
  colors: Uint8Array;
  /** [N, 3] unit vectors times 127. */
  normals?: Int8Array;
  /** [N] pixel of the source's depth map, in reading order: what deletions name a point by. */
  pixel?: Uint32Array;
  /** [N] 1 where the point was completed, not measured. */
  inferred?: Uint8Array;
  /** Of each camera of the component. */
  maps?: readonly CloudMap[];
}

/** A depth map's size, and its way to pixels of the original photo (geometry/types.ts, OriginalFromView). */
export interface CloudMap {
  width: number;
  height: number;
  originalFromView: {
    scaleX: number;
    scaleY: number;
    offsetX: number;
    offsetY: number;
    radial?: { focal: number; centreX: number; centreY: number; k1: number; k2?: number };
  };
}

interface Header {
  version: 1;
  count: number;
  normals: boolean;
  /** Whether any point is. */
  inferred?: boolean;
  /** Without it the cloud's points have no pixels. */
  maps?: readonly CloudMap[];
}

/** Writes the points in a fixed pseudo-random order. */
export function encodeCloud(
  cloud: {
    positions: Float32Array;
    colors: Uint8Array;
    confidence: Float32Array;
    source: Uint16Array;
    normals?: Float32Array;
    pixel?: Uint32Array;
    inferred?: Uint8Array;
  },
  maps?: readonly CloudMap[],
): Uint8Array {
  const count = cloud.confidence.length;
  const header: Header = { version: 1, count, normals: cloud.normals !== undefined };
  if (cloud.inferred?.includes(1)) header.inferred = true;
  if (cloud.pixel && maps)
    header.maps = maps.map(({ width, height, originalFromView }) => ({ width, height, originalFromView }));
  const start = encodeHeader(header);
  const offsets = layout(start.length, header);
  const bytes = new Uint8Array(offsets.end);
  bytes.set(start);
  const target = arrays(bytes.buffer, offsets, header);
  const order = shuffled(count);
  for (let i = 0; i < count; i++) {
    const from = order[i]!;
    for (let axis = 0; axis < 3; axis++) {
      target.positions[i * 3 + axis] = cloud.positions[from * 3 + axis]!;
      target.colors[i * 3 + axis] = cloud.colors[from * 3 + axis]!;
      if (target.normals) target.normals[i * 3 + axis] = Math.round(cloud.normals![from * 3 + axis]! * 127);
    }
    target.confidence[i] = cloud.confidence[from]!;
    target.source[i] = cloud.source[from]!;
    if (target.pixel) target.pixel[i] = cloud.pixel![from]!;
    if (target.inferred) target.inferred[i] = cloud.inferred![from]!;
  }
  return bytes;
}

/**
 * Views into the buffer, nothing copied. Little-endian, as every machine this runs on.
 * @throws RangeError when the buffer is cut off
 */
export function decodeCloud(buffer: ArrayBuffer): CloudArrays {
  const start = decodeHeader<Header>(new Uint8Array(buffer));
  if (!start) throw new RangeError('a cloud was cut off');
  return arrays(buffer, layout(start.end, start.header), start.header);
}

/** Bytes of the whole, from its beginning; undefined while too little of it is there to say. */
export function cloudSize(start: Uint8Array): number | undefined {
  const found = decodeHeader<Header>(start);
  return found && layout(found.end, found.header).end;
}

interface Offsets {
  positions: number;
  confidence: number;
  pixel: number;
  source: number;
  colors: number;
  normals: number;
  inferred: number;
  end: number;
}

/** Widest elements first, so that every array is aligned. */
function layout(start: number, { count, normals, inferred, maps }: Header): Offsets {
  const positions = start;
  const confidence = positions + count * 12;
  const pixel = confidence + count * 4;
  const source = pixel + (maps ? count * 4 : 0);
  const colors = source + count * 2;
  const normalsAt = colors + count * 3;
  const inferredAt = normalsAt + (normals ? count * 3 : 0);
  const end = inferredAt + (inferred ? count : 0);
  return { positions, confidence, pixel, source, colors, normals: normalsAt, inferred: inferredAt, end };
}

function arrays(buffer: ArrayBuffer, at: Offsets, { count, normals, inferred, maps }: Header): CloudArrays {
  return {
    positions: new Float32Array(buffer, at.positions, count * 3),
    confidence: new Float32Array(buffer, at.confidence, count),
    source: new Uint16Array(buffer, at.source, count),
    colors: new Uint8Array(buffer, at.colors, count * 3),
    ...(maps ? { maps, pixel: new Uint32Array(buffer, at.pixel, count) } : {}),
    ...(inferred ? { inferred: new Uint8Array(buffer, at.inferred, count) } : {}),
    ...(normals ? { normals: new Int8Array(buffer, at.normals, count * 3) } : {}),
  };
}

/** Fisher and Yates, with a fixed seed: the same cloud always gives the same bytes. */
function shuffled(count: number): Uint32Array {
  const order = new Uint32Array(count);
  let state = 0x9e3779b9;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    order[i] = order[j]!;
    order[j] = i;
  }
  return order;
}

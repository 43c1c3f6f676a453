import type { PointCloud } from './types.js';

/**
 * A cloud photo by photo. The points of a part are made when they are asked for, the same each time: of a large scene
 * never all lie in memory.
 */
export interface CloudParts {
  /** Points of each part. */
  counts: readonly number[];
  /** Made anew with each call. */
  part(index: number): PointCloud;
}

/** Part after part in one piece. @param breathe awaited between parts */
export async function joinedParts(parts: CloudParts, breathe: () => Promise<void>): Promise<PointCloud> {
  const cloud = emptyCloud(parts.counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (let k = 0; k < parts.counts.length; k++) {
    await breathe();
    put(cloud, at, parts.part(k));
    at += parts.counts[k]!;
  }
  return cloud;
}

/** With all that a point may have. */
export function emptyCloud(count: number): Required<Omit<PointCloud, 'parts'>> {
  return {
    positions: new Float32Array(count * 3),
    colors: new Uint8Array(count * 3),
    normals: new Float32Array(count * 3),
    confidence: new Float32Array(count),
    source: new Uint16Array(count),
    pixel: new Uint32Array(count),
    inferred: new Uint8Array(count),
  };
}

function put(cloud: Required<Omit<PointCloud, 'parts'>>, at: number, part: PointCloud): void {
  cloud.positions.set(part.positions, 3 * at);
  cloud.colors.set(part.colors, 3 * at);
  if (part.normals) cloud.normals.set(part.normals, 3 * at);
  cloud.confidence.set(part.confidence, at);
  cloud.source.set(part.source, at);
  if (part.pixel) cloud.pixel.set(part.pixel, at);
  if (part.inferred) cloud.inferred.set(part.inferred, at);
}

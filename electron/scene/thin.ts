import type { PointCloud } from '../geometry/types.js';

/** Keeps, of the points in each cube of side `voxelSize`, the most confident one. */
export function thin(cloud: PointCloud, voxelSize: number): PointCloud {
  const count = cloud.confidence.length;
  const best = new Map<string, number>();
  for (let k = 0; k < count; k++) {
    const key = `${Math.floor(cloud.positions[3 * k]! / voxelSize)},${Math.floor(cloud.positions[3 * k + 1]! / voxelSize)},${Math.floor(cloud.positions[3 * k + 2]! / voxelSize)}`;
    const present = best.get(key);
    if (present === undefined || cloud.confidence[k]! > cloud.confidence[present]!) best.set(key, k);
  }
  return select(cloud, Uint32Array.from(best.values()).sort());
}

/** The points at the given indices, in that order. */
export function select(cloud: PointCloud, indices: ArrayLike<number>): PointCloud {
  const n = indices.length;
  const out: PointCloud = { positions: new Float32Array(n * 3), colors: new Uint8Array(n * 3), confidence: new Float32Array(n), source: new Uint16Array(n) };
  if (cloud.normals) out.normals = new Float32Array(n * 3);
  for (let k = 0; k < n; k++) {
    const from = indices[k]!;
    for (let i = 0; i < 3; i++) {
      out.positions[3 * k + i] = cloud.positions[3 * from + i]!;
      out.colors[3 * k + i] = cloud.colors[3 * from + i]!;
      if (out.normals) out.normals[3 * k + i] = cloud.normals![3 * from + i]!;
    }
    out.confidence[k] = cloud.confidence[from]!;
    out.source[k] = cloud.source[from]!;
  }
  return out;
}

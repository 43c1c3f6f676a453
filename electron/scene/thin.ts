import type { PointCloud } from '../geometry/types.js';

/**
 * Keeps, of the points in each cube of side `voxelSize`, the most confident one. An open-addressed table of point
 * indices: a Map of keys as strings took 1 kB a cube and gave up at 16.7 million.
 */
export function thin(cloud: PointCloud, voxelSize: number): PointCloud {
  const { positions, confidence } = cloud;
  let farthest = 0;
  for (const value of positions) farthest = Math.max(farthest, Math.abs(value));
  // Cubes below the step of a float32 separate nothing more, and beyond 2^31 of them all have one place in the table:
  // a side of 1e-30 was quadratic in the points.
  voxelSize = Math.max(voxelSize, farthest * 2 ** -24);
  if (!(voxelSize > 0)) return cloud;
  const count = confidence.length;
  const size = 2 ** Math.ceil(Math.log2(Math.max(16, 2 * count)));
  const table = new Int32Array(size).fill(-1);
  const cell = (point: number, axis: number) => Math.floor(positions[3 * point + axis]! / voxelSize);
  for (let k = 0; k < count; k++) {
    const [x, y, z] = [cell(k, 0), cell(k, 1), cell(k, 2)];
    let slot = (Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(z, 83492791)) & (size - 1);
    for (;;) {
      const present = table[slot]!;
      if (present < 0) {
        table[slot] = k;
        break;
      }
      if (cell(present, 0) === x && cell(present, 1) === y && cell(present, 2) === z) {
        if (confidence[k]! > confidence[present]!) table[slot] = k;
        break;
      }
      slot = (slot + 1) & (size - 1);
    }
  }
  return select(cloud, table.filter((point) => point >= 0).sort());
}

/** The points at the given indices, in that order. */
export function select(cloud: PointCloud, indices: ArrayLike<number>): PointCloud {
  const n = indices.length;
  const out: PointCloud = {
    positions: new Float32Array(n * 3),
    colors: new Uint8Array(n * 3),
    confidence: new Float32Array(n),
    source: new Uint16Array(n),
  };
  if (cloud.normals) out.normals = new Float32Array(n * 3);
  if (cloud.pixel) out.pixel = new Uint32Array(n);
  if (cloud.inferred) out.inferred = new Uint8Array(n);
  for (let k = 0; k < n; k++) {
    const from = indices[k]!;
    for (let i = 0; i < 3; i++) {
      out.positions[3 * k + i] = cloud.positions[3 * from + i]!;
      out.colors[3 * k + i] = cloud.colors[3 * from + i]!;
      if (out.normals) out.normals[3 * k + i] = cloud.normals![3 * from + i]!;
    }
    out.confidence[k] = cloud.confidence[from]!;
    out.source[k] = cloud.source[from]!;
    if (out.pixel) out.pixel[k] = cloud.pixel![from]!;
    if (out.inferred) out.inferred[k] = cloud.inferred![from]!;
  }
  return out;
}

import { oppositeHalfEdges } from './half-edges.js';
import type { Mesh } from './types.js';

export interface SmoothOptions {
  /** Rounds of averaging normals: each reaches one face farther. */
  normalRounds: number;
  /** Normals farther apart than this (length of their difference; 0.5 is 29 degrees) are two sides of an edge. */
  edge: number;
  /** Rounds of moving vertices to fit the normals. */
  vertexRounds: number;
}

export const SMOOTH_DEFAULTS: SmoothOptions = { normalRounds: 12, edge: 0.5, vertexRounds: 12 };

/**
 * Takes the noise off faces and leaves edges: normals are averaged with those of neighbours that differ little, then
 * vertices move to fit them (bilateral normal filtering, Zheng et al., TVCG 2011; vertices after Sun et al. 2007).
 * Vertices on a border stay: it is not known what goes on behind it.
 */
export function smooth(mesh: Mesh, options: Partial<SmoothOptions> = {}): Mesh {
  const { normalRounds, edge, vertexRounds } = { ...SMOOTH_DEFAULTS, ...options };
  const { indices } = mesh;
  const positions = mesh.positions.slice();
  const opposite = oppositeHalfEdges(indices);
  const { normals, areas } = faceNormals(positions, indices);
  let filtered = normals;
  for (let round = 0; round < normalRounds; round++) filtered = averaged(filtered, areas, opposite, edge);
  const still = new Uint8Array(positions.length / 3);
  for (let h = 0; h < indices.length; h++) {
    if (opposite[h] !== -1) continue;
    still[indices[h]!] = 1;
    still[indices[h % 3 === 2 ? h - 2 : h + 1]!] = 1;
  }
  for (let round = 0; round < vertexRounds; round++) moveVertices(positions, indices, filtered, still);
  return { ...mesh, positions };
}

/** Unit normals [faces, 3] and areas [faces]; a face of no area has the normal 0. */
export function faceNormals(
  positions: Float32Array,
  indices: Uint32Array,
): { normals: Float32Array; areas: Float32Array } {
  const normals = new Float32Array(indices.length);
  const areas = new Float32Array(indices.length / 3);
  for (let t = 0; t < indices.length; t += 3) {
    const a = 3 * indices[t]!;
    const b = 3 * indices[t + 1]!;
    const c = 3 * indices[t + 2]!;
    const ux = positions[b]! - positions[a]!;
    const uy = positions[b + 1]! - positions[a + 1]!;
    const uz = positions[b + 2]! - positions[a + 2]!;
    const vx = positions[c]! - positions[a]!;
    const vy = positions[c + 1]! - positions[a + 1]!;
    const vz = positions[c + 2]! - positions[a + 2]!;
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    const length = Math.sqrt(nx * nx + ny * ny + nz * nz);
    areas[t / 3] = length / 2;
    if (length === 0) continue;
    normals[t] = nx / length;
    normals[t + 1] = ny / length;
    normals[t + 2] = nz / length;
  }
  return { normals, areas };
}

/** One round: each face's normal with its three neighbours', by area and by likeness. */
export function averaged(normals: Float32Array, areas: Float32Array, opposite: Int32Array, edge: number): Float32Array {
  const out = new Float32Array(normals.length);
  const sharpness = 1 / (2 * edge * edge);
  for (let t = 0; t < areas.length; t++) {
    const at = 3 * t;
    const nx = normals[at]!;
    const ny = normals[at + 1]!;
    const nz = normals[at + 2]!;
    let x = nx * areas[t]!;
    let y = ny * areas[t]!;
    let z = nz * areas[t]!;
    for (let i = 0; i < 3; i++) {
      const across = opposite[at + i]!;
      if (across < 0) continue;
      const other = across - (across % 3);
      const dx = normals[other]! - nx;
      const dy = normals[other + 1]! - ny;
      const dz = normals[other + 2]! - nz;
      const weight = areas[other / 3]! * Math.exp(-(dx * dx + dy * dy + dz * dz) * sharpness);
      x += weight * normals[other]!;
      y += weight * normals[other + 1]!;
      z += weight * normals[other + 2]!;
    }
    const length = Math.sqrt(x * x + y * y + z * z);
    if (length === 0) continue;
    out[at] = x / length;
    out[at + 1] = y / length;
    out[at + 2] = z / length;
  }
  return out;
}

/** Each vertex by the mean of its distances from the planes of its faces, along their normals. */
function moveVertices(positions: Float32Array, indices: Uint32Array, normals: Float32Array, still: Uint8Array): void {
  const moves = new Float32Array(positions.length);
  const counts = new Uint8Array(still.length);
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [3 * indices[t]!, 3 * indices[t + 1]!, 3 * indices[t + 2]!];
    const [nx, ny, nz] = [normals[t]!, normals[t + 1]!, normals[t + 2]!];
    const mx = (positions[a]! + positions[b]! + positions[c]!) / 3;
    const my = (positions[a + 1]! + positions[b + 1]! + positions[c + 1]!) / 3;
    const mz = (positions[a + 2]! + positions[b + 2]! + positions[c + 2]!) / 3;
    for (let i = 0; i < 3; i++) {
      const v = 3 * indices[t + i]!;
      const away = nx * (mx - positions[v]!) + ny * (my - positions[v + 1]!) + nz * (mz - positions[v + 2]!);
      moves[v] = moves[v]! + away * nx;
      moves[v + 1] = moves[v + 1]! + away * ny;
      moves[v + 2] = moves[v + 2]! + away * nz;
      counts[v / 3] = Math.min(255, counts[v / 3]! + 1);
    }
  }
  for (let k = 0; k < positions.length; k++) {
    const v = (k / 3) | 0;
    if (still[v] === 0 && counts[v]! > 0) positions[k] = positions[k]! + moves[k]! / counts[v]!;
  }
}

import { UnionFind } from '../numerics/union-find.js';
import { oppositeHalfEdges } from './half-edges.js';
import type { Mesh, ViewCamera } from './types.js';

export interface ComponentOptions {
  /** Pieces of less area go: square pixels of the depth map of the nearest camera that has them in its field. */
  leastPixels: number;
}

export const COMPONENT_DEFAULTS: ComponentOptions = { leastPixels: 600 };

/**
 * Leaves out pieces that hang together with nothing along an edge and are small: most float, and no photo says much
 * about them.
 */
export function withoutSmallPieces(
  mesh: Mesh,
  cameras: readonly ViewCamera[],
  options: Partial<ComponentOptions> = {},
): Mesh {
  const { leastPixels } = { ...COMPONENT_DEFAULTS, ...options };
  const { positions, indices } = mesh;
  const opposite = oppositeHalfEdges(indices);
  const root = componentsOf(opposite);
  const areas = new Float64Array(indices.length / 3);
  for (let t = 0; t < areas.length; t++) areas[root(t)]! += faceArea(positions, indices, t);
  const keep = new Uint8Array(areas.length);
  for (let t = 0; t < areas.length; t++) {
    if (root(t) === t && areas[t]! * pixelsPerUnit(positions, indices[3 * t]!, cameras) ** 2 >= leastPixels)
      keep[t] = 1;
  }
  return keepFaces(mesh, (t) => keep[root(t)] === 1);
}

/** The face that stands for the piece a face is in: what hangs together along edges. */
export function componentsOf(opposite: Int32Array): (face: number) => number {
  const joined = new UnionFind(opposite.length / 3);
  for (let h = 0; h < opposite.length; h++) {
    const across = opposite[h]!;
    if (across > h) joined.join(Math.floor(h / 3), Math.floor(across / 3));
  }
  return (face) => joined.root(face);
}

export function faceArea(positions: Float32Array, indices: Uint32Array, t: number): number {
  const [a, b, c] = [3 * indices[3 * t]!, 3 * indices[3 * t + 1]!, 3 * indices[3 * t + 2]!];
  const ux = positions[b]! - positions[a]!;
  const uy = positions[b + 1]! - positions[a + 1]!;
  const uz = positions[b + 2]! - positions[a + 2]!;
  const vx = positions[c]! - positions[a]!;
  const vy = positions[c + 1]! - positions[a + 1]!;
  const vz = positions[c + 2]! - positions[a + 2]!;
  return 0.5 * Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx);
}

/**
 * Of the camera that is nearest for its focal among those that have the vertex in their field; 0 where none has. A camera
 * that looks elsewhere says nothing: flecks of ten faces beside it counted as thousands of its pixels.
 */
export function pixelsPerUnit(positions: Float32Array, vertex: number, cameras: readonly ViewCamera[]): number {
  const [x, y, z] = [positions[3 * vertex]!, positions[3 * vertex + 1]!, positions[3 * vertex + 2]!];
  let most = 0;
  for (const { width, height, focal, centreX, centreY, cameraFromWorld: M } of cameras) {
    const away = M[8]! * x + M[9]! * y + M[10]! * z + M[11]!;
    if (away <= 0) continue;
    const right = M[0]! * x + M[1]! * y + M[2]! * z + M[3]!;
    const down = M[4]! * x + M[5]! * y + M[6]! * z + M[7]!;
    const [u, v] = [(focal * right) / away + centreX, (focal * down) / away + centreY];
    if (!(u >= -0.5 && v >= -0.5 && u < width - 0.5 && v < height - 0.5)) continue;
    most = Math.max(most, focal / Math.hypot(right, down, away));
  }
  return most;
}

/** The mesh of some of the faces, and of the vertices that they use. */
export function keepFaces({ positions, indices, support, inferred }: Mesh, keep: (face: number) => boolean): Mesh {
  const numbers = new Int32Array(positions.length / 3).fill(-1);
  const places = new Float32Array(positions.length);
  const supports = new Float32Array(support.length);
  const kept = new Uint32Array(indices.length);
  const flags = inferred && new Uint8Array(inferred.length);
  let n = 0;
  let vertices = 0;
  for (let t = 0; 3 * t < indices.length; t++) {
    if (!keep(t)) continue;
    if (flags) flags[n / 3] = inferred![t]!;
    for (let i = 0; i < 3; i++) {
      const from = indices[3 * t + i]!;
      if (numbers[from] === -1) {
        for (let c = 0; c < 3; c++) places[3 * vertices + c] = positions[3 * from + c]!;
        supports[vertices] = support[from]!;
        numbers[from] = vertices++;
      }
      kept[n++] = numbers[from]!;
    }
  }
  return {
    positions: places.slice(0, 3 * vertices),
    indices: kept.slice(0, n),
    support: supports.slice(0, vertices),
    ...(flags ? { inferred: flags.slice(0, n / 3) } : {}),
  };
}

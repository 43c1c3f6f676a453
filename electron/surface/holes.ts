import { componentsOf, faceArea, pixelsPerUnit } from './components.js';
import { borderLoops, oppositeHalfEdges } from './half-edges.js';
import { patchOver } from './patch.js';
import type { Mesh, ViewCamera } from './types.js';

export interface HoleOptions {
  /** Longest border of a hole that is filled in any case, in pixels of the nearest camera. */
  mostPixels: number;
  /** Most edges of such a border. */
  mostEdges: number;
  /** Fills larger holes too, if their cover is at most `mostShare` of the piece that they are in. */
  closeHoles: boolean;
  /** Above it a border is the rim of an open surface (a facade), and no hole. */
  mostShare: number;
}

export const HOLE_DEFAULTS: HoleOptions = { mostPixels: 60, mostEdges: 48, closeHoles: false, mostShare: 0.25 };

/**
 * Fills small holes, and on request large ones; the new faces are marked as inferred.
 *
 * @param cameras of the depth maps, to measure a border in pixels
 */
export function fillHoles(mesh: Mesh, cameras: readonly ViewCamera[], options: Partial<HoleOptions> = {}): Mesh {
  const settings = { ...HOLE_DEFAULTS, ...options };
  const { indices } = mesh;
  const opposite = oppositeHalfEdges(indices);
  const areas = settings.closeHoles ? pieceAreas(mesh, opposite) : undefined;
  const added: number[] = [];
  let { positions, support } = mesh;
  for (const loop of borderLoops(indices, opposite)) {
    // The new faces run along the border the other way around.
    const vertices = loop.map((h) => indices[h]!).reverse();
    if (vertices.length < 3 || new Set(vertices).size < vertices.length) continue;
    const small =
      vertices.length <= settings.mostEdges && pixelsAround(positions, vertices, cameras) <= settings.mostPixels;
    if (!small && !areas) continue;
    const mostArea = small ? Infinity : settings.mostShare * areas!((loop[0]! / 3) | 0);
    const patch = patchOver(positions, vertices, !small, mostArea);
    if (!patch) continue;
    for (const face of patch.faces) added.push(face);
    if (patch.added.length === 0) continue;
    positions = joined(positions, patch.added);
    support = joined(
      support,
      patch.added.filter((_, k) => k % 3 === 0).map(() => 0),
    );
  }
  const all = new Uint32Array(indices.length + added.length);
  all.set(indices);
  all.set(added, indices.length);
  const inferred = new Uint8Array(all.length / 3);
  if (mesh.inferred) inferred.set(mesh.inferred);
  inferred.fill(1, indices.length / 3);
  return { ...mesh, positions, support, indices: all, inferred };
}

function joined(values: Float32Array, more: readonly number[]): Float32Array {
  const out = new Float32Array(values.length + more.length);
  out.set(values);
  out.set(more, values.length);
  return out;
}

/** Area of the piece that a face is in. */
function pieceAreas({ positions, indices }: Mesh, opposite: Int32Array): (face: number) => number {
  const root = componentsOf(opposite);
  const areas = new Float64Array(indices.length / 3);
  for (let t = 0; t < areas.length; t++) areas[root(t)]! += faceArea(positions, indices, t);
  return (face) => areas[root(face)]!;
}

function pixelsAround(positions: Float32Array, vertices: readonly number[], cameras: readonly ViewCamera[]): number {
  let length = 0;
  vertices.forEach((a, k) => {
    length += distance(positions, a, vertices[(k + 1) % vertices.length]!);
  });
  return length * pixelsPerUnit(positions, vertices[0]!, cameras);
}

function distance(positions: Float32Array, a: number, b: number): number {
  return Math.hypot(
    positions[3 * a]! - positions[3 * b]!,
    positions[3 * a + 1]! - positions[3 * b + 1]!,
    positions[3 * a + 2]! - positions[3 * b + 2]!,
  );
}

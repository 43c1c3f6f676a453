import { pixelsPerUnit, type MeasuringCamera } from './components.js';
import { borderLoops, oppositeHalfEdges } from './half-edges.js';
import type { Mesh } from './types.js';

export interface HoleOptions {
  /** Longest border of a hole that is filled, in pixels of the nearest camera. */
  mostPixels: number;
  /** Most edges of such a border. */
  mostEdges: number;
}

export const HOLE_DEFAULTS: HoleOptions = { mostPixels: 60, mostEdges: 48 };

/**
 * Fills small holes by the triangulation of least area (Barequet and Sharir 1995); the new faces are marked as inferred.
 *
 * @param cameras of the depth maps, to measure a border in pixels
 */
export function fillHoles(mesh: Mesh, cameras: readonly MeasuringCamera[], options: Partial<HoleOptions> = {}): Mesh {
  const { mostPixels, mostEdges } = { ...HOLE_DEFAULTS, ...options };
  const { positions, indices } = mesh;
  const added: number[] = [];
  for (const loop of borderLoops(indices, oppositeHalfEdges(indices))) {
    if (loop.length > mostEdges || loop.length < 3) continue;
    const vertices = loop.map((h) => indices[h]!);
    if (new Set(vertices).size < vertices.length) continue;
    if (pixelsAround(positions, vertices, cameras) > mostPixels) continue;
    // The new faces run along the border the other way around.
    added.push(...leastArea(positions, vertices.reverse()));
  }
  const all = new Uint32Array(indices.length + added.length);
  all.set(indices);
  all.set(added, indices.length);
  const inferred = new Uint8Array(all.length / 3);
  if (mesh.inferred) inferred.set(mesh.inferred);
  inferred.fill(1, indices.length / 3);
  return { ...mesh, indices: all, inferred };
}

function pixelsAround(
  positions: Float32Array,
  vertices: readonly number[],
  cameras: readonly MeasuringCamera[],
): number {
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

function leastArea(positions: Float32Array, loop: readonly number[]): number[] {
  const n = loop.length;
  const cost = new Float64Array(n * n);
  const split = new Int32Array(n * n);
  for (let span = 2; span < n; span++) {
    for (let i = 0; i + span < n; i++) {
      const j = i + span;
      let best = Infinity;
      for (let k = i + 1; k < j; k++) {
        const value = cost[i * n + k]! + cost[k * n + j]! + area(positions, loop[i]!, loop[k]!, loop[j]!);
        if (value < best) {
          best = value;
          split[i * n + j] = k;
        }
      }
      cost[i * n + j] = best;
    }
  }
  const faces: number[] = [];
  const walk = (i: number, j: number): void => {
    if (j - i < 2) return;
    const k = split[i * n + j]!;
    faces.push(loop[i]!, loop[k]!, loop[j]!);
    walk(i, k);
    walk(k, j);
  };
  walk(0, n - 1);
  return faces;
}

function area(positions: Float32Array, a: number, b: number, c: number): number {
  const [ux, uy, uz] = [0, 1, 2].map((i) => positions[3 * b + i]! - positions[3 * a + i]!) as [number, number, number];
  const [vx, vy, vz] = [0, 1, 2].map((i) => positions[3 * c + i]! - positions[3 * a + i]!) as [number, number, number];
  return 0.5 * Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx);
}

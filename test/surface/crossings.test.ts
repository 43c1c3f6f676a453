import { describe, expect, it } from 'vitest';
import { crossingsOf, withoutCrossings } from '../../electron/surface/crossings.js';
import { oppositeHalfEdges } from '../../electron/surface/half-edges.js';
import { makeManifold } from '../../electron/surface/manifold.js';
import type { Mesh } from '../../electron/surface/types.js';

/** A sheet of side x side squares on `at`; the first index is `first`. */
function sheet(side: number, at: (x: number, y: number) => [number, number, number], first = 0) {
  const positions: number[] = [];
  const indices: number[] = [];
  for (let y = 0; y <= side; y++) for (let x = 0; x <= side; x++) positions.push(...at(x, y));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const v = first + y * (side + 1) + x;
      indices.push(v, v + 1, v + side + 1, v + 1, v + side + 2, v + side + 1);
    }
  }
  return { positions, indices };
}

function meshOf(...parts: { positions: number[]; indices: number[] }[]): Mesh {
  const positions = Float32Array.from(parts.flatMap((part) => part.positions));
  return {
    positions,
    indices: Uint32Array.from(parts.flatMap((part) => part.indices)),
    support: new Float32Array(positions.length / 3).fill(1),
  };
}

const SIDE = 20;
const flat = (x: number, y: number): [number, number, number] => [x, y, 0];

/** All pairs, without a grid. */
function slowly(mesh: Mesh): number {
  let count = 0;
  for (let a = 0; a < mesh.indices.length; a += 3)
    for (let b = a + 3; b < mesh.indices.length; b += 3)
      count += crossingsOf({
        ...mesh,
        indices: Uint32Array.of(...mesh.indices.subarray(a, a + 3), ...mesh.indices.subarray(b, b + 3)),
      }).length;
  return count;
}

describe('self-crossings', () => {
  it('are none in a sheet, whose faces only touch at corners and edges', () => {
    expect(crossingsOf(meshOf(sheet(SIDE, flat)))).toEqual([]);
  });

  it('are found wherever two sheets pass through each other, each pair once', () => {
    const other = sheet(4, (x, y) => [1.3 + x, 1.1 + 0.4 * y, 0.7 * y - 1.2], 49);
    const mesh = meshOf(sheet(6, flat), other);
    const found = crossingsOf(mesh);
    expect(found.length).toBeGreaterThan(5);
    expect(new Set(found.map(([a, b]) => `${Math.min(a, b)} ${Math.max(a, b)}`)).size).toBe(found.length);
    expect(found.length).toBe(slowly(mesh));
  });

  it('go where a vertex was pulled through its surroundings, and no face with them', () => {
    const mesh = meshOf(sheet(SIDE, (x, y) => [x, y, x === 10 && y === 10 ? 0.3 : Math.sin(x) * 0.01]));
    const middle = 3 * (10 * (SIDE + 1) + 10);
    mesh.positions.set([14.3, 10.2, -0.005], middle);
    expect(crossingsOf(mesh).length).toBeGreaterThan(0);
    const mended = withoutCrossings(mesh);
    expect(crossingsOf(mended)).toEqual([]);
    expect(mended.indices.length).toBe(mesh.indices.length);
    // The rest stays where it was.
    expect(mended.positions.subarray(0, 3)).toEqual(mesh.positions.subarray(0, 3));
  });

  it('are cut out where nothing unfolds them, and the mesh stays manifold', () => {
    const other = sheet(8, (x, y) => [2.3 + x, 3.1 + 0.4 * y, 0.7 * y - 2.4], (SIDE + 1) ** 2);
    const mesh = meshOf(sheet(SIDE, flat), other);
    const mended = withoutCrossings(mesh);
    expect(crossingsOf(mended)).toEqual([]);
    expect(mended.indices.length).toBeGreaterThan(0.7 * mesh.indices.length);
    // Each directed edge once.
    const edges = new Set<string>();
    mended.indices.forEach((v, h) => edges.add(`${v} ${mended.indices[h % 3 === 2 ? h - 2 : h + 1]!}`));
    expect(edges.size).toBe(mended.indices.length);
    expect(oppositeHalfEdges(mended.indices).length).toBe(mended.indices.length);
  });

  it('nor do faces lie on each other: two with opposite sides up both go, of two alike one stays', () => {
    const mesh = meshOf(sheet(2, flat));
    const faces = mesh.indices.length;
    const [a, b, c] = mesh.indices as unknown as [number, number, number];
    const twice = (...more: number[]) => makeManifold({ ...mesh, indices: Uint32Array.of(...mesh.indices, ...more) });
    expect(twice(b, a, c).indices.length).toBe(faces - 3);
    expect(twice(b, c, a).indices.length).toBe(faces);
    expect(twice().indices.length).toBe(faces);
  });
});

import { UnionFind } from '../numerics/union-find.js';
import { oppositeHalfEdges } from './half-edges.js';
import type { Mesh } from './types.js';

/**
 * Makes every edge one of at most two faces and every vertex one fan of faces: what meets in more ways is cut apart, and
 * the copies of a vertex move a little into their own fans, so that they don't touch. Faces of repeated corners go, and so
 * do two that lie on each other with opposite sides up: simplification leaves them of small closed pieces.
 */
export function makeManifold(mesh: Mesh): Mesh {
  const { indices, inferred } = withoutRepeated(mesh);
  const opposite = oppositeHalfEdges(indices);
  const fans = new UnionFind(indices.length);
  const next = (h: number): number => (h % 3 === 2 ? h - 2 : h + 1);
  for (let h = 0; h < indices.length; h++) {
    const other = opposite[h]!;
    if (other <= h) continue;
    fans.join(h, next(other));
    fans.join(next(h), other);
  }
  return renumbered(mesh, indices, inferred, (corner) => fans.root(corner));
}

function withoutRepeated({ indices, inferred }: Mesh): { indices: Uint32Array; inferred: Uint8Array | undefined } {
  const kept = new Uint32Array(indices.length);
  const flags = inferred && new Uint8Array(inferred.length);
  const twins = twinFaces(indices);
  let n = 0;
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [indices[t]!, indices[t + 1]!, indices[t + 2]!];
    if (a === b || b === c || a === c || twins.has(t / 3)) continue;
    if (flags) flags[n / 3] = inferred![t / 3]!;
    kept.set([a, b, c], n);
    n += 3;
  }
  return { indices: kept.slice(0, n), inferred: flags?.slice(0, n / 3) };
}

/** Faces that lie on another one of the same corners: both where opposite sides are up, else all but the first. */
function twinFaces(indices: Uint32Array): Set<number> {
  const twins = new Set<number>();
  /** The last face whose two smaller corners these are, and before it the one before. */
  const last = new Map<number, number>();
  const before = new Int32Array(indices.length / 3).fill(-1);
  for (let t = 0; t < before.length; t++) {
    const corners = cornersOf(indices, t);
    const key = corners.low * 2 ** 26 + corners.middle;
    before[t] = last.get(key) ?? -1;
    last.set(key, t);
    for (let other = before[t]!; other >= 0; other = before[other]!) {
      const found = cornersOf(indices, other);
      if (found.high !== corners.high || twins.has(other)) continue;
      twins.add(t);
      if (found.even !== corners.even) twins.add(other);
      break;
    }
  }
  return twins;
}

/** A face's corners by size, and whether their order is an even permutation of that. */
function cornersOf(indices: Uint32Array, t: number): { low: number; middle: number; high: number; even: boolean } {
  const [a, b, c] = [indices[3 * t]!, indices[3 * t + 1]!, indices[3 * t + 2]!];
  const low = Math.min(a, b, c);
  const high = Math.max(a, b, c);
  const next = low === a ? b : low === b ? c : a;
  return { low, middle: a + b + c - low - high, high, even: next !== high };
}

/** Copies of a vertex move this share of the way to the middle of their own faces. */
const APART = 0.02;

function renumbered(
  { positions, support }: Mesh,
  corners: Uint32Array,
  inferred: Uint8Array | undefined,
  root: (corner: number) => number,
): Mesh {
  const numbers = new Int32Array(corners.length).fill(-1);
  const sources: number[] = [];
  const indices = new Uint32Array(corners.length);
  for (let h = 0; h < corners.length; h++) {
    const fan = root(h);
    if (numbers[fan] === -1) numbers[fan] = sources.push(corners[h]!) - 1;
    indices[h] = numbers[fan]!;
  }
  const copies = new Uint8Array(support.length);
  for (const source of sources) copies[source] = Math.min(2, copies[source]! + 1);
  const places = new Float32Array(3 * sources.length);
  sources.forEach((source, k) => {
    for (let i = 0; i < 3; i++) places[3 * k + i] = positions[3 * source + i]!;
  });
  const middle = new Float64Array(3 * sources.length);
  const faces = new Uint32Array(sources.length);
  for (let h = 0; h < indices.length; h++) {
    const k = indices[h]!;
    if (copies[sources[k]!]! < 2) continue;
    const first = h - (h % 3);
    faces[k] = faces[k]! + 1;
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < 3; i++) middle[3 * k + i] = middle[3 * k + i]! + positions[3 * corners[first + c]! + i]! / 3;
  }
  for (let k = 0; k < sources.length; k++) {
    if (faces[k] === 0) continue;
    for (let i = 0; i < 3; i++) {
      const place = places[3 * k + i]!;
      places[3 * k + i] = place + APART * (middle[3 * k + i]! / faces[k]! - place);
    }
  }
  return {
    positions: places,
    indices,
    support: Float32Array.from(sources, (source) => support[source]!),
    ...(inferred ? { inferred } : {}),
  };
}

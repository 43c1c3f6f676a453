import { MOST_CANDIDATES, type Candidates } from './candidates.js';
import type { Page } from './bake.js';
import { levelAt, type Levels } from './levelling.js';
import { eachTexel, type Texels } from './texels.js';
import type { Mesh } from './types.js';

/**
 * Colours of all vertices, [vertices, 3] sRGB: the levelled colours of the faces around, and where no photo looks, what
 * spreads from the border of the seen.
 */
export function vertexColours(
  { positions, indices }: Pick<Mesh, 'positions' | 'indices'>,
  labels: Int16Array,
  candidates: Candidates,
  levels: Levels,
): Uint8Array {
  const vertices = positions.length / 3;
  const sums = new Float32Array(3 * vertices);
  const weights = new Float32Array(vertices);
  for (let t = 0; t < labels.length; t++) {
    const label = labels[t]!;
    if (label < 0) continue;
    let k = t * MOST_CANDIDATES;
    while (candidates.photo[k] !== label) k++;
    for (let c = 0; c < 3; c++) {
      const v = 3 * indices[3 * t + c]!;
      weights[v / 3]! += 1;
      const level = 3 * levelAt(levels, v / 3, label);
      for (let i = 0; i < 3; i++) sums[v + i]! += candidates.colour[3 * k + i]! + levels.offsets[level + i]!;
    }
  }
  spread(indices, labels, sums, weights);
  return Uint8Array.from({ length: 3 * vertices }, (_, k) => {
    const weight = weights[Math.floor(k / 3)]!;
    return weight > 0 ? Math.max(0, Math.min(255, Math.round(sums[k]! / weight))) : 128;
  });
}

/** Round by round, each vertex without colour takes the mean of its neighbours that have one. */
function spread(indices: Uint32Array, labels: Int16Array, sums: Float32Array, weights: Float32Array): void {
  let open: number[] = [];
  for (let t = 0; t < labels.length; t++) if (labels[t]! < 0) open.push(t);
  while (open.length > 0) {
    const fresh = new Map<number, [number, number, number, number]>();
    const rest: number[] = [];
    for (const t of open) {
      const corners = [indices[3 * t]!, indices[3 * t + 1]!, indices[3 * t + 2]!];
      if (corners.every((v) => weights[v]! > 0)) continue;
      rest.push(t);
      for (const v of corners) {
        if (weights[v]! > 0) continue;
        for (const other of corners) {
          if (weights[other] === 0) continue;
          const sum = fresh.get(v) ?? [0, 0, 0, 0];
          for (let i = 0; i < 3; i++) sum[i]! += sums[3 * other + i]! / weights[other]!;
          sum[3] += 1;
          fresh.set(v, sum);
        }
      }
    }
    if (fresh.size === 0) return;
    for (const [v, [r, g, b, n]] of fresh) {
      sums.set([r, g, b], 3 * v);
      weights[v] = n;
    }
    open = rest;
  }
}

/** Colours the faces that no photo shows from their vertices. */
export function bakeUnseen(page: Page, number: number, { mesh, texels, labels, colours }: BakeUnseenInput): void {
  for (let t = 0; t < labels.length; t++) {
    if (labels[t]! >= 0 || texels.page[t] !== number) continue;
    const [p, q, r] = [3 * mesh.indices[3 * t]!, 3 * mesh.indices[3 * t + 1]!, 3 * mesh.indices[3 * t + 2]!];
    eachTexel(texels.places.subarray(6 * t, 6 * t + 6), page.size, 0, page.size, (texel, a, b, c) => {
      for (let i = 0; i < 3; i++)
        page.sums[3 * texel + i] = Math.round(128 * (a * colours[p + i]! + b * colours[q + i]! + c * colours[r + i]!));
      page.weights[texel] = 128;
    });
  }
}

export interface BakeUnseenInput {
  mesh: Pick<Mesh, 'indices'>;
  texels: Texels;
  labels: Int16Array;
  /** [vertices, 3] */
  colours: Uint8Array;
}

/**
 * The page's picture, sRGB [size, size, 3]. Texels beside the charts repeat the nearest of theirs, so that filtering
 * and smaller levels of the texture find no black; what is farther away has the page's mean colour.
 */
export function finishPage({ size, sums, weights }: Page, padding = 6): Uint8Array {
  const pixels = new Uint8Array(3 * size * size);
  const mean = [0, 0, 0];
  let count = 0;
  let front: number[] = [];
  const known = new Uint8Array(size * size);
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k]!;
    if (weight === 0) continue;
    for (let i = 0; i < 3; i++) {
      const value = Math.min(255, Math.round(sums[3 * k + i]! / weight));
      pixels[3 * k + i] = value;
      mean[i]! += value;
    }
    known[k] = 1;
    count++;
    const x = k % size;
    if (
      (x > 0 && weights[k - 1] === 0) ||
      (x < size - 1 && weights[k + 1] === 0) ||
      weights[k - size] === 0 ||
      weights[k + size] === 0
    )
      front.push(k);
  }
  for (let step = 0; step < padding; step++) {
    const next: number[] = [];
    for (const k of front) {
      const x = k % size;
      for (const other of [x > 0 ? k - 1 : -1, x < size - 1 ? k + 1 : -1, k - size, k + size]) {
        if (other < 0 || other >= known.length || known[other]) continue;
        known[other] = 1;
        for (let i = 0; i < 3; i++) pixels[3 * other + i] = pixels[3 * k + i]!;
        next.push(other);
      }
    }
    front = next;
  }
  const fill = mean.map((sum) => Math.round(sum / Math.max(1, count)));
  for (let k = 0; k < known.length; k++) if (!known[k]) pixels.set(fill, 3 * k);
  return pixels;
}

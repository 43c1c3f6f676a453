import type { Mesh } from './types.js';

export interface ComponentOptions {
  /** Pieces of fewer faces go. */
  leastFaces: number;
}

export const COMPONENT_DEFAULTS: ComponentOptions = { leastFaces: 1500 };

/** Leaves out pieces that hang together with nothing and are small: most float, and no photo says much about them. */
export function withoutSmallPieces(mesh: Mesh, options: Partial<ComponentOptions> = {}): Mesh {
  const { leastFaces } = { ...COMPONENT_DEFAULTS, ...options };
  const { positions, indices } = mesh;
  const parent = Int32Array.from({ length: positions.length / 3 }, (_, k) => k);
  const root = (k: number): number => {
    while (parent[k] !== k) {
      parent[k] = parent[parent[k]!]!;
      k = parent[k]!;
    }
    return k;
  };
  for (let t = 0; t < indices.length; t += 3) {
    const a = root(indices[t]!);
    parent[root(indices[t + 1]!)] = a;
    parent[root(indices[t + 2]!)] = a;
  }
  const faces = new Uint32Array(parent.length);
  for (let t = 0; t < indices.length; t += 3) {
    const piece = root(indices[t]!);
    faces[piece] = faces[piece]! + 1;
  }
  return keepFaces(mesh, (t) => faces[root(indices[3 * t]!)]! >= leastFaces);
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

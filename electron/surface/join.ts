import type { BlockSurface } from './fusion.js';
import type { Mesh } from './types.js';

export interface JoinOptions {
  /** Vertices of less support are left out with their faces. */
  leastSupport: number;
}

export const JOIN_DEFAULTS: JoinOptions = { leastSupport: 0.3 };

/** One mesh from the surfaces of all blocks: vertices that are the same to the last bit are one. */
export function joinBlocks(blocks: readonly BlockSurface[], options: Partial<JoinOptions> = {}): Mesh {
  const { leastSupport } = { ...JOIN_DEFAULTS, ...options };
  const total = blocks.reduce((sum, { support }) => sum + support.length, 0);
  const faces = blocks.reduce((sum, { indices }) => sum + indices.length, 0);
  const places = new Float64Array(3 * total);
  const words = new Uint32Array(places.buffer);
  const support = new Float32Array(total);
  const indices = new Uint32Array(faces);
  let slots = 1024;
  while (slots < 2 * total) slots *= 2;
  const table = new Int32Array(slots);
  let count = 0;
  let used = 0;
  for (const block of blocks) {
    const numbers = new Int32Array(block.support.length).fill(-1);
    const vertex = (k: number): number => {
      if (numbers[k]! >= 0) return numbers[k]!;
      places.set(block.positions.subarray(3 * k, 3 * k + 3), 3 * count);
      let slot = hash(words, 6 * count) & (slots - 1);
      for (; table[slot] !== 0; slot = (slot + 1) & (slots - 1)) {
        const other = table[slot]! - 1;
        if (same(places, 3 * other, 3 * count)) return (numbers[k] = other);
      }
      table[slot] = count + 1;
      support[count] = block.support[k]!;
      return (numbers[k] = count++);
    };
    for (let t = 0; t < block.indices.length; t += 3) {
      const [a, b, c] = [block.indices[t]!, block.indices[t + 1]!, block.indices[t + 2]!];
      const least = Math.min(block.support[a]!, block.support[b]!, block.support[c]!);
      if (!(least >= leastSupport)) continue;
      indices[used++] = vertex(a);
      indices[used++] = vertex(b);
      indices[used++] = vertex(c);
    }
  }
  return {
    positions: Float32Array.from(places.subarray(0, 3 * count)),
    indices: indices.slice(0, used),
    support: support.slice(0, count),
  };
}

function hash(words: Uint32Array, at: number): number {
  let h = 0;
  for (let k = 0; k < 6; k++) h = Math.imul(h ^ words[at + k]!, 0x9e3779b1) ^ (h >>> 15);
  return h ^ (h >>> 16);
}

function same(places: Float64Array, a: number, b: number): boolean {
  return places[a] === places[b] && places[a + 1] === places[b + 1] && places[a + 2] === places[b + 2];
}

import type { Pair } from '../geometry/types.js';

/** Pairs per photo grow with neither the set's size nor its order: cost is linear in the number of photos. */
const NEIGHBOURS = 8;
/** Photos are usually taken walking: the next ones overlap even where they look different. */
const SEQUENCE = 2;

/**
 * Pairs of photos that look alike, their neighbours in the sequence, and a maximum spanning tree of similarity, so that
 * the graph is connected. Comparing the descriptors is quadratic, but 1,000 photos take under a second; looking at a
 * pair takes longer.
 */
export function nearestPairs(descriptors: readonly Float32Array[]): Pair[] {
  const count = descriptors.length;
  const similarity = descriptors.map((a) => Float32Array.from(descriptors, (b) => dot(a, b)));
  const pairs: Pair[] = [];
  for (let a = 0; a < count; a++) {
    const row = similarity[a]!;
    const order = Array.from({ length: count }, (_, b) => b)
      .filter((b) => b !== a)
      .sort((b, c) => row[c]! - row[b]!);
    for (const b of order.slice(0, NEIGHBOURS)) pairs.push({ a, b });
    for (let step = 1; step <= SEQUENCE && a + step < count; step++) pairs.push({ a, b: a + step });
  }
  return [...pairs, ...spanningTree(similarity)];
}

/** Prim's algorithm on a dense matrix. */
function spanningTree(similarity: readonly Float32Array[]): Pair[] {
  const count = similarity.length;
  const best = new Float32Array(count).fill(-Infinity);
  const parent = new Int32Array(count).fill(-1);
  const reached = new Uint8Array(count);
  const pairs: Pair[] = [];
  best[0] = Infinity;
  for (let step = 0; step < count; step++) {
    let next = -1;
    for (let k = 0; k < count; k++) if (!reached[k] && (next < 0 || best[k]! > best[next]!)) next = k;
    reached[next] = 1;
    if (parent[next]! >= 0) pairs.push({ a: parent[next]!, b: next });
    for (let k = 0; k < count; k++) {
      if (!reached[k] && similarity[next]![k]! > best[k]!) {
        best[k] = similarity[next]![k]!;
        parent[k] = next;
      }
    }
  }
  return pairs;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

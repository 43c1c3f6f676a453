import { DESCRIPTOR } from '../features/features.js';
import { randomNumbers } from '../numerics/linear.js';

/** Bits of a signature. */
const BITS = 64;

/**
 * Visual words in two levels (Nister and Stewenius, "Scalable Recognition with a Vocabulary Tree", CVPR 2006): branches,
 * and under each as many words.
 */
export interface Vocabulary {
  branches: number;
  /** [branches, 128] and [branches, leaves, 128], as descriptors. */
  roots: Float32Array;
  words: Float32Array;
  leaves: number;
}

/** How a photo's features look to retrieval; shared memory, so that threads read it without a copy. */
export interface PhotoWords {
  count: number;
  /** [count] nearest word. */
  word: Uint16Array;
  /** [count, 2] signature within the word. */
  signature: Uint32Array;
}

/**
 * @param bytes a u32 for the branches and one for the leaves of each, little-endian, then roots and words, a byte a
 *   number
 */
export function decodeVocabulary(bytes: Uint8Array): Vocabulary {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [branches, leaves] = [view.getUint32(0, true), view.getUint32(4, true)];
  const rootEnd = 8 + branches * DESCRIPTOR;
  const end = rootEnd + branches * leaves * DESCRIPTOR;
  if (bytes.length !== end) throw new Error(`the vocabulary of visual words has ${bytes.length} bytes, not ${end}`);
  return {
    branches,
    leaves,
    roots: Float32Array.from(bytes.subarray(8, rootEnd)),
    words: Float32Array.from(bytes.subarray(rootEnd, end)),
  };
}

export function encodeVocabulary({ branches, leaves, roots, words }: Vocabulary): Uint8Array {
  const bytes = new Uint8Array(8 + roots.length + words.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, branches, true);
  view.setUint32(4, leaves, true);
  bytes.set(
    roots.map((value) => Math.round(value)),
    8,
  );
  bytes.set(
    words.map((value) => Math.round(value)),
    8 + roots.length,
  );
  return bytes;
}

/** As they are kept between runs, little-endian. */
export function encodeWords({ count, word, signature }: PhotoWords): Uint8Array {
  const out = new Uint8Array(4 + 10 * count);
  new DataView(out.buffer).setUint32(0, count, true);
  out.set(new Uint8Array(signature.buffer, signature.byteOffset, 8 * count), 4);
  out.set(new Uint8Array(word.buffer, word.byteOffset, 2 * count), 4 + 8 * count);
  return out;
}

/** Undefined for a missing record and for one that is damaged. */
export function decodeWords(bytes: Uint8Array | undefined): PhotoWords | undefined {
  if (!bytes || bytes.length < 4) return undefined;
  const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (bytes.length !== 4 + 10 * count) return undefined;
  const found = emptyWords(count);
  new Uint8Array(found.signature.buffer).set(bytes.subarray(4, 4 + 8 * count));
  new Uint8Array(found.word.buffer).set(bytes.subarray(4 + 8 * count));
  return found;
}

function emptyWords(count: number): PhotoWords {
  return {
    count,
    word: new Uint16Array(new SharedArrayBuffer(2 * count)),
    signature: new Uint32Array(new SharedArrayBuffer(8 * count)),
  };
}

/** Branches that are searched for the nearest word: the best one alone misses it for one feature in five. */
const SEARCHED = 3;

/**
 * The word of every descriptor and its signature: on which side of the word it lies along 64 directions (Jegou, Douze
 * and Schmid, "Hamming Embedding and Weak Geometric Consistency", ECCV 2008; the word's own centre in place of a trained
 * median).
 *
 * @param descriptors [count, 128]
 */
export function quantise(vocabulary: Vocabulary, descriptors: Uint8Array): PhotoWords {
  const { roots, words, leaves } = vocabulary;
  const count = descriptors.length / DESCRIPTOR;
  const photo = emptyWords(count);
  const { word, signature } = photo;
  const directions = projections();
  const residual = new Float32Array(DESCRIPTOR);
  for (let k = 0; k < count; k++) {
    const descriptor = descriptors.subarray(k * DESCRIPTOR, (k + 1) * DESCRIPTOR);
    let best = { distance: Infinity, word: 0 };
    for (const { index: branch } of nearest(roots, 0, vocabulary.branches, descriptor, SEARCHED)) {
      const found = nearest(words, branch * leaves, leaves, descriptor, 1)[0]!;
      if (found.distance < best.distance) best = { distance: found.distance, word: branch * leaves + found.index };
    }
    word[k] = best.word;
    for (let i = 0; i < DESCRIPTOR; i++) residual[i] = descriptor[i]! - words[best.word * DESCRIPTOR + i]!;
    for (let bit = 0; bit < BITS; bit++) {
      let sum = 0;
      for (let i = 0; i < DESCRIPTOR; i++) sum += directions[bit * DESCRIPTOR + i]! * residual[i]!;
      if (sum > 0) signature[2 * k + (bit >> 5)] = signature[2 * k + (bit >> 5)]! | (1 << (bit & 31));
    }
  }
  return photo;
}

/** The `wanted` nearest of `count` centres from `first` on, nearest first; indices count from `first`. */
export function nearest(
  centres: Float32Array,
  first: number,
  count: number,
  descriptor: ArrayLike<number>,
  wanted: number,
): { index: number; distance: number }[] {
  const found: { index: number; distance: number }[] = [];
  for (let index = 0; index < count; index++) {
    const at = (first + index) * DESCRIPTOR;
    const limit = found.length < wanted ? Infinity : found[found.length - 1]!.distance;
    let distance = 0;
    for (let i = 0; i < DESCRIPTOR && distance < limit; i += 16) {
      for (let j = i; j < i + 16; j++) {
        const d = centres[at + j]! - descriptor[j]!;
        distance += d * d;
      }
    }
    if (distance >= limit) continue;
    if (found.length === wanted) found.pop();
    let place = found.length;
    while (place > 0 && found[place - 1]!.distance > distance) place--;
    found.splice(place, 0, { index, distance });
  }
  return found;
}

let kept: Float32Array | undefined;

/** [64, 128] directions, orthonormal, the same everywhere. */
function projections(): Float32Array {
  if (kept) return kept;
  const random = randomNumbers(64);
  const rows: number[][] = [];
  while (rows.length < BITS) {
    const row = Array.from({ length: DESCRIPTOR }, () => random() + random() + random() - 1.5);
    for (const other of rows) {
      const along = row.reduce((sum, value, i) => sum + value * other[i]!, 0);
      row.forEach((value, i) => (row[i] = value - along * other[i]!));
    }
    const length = Math.hypot(...row);
    rows.push(row.map((value) => value / length));
  }
  kept = Float32Array.from(rows.flat());
  return kept;
}

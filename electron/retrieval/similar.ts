import type { PhotoWords } from './vocabulary.js';

export interface SimilarOptions {
  /** Candidates of each photo. */
  candidates: number;
  /** Signatures of one thing differ in at most this many of 64 bits; those of chance in 32 on average. */
  mostBits: number;
  /** Features of a photo that take part, the first ones: those with most contrast. */
  features: number;
}

export const SIMILAR_DEFAULTS: SimilarOptions = { candidates: 40, mostBits: 20, features: 2500 };

/** Of each photo's votes so many times the candidates are kept, so that the whole grows with the number of photos. */
const KEPT = 3;

export interface Candidate {
  photo: number;
  score: number;
}

/**
 * For every photo those that show the same things, best first: an inverted file over visual words, in which features
 * with like signatures vote for their photo (Jegou et al., ECCV 2008), each at most once; rare words count more. Scores
 * are then made comparable between photos by what each photo scores with its own best candidates, so that plain photos
 * find partners too and one photo is not everybody's.
 */
export function similarPhotos(
  photos: readonly PhotoWords[],
  words: number,
  options: SimilarOptions = SIMILAR_DEFAULTS,
): Candidate[][] {
  const counts = photos.map(({ count }) => Math.min(count, options.features));
  const file = invert(photos, counts, words);
  const votes = photos.map((photo, index) => vote(photo, index, counts[index]!, file, photos.length, options));
  // Votes of both directions together; a pair counts by the mean.
  const both = symmetric(votes, photos.length);
  const level = both.map((list) => {
    const best = list
      .map(({ score }) => score)
      .sort((p, q) => q - p)
      .slice(0, 10);
    return best.reduce((sum, score) => sum + score, 0) / Math.max(1, best.length);
  });
  return both.map((list, a) =>
    list
      .map(({ photo, score }) => ({ photo, score: score / Math.sqrt(level[a]! * level[photo]! || 1) }))
      .sort((p, q) => q.score - p.score || p.photo - q.photo)
      .slice(0, options.candidates),
  );
}

/** Features of each word: photo and signature, photos in order. */
interface InvertedFile {
  /** [words + 1] */
  start: Int32Array;
  photo: Int32Array;
  /** [features, 2] */
  signature: Uint32Array;
  /** Per word: squared rarity. */
  weight: Float32Array;
}

function invert(photos: readonly PhotoWords[], counts: readonly number[], words: number): InvertedFile {
  const start = new Int32Array(words + 1);
  const holders = new Int32Array(words);
  photos.forEach(({ word }, k) => {
    const seen = new Set<number>();
    for (let f = 0; f < counts[k]!; f++) {
      start[word[f]! + 1] = start[word[f]! + 1]! + 1;
      seen.add(word[f]!);
    }
    for (const each of seen) holders[each] = holders[each]! + 1;
  });
  for (let w = 0; w < words; w++) start[w + 1] = start[w + 1]! + start[w]!;
  const total = start[words]!;
  const cursor = start.slice();
  const photo = new Int32Array(total);
  const signature = new Uint32Array(2 * total);
  photos.forEach((each, k) => {
    for (let f = 0; f < counts[k]!; f++) {
      const at = cursor[each.word[f]!]!++;
      photo[at] = k;
      signature[2 * at] = each.signature[2 * f]!;
      signature[2 * at + 1] = each.signature[2 * f + 1]!;
    }
  });
  // A word that every photo has tells nothing; the one keeps small sets from having no words at all.
  const weight = Float32Array.from(holders, (n) => Math.log(1 + photos.length / Math.max(1, n)) ** 2);
  return { start, photo, signature, weight };
}

function vote(
  { word, signature }: PhotoWords,
  own: number,
  count: number,
  file: InvertedFile,
  photoCount: number,
  { mostBits, candidates }: SimilarOptions,
): Candidate[] {
  const sum = new Float64Array(photoCount);
  const gain = Float32Array.from({ length: mostBits + 1 }, (_, bits) => Math.exp(-((bits / 16) ** 2)));
  for (let f = 0; f < count; f++) {
    const w = word[f]!;
    const [s0, s1] = [signature[2 * f]!, signature[2 * f + 1]!];
    // Postings are in the order of photos: the nearest of each photo's features votes.
    let [current, fewest] = [-1, mostBits + 1];
    for (let at = file.start[w]!; at < file.start[w + 1]!; at++) {
      const photo = file.photo[at]!;
      if (photo !== current) {
        if (fewest <= mostBits) sum[current] = sum[current]! + file.weight[w]! * gain[fewest]!;
        [current, fewest] = [photo, mostBits + 1];
      }
      const bits = bitCount(s0 ^ file.signature[2 * at]!) + bitCount(s1 ^ file.signature[2 * at + 1]!);
      if (bits < fewest) fewest = bits;
    }
    if (fewest <= mostBits) sum[current] = sum[current]! + file.weight[w]! * gain[fewest]!;
  }
  const found: Candidate[] = [];
  sum.forEach((score, photo) => {
    if (score > 0 && photo !== own) found.push({ photo, score });
  });
  // A few times what is asked for: which of them are good is known only after both directions.
  return found.sort((p, q) => q.score - p.score || p.photo - q.photo).slice(0, KEPT * candidates);
}

function bitCount(x: number): number {
  let v = x - ((x >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function symmetric(scores: readonly (readonly Candidate[])[], count: number): Candidate[][] {
  const both = Array.from({ length: count }, () => new Map<number, number>());
  scores.forEach((list, a) => {
    for (const { photo, score } of list) {
      both[a]!.set(photo, (both[a]!.get(photo) ?? 0) + score / 2);
      both[photo]!.set(a, (both[photo]!.get(a) ?? 0) + score / 2);
    }
  });
  return both.map((list) => Array.from(list, ([photo, score]) => ({ photo, score })));
}

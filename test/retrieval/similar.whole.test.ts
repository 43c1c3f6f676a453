import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { similarPhotos, SIMILAR_DEFAULTS } from '../../electron/retrieval/similar.js';
import {
  decodeVocabulary,
  decodeWords,
  encodeVocabulary,
  encodeWords,
  quantise,
  type PhotoWords,
} from '../../electron/retrieval/vocabulary.js';
import { overlaps, simulateFeatures, street } from '../fixtures/large-set.js';
import { shuffled, simulateDescriptors } from '../fixtures/descriptors.js';

const bytes = new Uint8Array(readFileSync(new URL('../../resources/vocabulary/words.bin', import.meta.url)));
const vocabulary = decodeVocabulary(bytes);
const words = vocabulary.branches * vocabulary.leaves;

/** Photos of things with numbers; each sighting of a thing looks a little different. */
function photosOf(things: readonly (readonly number[])[]): PhotoWords[] {
  const look = simulateDescriptors(vocabulary, 3);
  return things.map((list) => quantise(vocabulary, look(list)));
}

describe('the vocabulary', () => {
  it('is read as it was written, and refused when it was cut short', () => {
    expect(Buffer.compare(encodeVocabulary(vocabulary), bytes)).toBe(0);
    expect(() => decodeVocabulary(bytes.subarray(0, bytes.length - 1))).toThrow(/bytes/);
  });

  it('keeps the words of a photo, and takes a damaged record for none', () => {
    const [photo] = photosOf([[1, 2, 3]]);
    expect(decodeWords(encodeWords(photo!))).toEqual(photo);
    expect(decodeWords(encodeWords(photo!).subarray(1))).toBeUndefined();
    expect(decodeWords(undefined)).toBeUndefined();
  });
});

describe('similarPhotos', () => {
  const range = (from: number, count: number) => Array.from({ length: count }, (_, k) => from + k);

  it('finds photos of the same things before others, both ways', () => {
    const similar = similarPhotos(
      photosOf([range(0, 300), range(1000, 300), range(150, 300), range(2000, 300)]),
      words,
    );
    expect(similar[0]![0]!.photo).toBe(2);
    expect(similar[2]![0]!.photo).toBe(0);
    const other = similar[0]!.find(({ photo }) => photo === 1)?.score ?? 0;
    expect(similar[0]![0]!.score).toBeGreaterThan(5 * other);
  });

  it('gives a photo with few features partners too', () => {
    const similar = similarPhotos(photosOf([range(0, 600), range(0, 600), range(0, 600), range(0, 25)]), words);
    expect(
      similar[3]!
        .slice(0, 3)
        .map(({ photo }) => photo)
        .sort(),
    ).toEqual([0, 1, 2]);
  });

  it('finds nine in ten overlapping photos of a shuffled loop among its candidates', () => {
    // 48 photos; test/bench/scale.ts has the figure for 400.
    const set = street(48);
    const order = shuffled(48, randomNumbers(5));
    const { pointOf } = simulateFeatures(set, { raysPerPhoto: 40 });
    const truth = overlaps(set, 0.25);
    const similar = similarPhotos(photosOf(order.map((photo) => Array.from(pointOf[photo]!))), words, {
      ...SIMILAR_DEFAULTS,
      candidates: 20,
    });
    let [found, wanted] = [0, 0];
    order.forEach((photo, k) => {
      const mine = new Set(similar[k]!.map((each) => order[each.photo]!));
      found += truth[photo]!.filter((each) => mine.has(each.photo)).length;
      wanted += Math.min(20, truth[photo]!.length);
    });
    expect(found / wanted).toBeGreaterThan(0.9);
  });
});

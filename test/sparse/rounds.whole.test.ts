import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../electron/compute/pool.js';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { decodeVocabulary } from '../../electron/retrieval/vocabulary.js';
import { featuresKey } from '../../electron/sparse/correspondence.js';
import { encodeFeatures } from '../../electron/sparse/records.js';
import { surveySet } from '../../electron/sparse/survey.js';
import { shuffled, simulateDescriptors } from '../fixtures/descriptors.js';
import { simulateFeatures, street } from '../fixtures/large-set.js';
import { rmse } from '../bench/scale/sparse.js';
import { memoryStore } from './synthetic.js';

const bytes = readFileSync(new URL('../../resources/vocabulary/words.bin', import.meta.url));
const vocabulary = new Uint8Array(new SharedArrayBuffer(bytes.length));
vocabulary.set(bytes);

const PHOTOS = 40;

/** A street in another order, as features that are kept already. */
function shuffledStreet() {
  const set = street(PHOTOS);
  const order = shuffled(PHOTOS, randomNumbers(9));
  const { pointOf, at } = simulateFeatures(set, { raysPerPhoto: 50 });
  const look = simulateDescriptors(decodeVocabulary(vocabulary), 3);
  const store = memoryStore();
  const photos = order.map((photo, k) => {
    const id = createHash('sha256').update(`street ${photo}`).digest('hex');
    const keypoints = new Float32Array(4 * pointOf[photo]!.length);
    pointOf[photo]!.forEach((_, feature) => {
      const [x, y] = [at[photo]![2 * feature]!, at[photo]![2 * feature + 1]!];
      keypoints.set([x * set.width + set.width / 2 - 0.5, y * set.width + set.height / 2 - 0.5, 2, 0], 4 * feature);
    });
    const descriptors = look(Array.from(pointOf[photo]!));
    const features = { count: pointOf[photo]!.length, keypoints, descriptors };
    const focal = { pixels: set.lens.focal * set.width, source: 'exif-35mm' as const };
    const { width, height } = set;
    const each = { id, path: `/simulated/${k}.jpg`, name: `${k}.jpg`, width, height, size: 1, sharpness: 1, focal };
    store.put(featuresKey(each), encodeFeatures(features));
    return each;
  });
  return { set, order, photos, store };
}

describe('a set that is too large for every pair', () => {
  const pool = new WorkerPool(new URL('../../electron/sparse/worker.ts', import.meta.url), 2);
  afterAll(() => pool.close());
  const reader = { read: () => Promise.reject(new Error('there are no pictures')) };

  it('is placed whole from pairs that retrieval finds, without those that were switched off', async () => {
    const { set, order, photos, store } = shuffledStreet();
    const truth = (k: number) => order[k]!;
    const neighbours = [truth(0), truth(1)].map((photo) => order.indexOf((photo + 1) % PHOTOS));
    const refused = neighbours.map((b, a) => ({ a: Math.min(a, b), b: Math.max(a, b) }));
    const survey = await surveySet(photos, [], reader, pool, { store, retrieval: { vocabulary, refused } });
    expect(survey.pieces).toHaveLength(1);
    expect(survey.pieces[0]!.cameras.size).toBe(PHOTOS);
    const cameras = new Map([...survey.pieces[0]!.cameras].map(([k, camera]) => [truth(k), camera]));
    expect(rmse(set, cameras)).toBeLessThan(1e-3);
    // Not all pairs, and none that was switched off.
    const looked = [...survey.verified, ...survey.rejected.map(({ pair }) => pair)].map(({ a, b }) => `${a} ${b}`);
    expect(looked.length).toBeLessThan(8 * PHOTOS);
    for (const { a, b } of refused) expect(looked).not.toContain(`${a} ${b}`);
  }, 120_000);
});

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../electron/compute/pool.js';
import type { Photo } from '../../electron/geometry/types.js';
import { randomNumbers, rotationFromVector } from '../../electron/numerics/linear.js';
import type { PlacedCamera } from '../../electron/sparse/bundle.js';
import { decodeVocabulary } from '../../electron/retrieval/vocabulary.js';
import { featuresKey } from '../../electron/sparse/correspondence.js';
import { encodeFeatures } from '../../electron/sparse/records.js';
import { surveySet } from '../../electron/sparse/survey.js';
import { simulateDescriptors } from '../fixtures/descriptors.js';
import { arc, memoryStore, scatter, see, type Vector } from './synthetic.js';

const [WIDTH, HEIGHT] = [1600, 1200];
const NOISE = 0.4 / WIDTH;
const bytes = readFileSync(new URL('../../resources/vocabulary/words.bin', import.meta.url));

/** Things that look little like others, so that nearly all are matched: what is tested comes after. */
const DISTINCT = { own: 0.45, noise: 0.35 };

/** Photos of one size, of which nothing else is known, as features that are kept already. */
function setOf(focals: readonly number[], cameras = arc(focals.length, 70), points = scatter(200, 3)) {
  const random = randomNumbers(4);
  const look = simulateDescriptors(decodeVocabulary(new Uint8Array(bytes)), 3, DISTINCT);
  const store = memoryStore();
  const photos = cameras.map((camera, k): Photo => {
    const seen = see(camera, { focal: focals[k]!, k1: 0 }, points, NOISE, random);
    const shown = points.map((_, p) => p).filter((p) => seen[p]);
    const keypoints = new Float32Array(4 * shown.length);
    shown.forEach((p, feature) => {
      const [x, y] = seen[p]!;
      keypoints.set([x * WIDTH + WIDTH / 2 - 0.5, y * WIDTH + HEIGHT / 2 - 0.5, 2, 0], 4 * feature);
    });
    const id = `photo ${k}`;
    const photo = { id, path: `/simulated/${id}.jpg`, name: `${id}.jpg`, width: WIDTH, height: HEIGHT, size: 1 };
    store.put(
      featuresKey({ ...photo, sharpness: 1 }),
      encodeFeatures({ count: shown.length, keypoints, descriptors: look(shown) }),
    );
    return { ...photo, sharpness: 1 };
  });
  return { photos, store };
}

describe('photos of one size, of which nothing else is known', () => {
  const pool = new WorkerPool(new URL('../../electron/sparse/worker.ts', import.meta.url), 2);
  afterAll(() => pool.close());
  const reader = { read: () => Promise.reject(new Error('there are no pictures')) };
  const surveyOf = async (focals: readonly number[], cameras?: PlacedCamera[], points?: Vector[]) => {
    const { photos, store } = setOf(focals, cameras, points);
    const pairs = photos.flatMap((_, a) => photos.slice(a + 1).map((__, k) => ({ a, b: a + 1 + k })));
    const survey = await surveySet(photos, pairs, reader, pool, { store });
    const found = photos.map((_, k) => survey.lenses[survey.lensOf[k]!]!.focal);
    const errors = focals.map((focal, k) => Math.abs(found[k]! / focal - 1));
    return { survey, worst: Math.max(...errors) };
  };

  it('share a lens that explains them', async () => {
    const { survey, worst } = await surveyOf([0.9, 0.9, 0.9, 0.9, 0.9, 0.9]);
    expect(survey.lenses).toHaveLength(1);
    expect(worst).toBeLessThan(0.01);
  });

  it('have one each where they are of many cameras', async () => {
    const { survey, worst } = await surveyOf([1, 1.4, 1, 1.4, 1, 1.4]);
    expect(survey.lenses).toHaveLength(6);
    expect(survey.pieces[0]!.cameras.size).toBe(6);
    expect(worst).toBeLessThan(0.03);
  });

  it('take the usual focal, and say so, where they all look straight down and no focal explains more', async () => {
    const random = randomNumbers(8);
    const ground = Array.from({ length: 500 }, (): Vector => [16 * random() - 8, 14 * random() - 7, 0.8 * random()]);
    const cameras = Array.from({ length: 12 }, (_, k): PlacedCamera => {
      const angle = 0.2 * random() + Math.PI * (Math.floor(k / 4) % 2);
      const rotation = rotationFromVector(0, 0, angle);
      const centre = [-3.75 + 2.5 * (k % 4), -2 + 2 * Math.floor(k / 4), -10 + 0.4 * random()];
      const translation = [0, 1, 2].map((i) => -centre.reduce((sum, c, j) => sum + rotation[3 * i + j]! * c, 0));
      return { lens: 0, rotation, translation: Float64Array.from(translation), fixed: false };
    });
    const { survey, worst } = await surveyOf(new Array<number>(12).fill(1.15), cameras, ground);
    expect(survey.pieces[0]!.cameras.size).toBe(12);
    expect(worst).toBeLessThan(0.34);
    expect(survey.lenses[0]!.assumed).toBe(true);
    expect(survey.warnings.join()).toMatch(/the photos can't tell the focal length/);
  });
}, 120_000);

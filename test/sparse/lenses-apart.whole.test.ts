import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../electron/compute/pool.js';
import type { Photo } from '../../electron/geometry/types.js';
import { randomNumbers, rotationFromVector } from '../../electron/numerics/linear.js';
import type { Lens, PlacedCamera } from '../../electron/sparse/bundle.js';
import { decodeVocabulary } from '../../electron/retrieval/vocabulary.js';
import { featuresKey } from '../../electron/sparse/correspondence.js';
import { encodeFeatures } from '../../electron/sparse/records.js';
import { relatedUnder } from '../../electron/sparse/relating.js';
import type { SurveyTask } from '../../electron/sparse/solution.js';
import { surveySet } from '../../electron/sparse/survey.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { simulateDescriptors } from '../fixtures/descriptors.js';
import { arc, memoryStore, relative, scatter, see, type Vector } from './synthetic.js';

const [WIDTH, HEIGHT] = [1600, 1200];
const NOISE = 0.4 / WIDTH;
const bytes = readFileSync(new URL('../../resources/vocabulary/words.bin', import.meta.url));

/** Things that look little like others, so that nearly all are matched: what is tested comes after. */
const DISTINCT = { own: 0.45, noise: 0.35 };

const photoOf = (k: number): Photo => {
  const id = `photo ${k}`;
  return { id, path: `/simulated/${id}.jpg`, name: `${id}.jpg`, width: WIDTH, height: HEIGHT, size: 1, sharpness: 1 };
};

type SceneOf = [cameras?: PlacedCamera[], points?: Vector[], isCut?: (photo: number) => boolean];

/** Photos of one size, of which nothing else is known, as features that are kept already. */
function setOf(
  focals: readonly number[],
  cameras = arc(focals.length, 70),
  points = scatter(200, 3),
  isCut: (photo: number) => boolean = () => false,
) {
  const random = randomNumbers(4);
  const look = simulateDescriptors(decodeVocabulary(new Uint8Array(bytes)), 3, DISTINCT);
  const store = memoryStore();
  const photos = cameras.map((camera, k): Photo => {
    // A fifth of the width at the left, and a little above and below.
    const [width, height] = isCut(k) ? [0.8 * WIDTH, 0.85 * HEIGHT] : [WIDTH, HEIGHT];
    const lens = isCut(k) ? { focal: focals[k]! / 0.8, k1: 0, cx: -0.125, cy: 0.0234 } : { focal: focals[k]!, k1: 0 };
    const seen = see(camera, lens, points, NOISE, random);
    const shown = points.map((_, p) => p).filter((p) => seen[p]);
    const keypoints = new Float32Array(4 * shown.length);
    shown.forEach((p, feature) => {
      const [x, y] = seen[p]!;
      keypoints.set([x * width + width / 2 - 0.5, y * width + height / 2 - 0.5, 2, 0], 4 * feature);
    });
    const photo = { ...photoOf(k), width, height };
    store.put(featuresKey(photo), encodeFeatures({ count: shown.length, keypoints, descriptors: look(shown) }));
    return photo;
  });
  return { photos, store };
}

describe('photos of one size, of which nothing else is known', () => {
  const pool = new WorkerPool(new URL('../../electron/sparse/worker.ts', import.meta.url), 2);
  afterAll(() => pool.close());
  const reader = { read: () => Promise.reject(new Error('there are no pictures')) };
  const surveyOf = async (focals: readonly number[], ...scene: SceneOf) => {
    const { photos, store } = setOf(focals, ...scene);
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

  it('share a lens whose middle lies aside where all were cut alike', async () => {
    const { survey, worst } = await surveyOf(new Array<number>(8).fill(0.8), arc(8, 100), undefined, () => true);
    expect(survey.lenses).toHaveLength(1);
    expect(survey.pieces[0]!.cameras.size).toBe(8);
    expect(survey.lenses[0]!.focal).toBeCloseTo(1, 2);
    expect(survey.lenses[0]!.cx).toBeCloseTo(-0.125, 2);
    expect(worst).toBeLessThan(0.26);
  });

  it('are related anew under what was learnt of their lenses before they are said to contradict', async () => {
    const lens = { focal: 1, k1: 0, cx: -0.125, cy: 0.0234 };
    const [a, b] = arc(2, 20) as [PlacedCamera, PlacedCamera];
    const points = scatter(200, 3);
    const [seenA, seenB] = [a, b].map((camera) => see(camera, lens, points, NOISE, randomNumbers(4)));
    const both = points.map((_, p) => p).filter((p) => seenA![p] && seenB![p]);
    const photos = [0, 1].map((k): Photo => ({ ...photoOf(k), width: 1280, height: 1020 }));
    const task: SurveyTask = {
      photos,
      candidates: [
        {
          pair: { a: 0, b: 1 },
          matches: Uint32Array.from(both.flatMap((_, k) => [k, k])),
          fit: { inliers: new Uint8Array(both.length).fill(1), inlierCount: both.length, evidence: 99, planarShare: 0 },
        },
      ],
      features: [],
      position: (photo, feature) => (photo === 0 ? seenA! : seenB!)[both[feature]!]!,
      positions: [],
      pixels: [1 / 1280, 1 / 1280],
      lensOf: [0, 0],
      pool,
      context: { store: memoryStore() },
    };
    const { rotation } = relative(a, b);
    const turned = async (under: Lens) => {
      const wrong = { a: 0, b: 1, ...relative(a, a), inlierCount: 99, parallax: 9, rotationShare: 0 };
      const [told] = await relatedUnder(task, [{ ...wrong, matches: new Uint32Array(0) }], () => true, [under]);
      return rotationDifference(told!.rotation, rotation);
    };
    expect(await turned(lens)).toBeLessThan(0.2);
    expect(await turned({ focal: 1, k1: 0 })).toBeGreaterThan(0.5);
  });
}, 120_000);

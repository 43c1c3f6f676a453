import { describe, expect, test } from 'vitest';
import { placeAtAnchors, type Anchor } from '../../electron/alignment/anchors.js';
import { contradicting } from '../../electron/alignment/contradictions.js';
import { LinearSystem } from '../../electron/alignment/linear-system.js';
import { bandedOrder } from '../../electron/alignment/order.js';
import { focalFromPointmap } from '../../electron/alignment/resection.js';
import { weightedMedian } from '../../electron/alignment/weighted-median.js';
import {
  multiply3,
  randomNumbers,
  rotationAngle,
  rotationFromVector,
  transpose3,
} from '../../electron/numerics/linear.js';
import { coarserGrid, digestView, gridPixels } from '../../electron/geometry/digest.js';
import { gridLookup } from '../../electron/alignment/prepared.js';
import { compose, invert, registerPoints, transform, type Similarity } from '../../electron/geometry/similarity.js';
import { normalNumbers } from '../fixtures/room.js';

const similarity = (normal: () => number, scale = 1): Similarity => ({
  scale,
  rotation: rotationFromVector(normal(), normal(), normal()),
  translation: Float64Array.of(normal(), normal(), normal()),
});

describe('weighted median', () => {
  test('is the value at which half of the weight is reached', () => {
    const random = randomNumbers(4);
    for (let trial = 0; trial < 500; trial++) {
      const n = 1 + Math.floor(30 * random());
      const values = Float64Array.from({ length: n }, () => Math.floor((trial % 2 ? 1000 : 5) * random()));
      const weights = Float64Array.from({ length: n }, () => 1 + Math.floor(9 * random()));
      const sorted = Array.from(values, (value, k) => ({ value, weight: weights[k]! })).sort(
        (p, q) => p.value - q.value,
      );
      const half = weights.reduce((sum, weight) => sum + weight, 0) / 2;
      let sum = 0;
      const expected = sorted.find(({ weight }) => (sum += weight) >= half)!.value;
      expect(weightedMedian(values, weights)).toBe(expected);
    }
  });

  test('of nothing is infinite', () => {
    expect(weightedMedian(new Float64Array(0), new Float64Array(0))).toBe(Infinity);
  });
});

describe('registration', () => {
  test('finds a similarity among a third of gross errors', () => {
    const normal = normalNumbers(2);
    const truth = similarity(normal, 1.7);
    const a = Float64Array.from({ length: 300 }, normal);
    const b = new Float64Array(300);
    for (let k = 0; k < 100; k++)
      b.set(
        transform(truth, a.subarray(3 * k, 3 * k + 3)).map((value) => value + (k % 3 === 0 ? 2 + normal() : 0)),
        3 * k,
      );
    const found = registerPoints(a, b, new Float64Array(100).fill(1), 40)!.similarity;
    expect(found.scale / truth.scale).toBeCloseTo(1, 2);
    expect(rotationAngle(multiply3(found.rotation, transpose3(truth.rotation)))).toBeLessThan(0.01);
  });

  test('refuses points that tell nothing', () => {
    const same = new Float64Array(30).fill(1);
    expect(registerPoints(same, same, new Float64Array(10).fill(1))).toBeUndefined();
    expect(
      registerPoints(Float64Array.from({ length: 30 }, normalNumbers(1)), same, new Float64Array(10)),
    ).toBeUndefined();
  });
});

describe('focal from a pointmap', () => {
  const pointmap = (focal: number, spoil = 0) => {
    const random = randomNumbers(3);
    const points = new Float32Array(40 * 30 * 3);
    for (let k = 0; k < 1200; k++) {
      const z = (1 + random()) * (random() < spoil ? 5 * random() : 1);
      points.set(
        [(((k % 40) - 20) * z) / focal, ((Math.floor(k / 40) - 15) * z) / focal, random() < spoil ? 2 : z],
        3 * k,
      );
    }
    return {
      photo: 'a',
      width: 40,
      height: 30,
      originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
      points,
      confidence: new Float32Array(1200).fill(3),
    };
  };
  test('is exact without noise, near it with a fifth of gross errors', () => {
    expect(focalFromPointmap(digestView(pointmap(35)), [20, 15])).toBeCloseTo(35, 3);
    expect(Math.abs(focalFromPointmap(digestView(pointmap(35, 0.2)), [20, 15])! / 35 - 1)).toBeLessThan(0.02);
  });

  test('is unknown where nothing is in front of the camera', () => {
    const behind = pointmap(35);
    behind.points = behind.points.map((value) => -value);
    expect(focalFromPointmap(digestView(behind), [20, 15])).toBeUndefined();
  });
});

describe('linear system', () => {
  test('solves what is sparse and what is dense', () => {
    const random = randomNumbers(9);
    for (const [size, band] of [
      [1, 1],
      [7, 7],
      [90, 90],
      [200, 20],
    ] as const) {
      const system = new LinearSystem(size);
      const full = Array.from({ length: size }, () => new Float64Array(size));
      for (let i = 0; i < size; i++) {
        for (let j = Math.max(0, i - band); j <= i; j++) {
          const value = i === j ? 2 * band + 1 : random() - 0.5;
          system.add(i, j, value);
          full[i]![j] = full[j]![i] = value;
        }
      }
      const x = Float64Array.from({ length: size }, random);
      const b = Float64Array.from(full, (row) => row.reduce((sum, value, j) => sum + value * x[j]!, 0));
      const solved = system.factor(0)!(b);
      for (let i = 0; i < size; i++) expect(solved[i]).toBeCloseTo(x[i]!, 9);
    }
  });

  test('of a ring of photos takes a factor of its fill, and iteration where that would be too large', () => {
    // 60 unknowns a photo, each photo with its next three; the ring is closed, so that the last rows reach the first.
    const random = randomNumbers(9);
    const [photos, each] = [60, 60];
    const size = photos * each;
    const entries: [number, number, number][] = [];
    for (let photo = 0; photo < photos; photo++)
      for (let step = 0; step <= 3; step++)
        for (let k = 0; k < 200; k++) {
          const other = (photo + step) % photos;
          const pair = [photo * each + Math.floor(each * random()), other * each + Math.floor(each * random())];
          if (pair[0] !== pair[1]) entries.push([Math.max(...pair), Math.min(...pair), random() - 0.5]);
        }
    const x = Float64Array.from({ length: size }, () => random() - 0.5);
    const b = new Float64Array(size);
    const built = [new LinearSystem(size), new LinearSystem(size, { factorBytes: 1e6, tolerance: 1e-10 })];
    for (let i = 0; i < size; i++) b[i] = 12 * x[i]!;
    for (const system of built) for (let i = 0; i < size; i++) system.add(i, i, 12);
    for (const [i, j, value] of entries) {
      for (const system of built) system.add(i, j, value);
      b[i] = b[i]! + value * x[j]!;
      b[j] = b[j]! + value * x[i]!;
    }
    const solved = built.map((system) => system.factor(0)!(b));
    expect(built.map(({ exact }) => exact)).toEqual([true, false]);
    for (let i = 0; i < size; i++) {
      expect(solved[0]![i]).toBeCloseTo(x[i]!, 9);
      expect(solved[1]![i]).toBeCloseTo(x[i]!, 6);
    }
  });

  test('has room for more unknowns than a dense one: 40,000', () => {
    const size = 40_000;
    const system = new LinearSystem(size);
    for (let i = 0; i < size; i++) {
      system.add(i, i, 4);
      if (i >= 50) system.add(i, i - 50, -1);
    }
    const solved = system.factor(0)!(new Float64Array(size).fill(1));
    // In the middle of a long chain x = (1 + 2 x) / 4.
    expect(solved[size / 2]).toBeCloseTo(0.5, 9);
  });

  test('says when it is not positive definite', () => {
    const system = new LinearSystem(3);
    for (let i = 0; i < 3; i++) system.add(i, i, i === 1 ? -1 : 1);
    expect(system.factor(1e-4)).toBeUndefined();
  });

  test('photos in a row, however numbered, stand next to their neighbours', () => {
    const row = [4, 0, 5, 2, 1, 3];
    const place = bandedOrder(
      6,
      row.slice(1).map((photo, k) => [row[k]!, photo]),
    );
    for (let k = 1; k < 6; k++) expect(Math.abs(place[row[k]!]! - place[row[k - 1]!]!)).toBe(1);
  });
});

describe('contradictions', () => {
  const ring = [
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 0],
    [0, 2],
    [0, 4],
  ];
  test('the one that stands out goes; one that alone holds a photo stays', () => {
    const usable = [0, 1, 2, 3, 4, 5];
    const residuals = (bad: number) => new Map(usable.map((k) => [k, k === bad ? 0.5 : 0.02]));
    expect([...contradicting(residuals(4), usable, ring)]).toEqual([4]);
    expect([...contradicting(residuals(5), usable, ring)]).toEqual([]);
    expect([...contradicting(residuals(-1), usable, ring)]).toEqual([]);
  });
});

describe('anchors', () => {
  const normal = normalNumbers(6);
  const cameras = Array.from({ length: 5 }, () => similarity(normal));
  const observations = cameras.map(() => similarity(normal, 0.5));
  const state = { cameras, focal: new Float64Array(5).fill(50), observations };
  const G = similarity(normal, 3);
  const given = cameras.map((camera) => ({ ...compose(G, camera), scale: 1 }));
  const anchor = (view: number, kind: Anchor['kind'], worldFromCamera = given[view]!): Anchor => ({
    view,
    kind,
    worldFromCamera,
  });

  test('bring everything into their world, with its scale', () => {
    const placed = placeAtAnchors(state, [anchor(0, 'fixed'), anchor(3, 'rough'), anchor(4, 'rough')], [0, 1, 2, 3, 4]);
    expect(placed.scaled).toBe(true);
    expect(placed.disagreement).toBeLessThan(1e-6);
    placed.state.cameras.forEach((camera, k) =>
      camera!.translation.forEach((value, i) => expect(value).toBeCloseTo(given[k]!.translation[i]!, 9)),
    );
    placed.state.observations.forEach((observation, k) =>
      expect(observation!.scale).toBeCloseTo(compose(G, observations[k]!).scale, 9),
    );
  });

  test('one mistaken pose does not tilt the rest', () => {
    const placed = placeAtAnchors(
      state,
      [0, 1, 2, 3].map((view) => anchor(view, 'rough')).concat(anchor(4, 'rough', similarity(normal))),
      [0, 1, 2, 3, 4],
    );
    for (let k = 0; k < 4; k++)
      placed.state.cameras[k]!.translation.forEach((value, i) =>
        expect(value).toBeCloseTo(given[k]!.translation[i]!, 6),
      );
    expect(placed.disagreement).toBeGreaterThan(0.1);
  });

  test('one alone tells no scale; a corrected camera takes its observations along', () => {
    const placed = placeAtAnchors(state, [anchor(1, 'initial')], [0, 1, 2, 3, 4]);
    expect(placed.scaled).toBe(false);
    const before = compose(invert(cameras[1]!), observations[1]!);
    const after = compose(invert(placed.state.cameras[1]!), placed.state.observations[1]!);
    before.translation.forEach((value, i) => expect(after.translation[i]!).toBeCloseTo(value, 9));
  });
});

describe('the grid of a digest', () => {
  test.each([
    [64, 48],
    [512, 384],
    [333, 500],
    [7, 5],
  ])('of %i x %i pixels is spread evenly, and so is every fourth of it', (width, height) => {
    const view = digestView({
      photo: 'a',
      width,
      height,
      originalFromView: { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 },
      points: Float32Array.from({ length: width * height * 3 }, (_, i) => i),
      confidence: new Float32Array(width * height).fill(2),
    });
    const pixels = gridPixels(width, height, view.stride);
    expect(view.grid.weights).toHaveLength(pixels.length);
    pixels.forEach((pixel, k) => expect(view.grid.points[3 * k]).toBe(3 * pixel));
    const coarse = coarserGrid(width, height, view.stride);
    expect(coarse.length / pixels.length).toBeGreaterThan(0.2);
    expect(coarse.length / pixels.length).toBeLessThan(0.4);
    const entryAt = gridLookup(view);
    pixels.forEach((pixel, k) => expect(entryAt(pixel % width, Math.floor(pixel / width))).toBe(k));
    const far = pixels[entryAt(width - 1, height - 1)]!;
    expect(Math.abs((far % width) - (width - 1))).toBeLessThanOrEqual(view.stride);
  });
});

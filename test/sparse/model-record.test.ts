import { describe, expect, it } from 'vitest';
import { packRecord, unpackRecord } from '../../electron/compute/record.js';
import type { SparseModel } from '../../electron/geometry/sparse-model.js';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { decodeSparseModel, encodeSparseModel } from '../../electron/sparse/model-record.js';

const random = randomNumbers(3);
const numbers = (count: number) => Float64Array.from({ length: count }, () => random() - 0.5);

function model(): SparseModel {
  return {
    cameras: [
      {
        photo: 'a',
        lens: 0,
        features: Float32Array.from(numbers(6)),
        pose: { piece: 1, rotation: numbers(9), translation: Float64Array.of(-0, 1e-300, Math.PI) },
        weak: true,
      },
      { photo: 'b', lens: 1, features: new Float32Array(0), reason: 'alone' },
      {
        photo: 'c',
        lens: 1,
        features: Float32Array.from(numbers(4)),
        pose: { piece: 0, rotation: numbers(9), translation: numbers(3) },
      },
    ],
    warnings: ['two photos only'],
    lenses: [
      { key: 'one', focal: 0.9, k1: -0.1, related: 1 },
      { key: 'two', focal: 1.1, k1: -0, k2: 0.01, related: 1.2, assumed: true, focalSigma: 0.02 },
    ],
    points: {
      positions: numbers(6),
      piece: Uint16Array.of(0, 1),
      offsets: Uint32Array.of(0, 2, 3),
      trackCamera: Uint32Array.of(0, 2, 2),
      trackFeature: Uint32Array.of(1, 0, 1),
      trackAt: Float32Array.from(numbers(6)),
      error: Float32Array.of(0.001, 0.002),
    },
    pairs: [
      {
        a: 0,
        b: 2,
        rotation: numbers(9),
        translation: numbers(3),
        inliers: 2,
        parallax: 4.5,
        rotationShare: 0.25,
        matches: Uint32Array.of(0, 1, 2, 0),
      },
    ],
    rejected: [{ pair: { a: 0, b: 1 }, reason: 'no-overlap', detail: '3 matches' }],
  };
}

describe('the record of a sparse model', () => {
  it('keeps every bit', () => {
    const written = model();
    const read = decodeSparseModel(encodeSparseModel(written))!;
    expect(read).toEqual(written);
    expect(Object.is(read.cameras[0]!.pose!.translation[0], -0)).toBe(true);
    expect(Object.is(read.lenses[1]!.k1, -0)).toBe(true);
    expect(encodeSparseModel(read)).toEqual(encodeSparseModel(written));
  });

  it('is absent when a bit changed, an end is missing or something follows', () => {
    const record = encodeSparseModel(model());
    for (let at = 0; at < record.length; at++) {
      const damaged = record.slice();
      damaged[at] = damaged[at]! ^ (1 << (at % 8));
      expect(decodeSparseModel(damaged)).toBeUndefined();
    }
    for (const length of [0, 5, 12, 100, record.length - 1])
      expect(decodeSparseModel(record.slice(0, length))).toBeUndefined();
    expect(decodeSparseModel(Uint8Array.of(...record, 0))).toBeUndefined();
    expect(decodeSparseModel(undefined)).toBeUndefined();
  });
});

describe('records', () => {
  it('hold arrays of all types, empty ones and views of larger buffers', () => {
    const arrays = [
      new Float32Array([1, 2, 3, 4]).subarray(1, 3),
      new Uint8Array(0),
      Uint8Array.of(1, 2, 3),
      Int32Array.of(-5),
      Uint16Array.of(65535),
      Float64Array.of(NaN),
    ];
    const record = packRecord({ title: 'größer' }, arrays);
    // As a database gives it: a Buffer, somewhere in a pool.
    for (const bytes of [record, Buffer.concat([Buffer.alloc(3), record]).subarray(3)]) {
      const read = unpackRecord<{ title: string }>(bytes)!;
      expect(read.header).toEqual({ title: 'größer' });
      expect(read.arrays).toEqual(arrays.map((array) => array.slice()));
    }
  });
});

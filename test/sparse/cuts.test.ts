import { describe, expect, it } from 'vitest';
import { cutLenses, lensPictures, type LensPicture } from '../../electron/sparse/cuts.js';
import type { Photo } from '../../electron/geometry/types.js';

const whole: LensPicture = { camera: undefined, long: 1000, short: 750 };
const cutOf = (picture: Partial<LensPicture>, focal: number) => [
  ...cutLenses(
    [
      { focal: 0.9, k1: 0 },
      { focal, k1: 0 },
    ],
    [whole, { ...whole, ...picture }],
  ),
];

describe('cutLenses', () => {
  it('sees that a smaller picture has the focal of another in pixels', () => {
    expect(cutOf({ long: 800, short: 640 }, 0.9 / 0.8)).toEqual([[1, 0]]);
    expect(cutOf({ long: 800, short: 640 }, (1.02 * 0.9) / 0.8)).toEqual([[1, 0]]);
  });

  it('believes what was known before, where few photos were pulled elsewhere', () => {
    const lens = (focal: number, before: number) => ({ focal, k1: 0, prior: { focal: before, sigma: 0.2 } });
    const pictures = [whole, { ...whole, long: 800, short: 640 }];
    expect([...cutLenses([lens(0.9, 0.9), lens(1.3, 0.9 / 0.8)], pictures)]).toEqual([[1, 0]]);
    expect([...cutLenses([lens(0.9, 0.9), lens(1.3, 0.9)], pictures)]).toEqual([]);
  });

  it('leaves reduced pictures, other lenses and other cameras as they are', () => {
    expect(cutOf({ long: 800, short: 600 }, 0.9)).toEqual([]);
    expect(cutOf({ long: 990, short: 740 }, 0.9)).toEqual([]);
    expect(cutOf({ long: 800, short: 640 }, 0.9 / 0.7)).toEqual([]);
    expect(cutOf({ long: 800, short: 640, camera: 'another' }, 0.9 / 0.8)).toEqual([]);
  });

  it('leaves 16:9 beside 4:3, which cameras cut round the middle', () => {
    expect(cutOf({ short: 562 }, 0.9)).toEqual([]);
  });

  it('takes upright and lying photos of a lens alike', () => {
    const photos = [
      { width: 600, height: 900 },
      { width: 1000, height: 750, camera: 'one' },
    ] as Photo[];
    expect(lensPictures(photos, [1, 0], 2)).toEqual([
      { camera: 'one', long: 1000, short: 750 },
      { camera: undefined, long: 900, short: 600 },
    ]);
  });
});
